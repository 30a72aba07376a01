/** The tiers under the slider: drawing, hovering, seeking, zooming, folding. */

import { hueOf, isPause } from "./colours";
import { drawRuler, drawRows, type Look } from "./draw";
import { clock } from "./format";
import type { Interval, Tier } from "./kinesics";
import { firstAfter, LANE, makeRows, place, type Row } from "./rows";
import type { Sound } from "./sound";

/** Longer performances open showing this many seconds, so that words can be read. */
const FIRST_SPAN = 14;
const SHORTEST_SPAN = 0.25;

export class Timeline {
  rows: Row[] = [];
  private from = 0;
  private span = 1;
  private duration = 0;
  private time = 0;
  private peaks: Float32Array | null = null;
  private hovered: { row: Row; index: number } | null = null;
  private dragging = false;
  private stale = true;
  private readonly names: HTMLElement;
  private readonly ruler: HTMLCanvasElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly body: HTMLElement;
  private readonly head: HTMLElement;
  private readonly tip: HTMLElement;

  constructor(private readonly element: HTMLElement, private readonly seek: (time: number) => void) {
    const corner = make("div", "corner");
    corner.append(
      this.button("−", "Zoom out", () => this.zoom(1.6)),
      this.button("+", "Zoom in", () => this.zoom(1 / 1.6)),
      this.button("Fit", "Show the whole time", () => this.show(0, this.duration)),
    );
    this.ruler = document.createElement("canvas");
    this.ruler.className = "ruler";
    const first = make("div", "row-head");
    first.append(corner, this.ruler);
    this.names = make("div", "names");
    this.canvas = document.createElement("canvas");
    this.canvas.className = "rows";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.body = make("div", "row-body");
    this.body.append(this.names, this.canvas);
    this.head = make("div", "playhead");
    this.head.setAttribute("aria-hidden", "true");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.tip.setAttribute("role", "tooltip");
    element.append(first, this.body, this.head);
    document.body.append(this.tip);
    this.listen();
  }

  open(duration: number, tiers: Tier[], sound: Sound | null): void {
    this.duration = duration;
    this.rows = makeRows(tiers, sound !== null);
    this.peaks = sound ? sound.peaks(Math.min(60_000, Math.max(400, Math.ceil(sound.duration * 200)))) : null;
    this.soundLength = sound?.duration ?? 0;
    this.element.hidden = this.rows.length === 0;
    const count = tiers.reduce((sum, tier) => sum + tier.intervals.length, 0);
    this.canvas.setAttribute(
      "aria-label",
      `${tiers.length} tiers, ${count} intervals: ${tiers.map((tier) => tier.name).join(", ")}. Click to go to a time.`,
    );
    this.names.replaceChildren(...this.rows.map((row) => this.nameOf(row)));
    this.show(0, Math.min(duration, FIRST_SPAN));
    this.setTime(0, false);
  }

  private soundLength = 0;

  /** Show a stretch of time. */
  show(from: number, span: number): void {
    this.span = Math.min(Math.max(SHORTEST_SPAN, span), Math.max(SHORTEST_SPAN, this.duration));
    this.from = Math.min(Math.max(0, from), Math.max(0, this.duration - this.span));
    this.stale = true;
  }

  zoom(factor: number, around = this.time): void {
    const span = Math.min(Math.max(SHORTEST_SPAN, this.span * factor), Math.max(SHORTEST_SPAN, this.duration));
    const part = Math.min(1, Math.max(0, (around - this.from) / this.span));
    this.show(around - part * span, span);
  }

  setTime(time: number, playing: boolean): void {
    this.time = time;
    const end = this.from + this.span;
    // Turn the page while playing; keep what the user looks at while scrubbing within it.
    if (time > end - this.span * (playing ? 0.04 : 0) || time < this.from) {
      this.show(playing ? time - this.span * 0.08 : time - this.span * 0.5, this.span);
    }
    this.placeHead();
  }

  /** Draw what changed; called once per frame. */
  refresh(): void {
    if (!this.stale || this.element.hidden || this.element.offsetParent === null) return;
    this.stale = false;
    const look = this.look();
    const height = place(this.rows);
    const width = this.canvas.parentElement!.clientWidth - this.names.offsetWidth;
    drawRuler(fit(this.ruler, width, 22), look);
    drawRows(fit(this.canvas, width, height), look, this.rows, {
      peaks: this.peaks, soundLength: this.soundLength, hovered: this.hovered,
    });
    this.placeHead();
  }

  resize(): void {
    this.stale = true;
  }

  /** Starts of intervals, for stepping from one to the next. */
  edges(): number[] {
    const all = this.rows.flatMap((row) => row.intervals.map((interval) => interval.start));
    return [...new Set(all)].sort((a, b) => a - b);
  }

  private look(): Look {
    return {
      from: this.from, span: this.span, duration: this.duration,
      dark: !matchMedia("(prefers-color-scheme: light)").matches,
      font: getComputedStyle(document.body).fontFamily,
    };
  }

