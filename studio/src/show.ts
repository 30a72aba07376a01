/** One performance on the page: binds stage, actor, time, tiers and controls together. */

import type { Api, Info } from "./api";
import { Captions } from "./captions";
import { Controls } from "./controls";
import { byId } from "./dom";
import { Film } from "./film";
import { size } from "./format";
import { isView, shot, VIEWS, type View } from "./framing";
import { load, type Loaded } from "./load";
import { Player } from "./player";
import { Stage, type Tone } from "./scene";
import { Timeline } from "./timeline";

export interface Opening {
  view?: string;
  time?: number;
  azimuth?: number;
  elevation?: number;
  paused?: boolean;
  tone?: string;
  /** Address and name of the video that was read, to be shown beside the avatar. */
  film?: { address: string; name: string };
  people?: string[];
  person?: number;
}

export class Show {
  readonly player = new Player();
  readonly timeline = new Timeline(byId("tiers"), (time) => this.player.seek(time));
  readonly captions = new Captions(byId("caption"));
  private readonly film = new Film(byId<HTMLVideoElement>("film"));
  private readonly stage = new Stage(byId<HTMLCanvasElement>("view"));
  private readonly controls = new Controls(this);
  private loaded: Loaded | null = null;
  private name = "";
  private bytes = 0;
  private view: View = "upper";
  private turn: { azimuth?: number; elevation?: number } = {};

  constructor() {
    this.player.on("time", () => this.moved());
    this.player.on("state", () => this.film.follow(this.player.time, this.player.moving, this.player.speed));
    new ResizeObserver(() => {
      this.stage.resize();
      this.timeline.resize();
      // Without this the old picture is shown stretched until the next frame.
      if (this.loaded) this.stage.render();
    }).observe(byId("room"));
    const frame = () => {
      this.player.tick();
      this.stage.pace(this.player.playing);
      if (this.stage.advance()) this.stage.render();
      this.timeline.refresh();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  async open(bytes: ArrayBuffer, name: string, opening: Opening = {}): Promise<void> {
    const loaded = await load(bytes);
    this.loaded = loaded;
    this.name = name;
    this.bytes = bytes.byteLength;
    const { actor } = loaded;
    if (opening.tone === "aces" || opening.tone === "neutral") this.stage.setTone(opening.tone satisfies Tone);
    this.stage.scene.add(actor.root);
    const { hips, box } = actor.marks;
    this.stage.setSubject(actor.height, hips ?? box.getCenter(box.min.clone()), Math.min(box.min.y, 0.02 * actor.height));
    this.turn = { azimuth: opening.azimuth, elevation: opening.elevation };
    this.stage.resize();
    this.choose(0);
    this.look(opening.view && isView(opening.view) ? opening.view : "upper", { jump: true });
    this.controls.opened(loaded, name, [loaded.kind, origin(loaded), size(this.bytes)].filter(Boolean).join(" · "));
    this.controls.among(opening.people ?? [], opening.person ?? 0);
    const { film } = opening;
    if (film && !(await this.film.show(film.address))) {
      this.controls.notice(
        `This browser cannot play the video ${film.name}; the avatar is shown alone. Convert the video to MP4 (H.264) or WebM to see both.`,
      );
    }
    document.body.classList.remove("loading");
    if (opening.time !== undefined) this.player.seek(opening.time);
    await this.drawn();
    const sounds = loaded.sound !== null;
    // With sound a click is needed first; browsers mute what starts by itself.
    if (sounds && !opening.paused) this.controls.offerStart();
    else if (!opening.paused) void this.player.play();
  }

  /** Choose one of the file's animations. */
  choose(index: number): void {
    const { actor, sound, extras } = this.loaded!;
    actor.choose(index);
    const duration = Math.max(actor.duration, index === 0 ? (extras.duration ?? 0) : 0, sound?.duration ?? 0);
    this.player.open(duration, sound);
    this.player.loop = actor.clips.length > 0 && !extras.ours;
    this.timeline.open(duration, extras.tiers, sound);
    this.captions.open(extras.tiers);
    this.moved();
  }

  look(view: View, options: { jump?: boolean; azimuth?: number; elevation?: number } = {}): void {
    if (!this.loaded) return;
    if (options.azimuth !== undefined || options.elevation !== undefined) {
      this.turn = { azimuth: options.azimuth, elevation: options.elevation };
    }
    this.view = view;
    const marks = this.loaded.actor.marks;
    const next = shot(view, marks, this.turn);
    const place = this.loaded.actor.place(this.player.time);
    if (place && marks.hips) {
      next.target.x += place.x - marks.hips.x;
      next.target.z += place.z - marks.hips.z;
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage.frame(next, { smooth: !options.jump && !calm });
    this.controls.viewed(view);
  }

  fail(message: string): void {
    this.controls.failed(message);
  }

  api(ready: Promise<void>): Api {
    const player = this.player;
    return {
      ready,
      get duration() {
        return player.duration;
      },
      seek: async (time) => {
        player.seek(time);
        await this.drawn();
      },
      play: () => player.play(),
      pause: () => player.pause(),
      view: async (name, turn = {}) => {
        if (!isView(name)) throw new Error(`unknown view ${name}; choose one of: ${VIEWS.join(", ")}`);
        this.look(name, { jump: true, azimuth: turn.azimuth ?? 0, elevation: turn.elevation });
        await this.drawn();
      },
      info: () => this.info(),
    };
  }

  private info(): Info {
    const loaded = this.loaded;
    const buffer = loaded?.sound?.buffer;
    return {
      name: this.name,
      kind: loaded?.kind ?? "",
      bytes: this.bytes,
      duration: this.player.duration,
      time: this.player.time,
      playing: this.player.playing,
      view: this.view,
      audio: buffer ? { duration: buffer.duration, channels: buffer.numberOfChannels, rate: buffer.sampleRate } : null,
      tiers: loaded?.extras.tiers.map((tier) => ({ name: tier.name, intervals: tier.intervals.length })) ?? [],
      animations: loaded?.actor.clips.map((clip) => clip.name) ?? [],
      morphs: loaded?.actor.morphNames.length ?? 0,
      height: loaded?.actor.height ?? 0,
      lacks: loaded?.lacks ?? [],
      faults: loaded?.faults ?? [],
    };
  }

  private moved(): void {
    const time = this.player.time;
    const actor = this.loaded?.actor;
    if (actor) {
      actor.pose(time, this.player.playing);
      const place = actor.place(time);
      if (place) this.stage.moveTo(place.x, place.z);
      this.stage.dirty = true;
    }
    this.film.follow(time, this.player.moving, this.player.speed);
    this.timeline.setTime(time, this.player.playing);
    this.captions.update(time);
    this.controls.moved();
  }

  /** Resolves when the present pose has reached the screen. */
  private async drawn(): Promise<void> {
    this.stage.advance();
    this.stage.render();
    this.timeline.refresh();
    await this.film.settled();
    const next = () => new Promise((done) => requestAnimationFrame(done));
    await next();
    await next();
  }
}

/** Where it comes from, as the file says it. */
const origin = (loaded: Loaded): string => (loaded.extras.synthetic ? "synthetic" : "");
