/** Time: playing, pausing, seeking. Sound is the master clock where there is sound. */

import type { Sound } from "./sound";

type Change = "time" | "state" | "blocked";

export class Player {
  duration = 0;
  loop = false;
  private sound: Sound | null = null;
  private running = false;
  private at = 0;
  private rate = 1;
  private zero = 0;
  private zeroAt = 0;
  private sounding = false;
  private waiting = false;
  private turn = 0;
  private readonly listeners = new Map<Change, Set<() => void>>();

  get playing(): boolean {
    return this.running;
  }

  /** Does time pass? Not yet, while the browser makes the sound ready. */
  get moving(): boolean {
    return this.running && !this.waiting;
  }

  get time(): number {
    return this.at;
  }

  get speed(): number {
    return this.rate;
  }

  open(duration: number, sound: Sound | null): void {
    this.pause();
    this.duration = duration;
    this.sound = sound;
    this.at = 0;
    this.tell("time");
  }

  on(change: Change, listener: () => void): void {
    const set = this.listeners.get(change) ?? new Set();
    this.listeners.set(change, set.add(listener));
  }

  async play(): Promise<void> {
    if (this.running || this.duration <= 0) return;
    if (this.at >= this.duration - 1e-3) this.at = 0;
    this.running = true;
    this.tell("state");
    await this.start();
  }

  pause(): void {
    if (!this.running) return;
    this.tick();
    this.halt();
  }

  toggle(): void {
    if (this.running) this.pause();
    else void this.play();
  }

  seek(time: number): void {
    this.at = Math.min(Math.max(0, Number.isFinite(time) ? time : 0), this.duration);
    if (this.running) void this.start();
    this.tell("time");
  }

  setSpeed(rate: number): void {
    this.rate = Math.min(4, Math.max(0.05, rate));
    if (this.running) {
      this.tick();
      void this.start();
    }
  }

  /** Move to now; called once per frame. */
  tick(): void {
    if (!this.running || this.waiting) return;
    const now = this.sounding
      ? this.sound!.position()
      : this.zero + ((performance.now() - this.zeroAt) / 1000) * this.rate;
    // A new start has a moment of silence before it; time never runs backwards over it.
    this.at = Math.min(Math.max(now, this.zero), this.duration);
    this.tell("time");
    if (this.at >= this.duration) {
      if (this.loop) {
        this.seek(0);
      } else {
        this.halt();
      }
    }
  }

  private halt(): void {
    this.running = false;
    this.waiting = false;
    this.turn += 1;
    this.sound?.stop();
    this.tell("state");
  }

  private async start(): Promise<void> {
    // Seeking and speed changes may overlap with a start that still waits for the browser: the last one wins.
    const turn = (this.turn += 1);
    this.zero = this.at;
    this.zeroAt = performance.now();
    this.sounding = false;
    if (!this.sound) return;
    this.waiting = true;
    const allowed = await this.sound.start(this.at, this.rate);
    if (turn !== this.turn) return;
    this.waiting = false;
    this.sounding = allowed;
    this.zeroAt = performance.now();
    if (!allowed) this.tell("blocked");
  }

  private tell(change: Change): void {
    this.listeners.get(change)?.forEach((listener) => listener());
  }
}