  private placeHead(): void {
    const width = this.canvas.clientWidth;
    const x = ((this.time - this.from) / this.span) * width;
    this.head.style.transform = `translateX(${this.names.offsetWidth + x}px)`;
    this.head.hidden = x < -1 || x > width + 1;
  }

  private nameOf(row: Row): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "name";
    const dot = make("i", "dot");
    dot.style.setProperty("--hue", String(row.wave ? 214 : hueOf(row.name)));
    if (isPause(row.name)) dot.classList.add("grey");
    const text = make("span", "text");
    text.textContent = row.name;
    button.append(dot, text);
    const set = () => {
      button.setAttribute("aria-expanded", String(!row.folded));
      button.title = `${row.name}: ${row.folded ? "unfold" : "fold"}`;
      button.style.height = `${row.height}px`;
      button.classList.toggle("folded", row.folded);
    };
    button.addEventListener("click", () => {
      row.folded = !row.folded;
      place(this.rows);
      set();
      this.stale = true;
    });
    set();
    return button;
  }

  private button(text: string, label: string, act: () => void): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    return button;
  }

  private timeAt(event: MouseEvent): number {
    const box = this.canvas.getBoundingClientRect();
    return this.from + ((event.clientX - box.left) / Math.max(1, box.width)) * this.span;
  }

  private listen(): void {
    for (const surface of [this.ruler, this.canvas]) {
      surface.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        this.dragging = true;
        surface.setPointerCapture(event.pointerId);
        this.seek(this.timeAt(event));
      });
      surface.addEventListener("pointermove", (event) => {
        if (this.dragging) this.seek(this.timeAt(event));
        if (surface === this.canvas) this.hover(event);
      });
      surface.addEventListener("pointerup", () => (this.dragging = false));
      surface.addEventListener("pointercancel", () => (this.dragging = false));
      surface.addEventListener("dblclick", () => this.show(0, this.duration));
      surface.addEventListener(
        "wheel",
        (event) => {
          event.preventDefault();
          const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
          if (sideways !== 0) this.show(this.from + (sideways / Math.max(1, this.canvas.clientWidth)) * this.span, this.span);
          else this.zoom(Math.exp(Math.max(-120, Math.min(120, event.deltaY)) * 0.0022), this.timeAt(event));
        },
        { passive: false },
      );
    }
    this.canvas.addEventListener("pointerleave", () => this.leave());
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => (this.stale = true));
  }

  private hover(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const y = event.clientY - box.top;
    const time = this.timeAt(event);
    const row = this.rows.find((item) => y >= item.top && y < item.top + item.height);
    const index = row && !row.wave ? this.hit(row, time, y - row.top) : -1;
    if (!row || index < 0) {
      this.leave();
      return;
    }
    if (this.hovered?.row !== row || this.hovered.index !== index) {
      this.hovered = { row, index };
      this.stale = true;
      this.tip.replaceChildren(...describe(row.name, row.intervals[index]!));
    }
    this.tip.hidden = false;
    const { offsetWidth, offsetHeight } = this.tip;
    const left = Math.min(event.clientX + 14, window.innerWidth - offsetWidth - 8);
    this.tip.style.transform = `translate(${left}px, ${Math.max(8, event.clientY - offsetHeight - 14)}px)`;
  }

  private hit(row: Row, time: number, y: number): number {
    const lane = row.folded ? -1 : Math.floor(y / LANE);
    // A few pixels of grace, as short intervals are drawn wider than they are.
    const grace = (2 / Math.max(1, this.canvas.clientWidth)) * this.span;
    for (let i = firstAfter(row.intervals, time - grace); i < row.intervals.length; i += 1) {
      const interval = row.intervals[i]!;
      if (interval.start > time + grace) break;
      if (interval.end >= time - grace && (lane < 0 || row.lanes[i] === lane)) return i;
    }
    return -1;
  }

  private leave(): void {
    this.tip.hidden = true;
    if (!this.hovered) return;
    this.hovered = null;
    this.stale = true;
  }
}

/** Everything known of an interval; file content only ever becomes text. */
function describe(tier: string, interval: Interval): HTMLElement[] {
  const title = make("b", "");
  title.textContent = interval.label || "(no label)";
  const where = make("span", "");
  where.textContent = `${tier} · ${clock(interval.start)} – ${clock(interval.end)} · ${(interval.end - interval.start).toFixed(3)} s`;
  const rest: string[] = [];
  if (interval.value !== null) rest.push(`value ${Number(interval.value.toPrecision(4))}`);
  if (interval.confidence < 1) rest.push(`confidence ${interval.confidence.toFixed(2)}`);
  if (rest.length === 0) return [title, where];
  const more = make("span", "");
  more.textContent = rest.join(" · ");
  return [title, where, more];
}

function make(tag: string, name: string): HTMLElement {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}

/** Size a canvas for the screen's pixels; returns a context that draws in CSS pixels. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
