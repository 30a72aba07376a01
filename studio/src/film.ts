/** The video that was read, beside the avatar; it follows the player, muted, as the sound is the player's. */

const APART = 0.12; // seconds that a running video may be off before it is set right

export class Film {
  private open = false;

  constructor(private readonly video: HTMLVideoElement) {
    video.muted = true;
  }

  /** Resolves when it stands beside the avatar; to false if this browser cannot show it. */
  async show(source: string): Promise<boolean> {
    this.video.src = source;
    this.open = await new Promise<boolean>((done) => {
      // Of a film whose sound alone can be decoded there is data, but no picture.
      this.video.addEventListener("loadeddata", () => done(this.video.videoWidth > 0), { once: true });
      this.video.addEventListener("error", () => done(false), { once: true });
    });
    document.body.classList.toggle("beside", this.open);
    return this.open;
  }

  follow(time: number, playing: boolean, speed: number): void {
    if (!this.open) return;
    const { video } = this;
    const over = time >= video.duration;
    if (playing && !over) {
      if (video.playbackRate !== speed) video.playbackRate = speed;
      if (video.paused) {
        video.currentTime = time;
        video.play().catch(() => undefined);
      } else if (Math.abs(video.currentTime - time) > APART * Math.max(1, speed)) {
        video.currentTime = time;
      }
      return;
    }
    if (!video.paused) video.pause();
    const wanted = Math.min(time, video.duration);
    if (Math.abs(video.currentTime - wanted) > 1e-3) video.currentTime = wanted;
  }

  /** Resolves when the picture of the time that was asked for is there. */
  async settled(): Promise<void> {
    if (!this.open || !this.video.seeking) return;
    await new Promise((done) => {
      for (const event of ["seeked", "error"]) this.video.addEventListener(event, done, { once: true });
    });
  }
}
