/** Buttons, slider, keys and notices. */

import { clock } from "./format";
import { isView, VIEWS, type View } from "./framing";
import type { Loaded } from "./load";
import { byId } from "./dom";
import type { Show } from "./show";

const FRAME = 1 / 60;

export class Controls {
  private readonly play = byId<HTMLButtonElement>("play");
  private readonly slider = byId<HTMLInputElement>("slider");
  private readonly clock = byId("clock");
  private readonly begin = byId<HTMLButtonElement>("start");
  private readonly views = [...document.querySelectorAll<HTMLButtonElement>("[data-view]")];
  private readonly loop = byId<HTMLButtonElement>("loop");
  private readonly mute = byId<HTMLButtonElement>("mute");
  private readonly cc = byId<HTMLButtonElement>("captions");
  private readonly fold = byId<HTMLButtonElement>("fold");
  private loud = true;
  private loaded: Loaded | null = null;

  constructor(private readonly show: Show) {
    const { player } = show;
    this.play.addEventListener("click", () => this.toggle());
    this.begin.addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => player.seek(Number(this.slider.value)));
    for (const button of this.views) {
      button.addEventListener("click", () => show.look(button.dataset["view"] as View, { azimuth: 0 }));
    }
    byId<HTMLSelectElement>("speed").addEventListener("change", (event) => {
      player.setSpeed(Number((event.target as HTMLSelectElement).value));
    });
    byId<HTMLSelectElement>("clip").addEventListener("change", (event) => {
      const was = player.playing;
      show.choose(Number((event.target as HTMLSelectElement).value));
      this.ranged();
      if (was) void player.play();
    });
    this.loop.addEventListener("click", () => this.setLoop(!player.loop));
    this.mute.addEventListener("click", () => this.setLoud(!this.loud));
    this.cc.addEventListener("click", () => this.setCaptions(!show.captions.shown));
    this.fold.addEventListener("click", () => this.setTiers(this.fold.getAttribute("aria-pressed") !== "true"));
    player.on("state", () => this.stated());
    player.on("blocked", () => this.notice("The browser does not let this page play sound yet: press play once more."));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  opened(loaded: Loaded, name: string, facts: string): void {
    this.loaded = loaded;
    byId("name").textContent = name;
    byId("facts").textContent = facts;
    document.title = `${name} · Kinesics`;
    const { actor, sound, extras } = loaded;
    const clips = byId<HTMLSelectElement>("clip");
    clips.replaceChildren(
      ...actor.clips.map((clip, index) => {
        const option = document.createElement("option");
        option.value = String(index);
        option.textContent = clip.name || `Animation ${index + 1}`;
        return option;
      }),
    );
    byId("clip-box").hidden = actor.clips.length < 2;
    this.mute.hidden = !sound;
    this.cc.hidden = !this.show.captions.any;
    this.fold.hidden = extras.tiers.length === 0 && !sound;
    document.body.classList.toggle("still", this.show.player.duration <= 0);
    this.ranged();
    this.setLoop(this.show.player.loop);
    if (loaded.lacks.length > 0) this.notice(`This file has no ${list(loaded.lacks)}.`);
    loaded.faults.forEach((fault) => this.notice(fault));
  }

  /** Of several people one stands on the stage; another one is another page. */
  among(people: string[], chosen: number): void {
    const select = byId<HTMLSelectElement>("person");
    select.replaceChildren(...people.map((name, index) => new Option(name, String(index), index === chosen, index === chosen)));
    select.addEventListener("change", () => {
      const address = new URL(location.href);
      address.searchParams.set("person", select.value);
      address.searchParams.set("t", this.show.player.time.toFixed(3));
      location.replace(address);
    });
    byId("person-box").hidden = people.length < 2;
  }

  /** A large button over the stage, because the first sound needs a click. */
  offerStart(): void {
    this.begin.hidden = false;
  }

  viewed(view: View): void {
    for (const button of this.views) button.setAttribute("aria-pressed", String(button.dataset["view"] === view));
  }

  moved(): void {
    const { time } = this.show.player;
    this.slider.value = String(time);
    this.slider.setAttribute("aria-valuetext", clock(time));
    const share = this.show.player.duration > 0 ? time / this.show.player.duration : 0;
    this.slider.style.setProperty("--share", `${(share * 100).toFixed(2)}%`);
    this.clock.textContent = clock(time);
  }

  failed(message: string): void {
    document.body.classList.remove("loading");
    document.body.classList.add("failed");
    byId("name").textContent = "Nothing to show";
    this.notice(message);
  }

  notice(message: string): void {
    const line = document.createElement("p");
    const text = document.createElement("span");
    text.textContent = message;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => line.remove());
    line.append(text, close);
    byId("notices").append(line);
  }

  private ranged(): void {
    const { duration } = this.show.player;
    this.slider.max = String(Math.max(duration, 0.01));
    this.slider.disabled = duration <= 0;
    this.play.disabled = duration <= 0;
    byId("length").textContent = clock(duration);
  }

  private stated(): void {
    const { playing } = this.show.player;
    document.body.classList.toggle("playing", playing);
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.play.title = playing ? "Pause (space)" : "Play (space)";
    if (playing) this.begin.hidden = true;
  }

  private toggle(): void {
    this.show.player.toggle();
  }

  private setLoop(on: boolean): void {
    this.show.player.loop = on;
    this.loop.setAttribute("aria-pressed", String(on));
  }

  private setLoud(on: boolean): void {
    this.loud = on;
    this.loaded?.sound?.setLoud(on);
    this.mute.setAttribute("aria-pressed", String(on));
  }

  private setCaptions(on: boolean): void {
    this.show.captions.shown = on;
    this.show.captions.update(this.show.player.time);
    this.cc.setAttribute("aria-pressed", String(on));
  }

  private setTiers(on: boolean): void {
    document.body.classList.toggle("folded", !on);
    this.fold.setAttribute("aria-pressed", String(on));
    this.fold.setAttribute("aria-expanded", String(on));
  }

  private step(seconds: number): void {
    this.show.player.seek(this.show.player.time + seconds);
  }

  private toEdge(direction: 1 | -1): void {
    const { time } = this.show.player;
    const edges = this.show.timeline.edges();
    const next = direction > 0 ? edges.find((edge) => edge > time + 1e-3) : edges.findLast((edge) => edge < time - 1e-3);
    if (next !== undefined) this.show.player.seek(next);
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    // The slider and buttons keep the keys they have of their own, so that nothing is done twice.
    const button = target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const arrows = target === this.slider && /^(Arrow|Home|End|Page)/.test(event.key);
    if (button || arrows) return;
    const view = VIEWS[Number(event.key) - 1];
    const acts: Record<string, () => void> = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowRight: () => this.step(event.shiftKey ? 1 : FRAME),
      ArrowLeft: () => this.step(event.shiftKey ? -1 : -FRAME),
      Home: () => this.show.player.seek(0),
      End: () => this.show.player.seek(this.show.player.duration),
      "]": () => this.toEdge(1),
      "[": () => this.toEdge(-1),
      l: () => this.setLoop(!this.show.player.loop),
      m: () => this.setLoud(!this.loud),
      c: () => this.setCaptions(!this.show.captions.shown),
      t: () => this.setTiers(document.body.classList.contains("folded")),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) act();
    else if (view && isView(view)) this.show.look(view, { azimuth: 0 });
    else return;
    event.preventDefault();
  }
}

function list(items: string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", no ")} and no ${items[items.length - 1]}`;
}
