/** The sound of a performance, and the clock it gives: what is heard is the time. */

import { stretch } from "./stretch";

export class Sound {
  private context: AudioContext | null = null;
  private gain: GainNode | null = null;
  private node: AudioBufferSourceNode | null = null;
  private startedAt = 0;
  private offset = 0;
  private rate = 1;
  private stretched: { rate: number; buffer: AudioBuffer } | null = null;
  private loud = true;
  private turn = 0;

  private constructor(readonly buffer: AudioBuffer) {}

  /** Decode WAV, Ogg, MP3…: whatever the browser knows. Needs no click, as nothing is played yet. */
  static async decode(bytes: ArrayBuffer): Promise<Sound> {
    const context = new OfflineAudioContext(1, 1, 48_000);
    return new Sound(await context.decodeAudioData(bytes.slice(0)));
  }

  get duration(): number {
    return this.buffer.duration;
  }

  /** Start at a place; resolves to false when the browser does not let the page sound. */
  async start(at: number, rate: number): Promise<boolean> {
    this.stop();
    const turn = this.turn;
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    if (!this.gain) {
      this.gain = this.context.createGain();
      this.gain.gain.value = this.loud ? 1 : 0;
      this.gain.connect(this.context.destination);
    }
    if (this.context.state !== "running") {
      // Where sound is not allowed yet, resume() stays pending for ever.
      await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 400))]);
    }
    // Stopped or started anew while the browser was asked.
    if (turn !== this.turn || (this.context.state as string) !== "running") return false;
    this.offset = at;
    this.rate = rate;
    this.startedAt = this.context.currentTime + 0.02;
    if (at < this.duration) {
      const node = this.context.createBufferSource();
      node.buffer = this.at(rate);
      node.connect(this.gain);
      node.start(this.startedAt, at / rate);
      this.node = node;
    }
    return true;
  }

  stop(): void {
    this.turn += 1;
    this.node?.stop();
    this.node?.disconnect();
    this.node = null;
  }

  setLoud(loud: boolean): void {
    this.loud = loud;
    if (this.gain && this.context) this.gain.gain.setTargetAtTime(loud ? 1 : 0, this.context.currentTime, 0.01);
  }

  /** Seconds into the performance that are leaving the loudspeaker now. */
  position(): number {
    if (!this.context) return this.offset;
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    const heard = this.context.currentTime - latency - this.startedAt;
    return this.offset + Math.max(0, heard) * this.rate;
  }

  /** Loudest sample of each of `count` equal parts, for drawing. */
  peaks(count: number): Float32Array {
    const peaks = new Float32Array(count);
    const data = this.buffer.getChannelData(0);
    const step = data.length / count;
    for (let i = 0; i < count; i += 1) {
      let top = 0;
      const end = Math.min(data.length, Math.ceil((i + 1) * step));
      for (let j = Math.floor(i * step); j < end; j += 1) {
        const size = Math.abs(data[j]!);
        if (size > top) top = size;
      }
      peaks[i] = top;
    }
    return peaks;
  }

  /** The samples at another speed but the same pitch. */
  private at(rate: number): AudioBuffer {
    if (rate === 1) return this.buffer;
    if (this.stretched?.rate !== rate) {
      const channels: Float32Array<ArrayBuffer>[] = [];
      for (let c = 0; c < this.buffer.numberOfChannels; c += 1) channels.push(this.buffer.getChannelData(c));
      const slow = stretch(channels, rate, this.buffer.sampleRate);
      const buffer = new AudioBuffer({
        length: slow[0]!.length,
        numberOfChannels: slow.length,
        sampleRate: this.buffer.sampleRate,
      });
      slow.forEach((samples, c) => buffer.copyToChannel(samples, c));
      this.stretched = { rate, buffer };
    }
    return this.stretched.buffer;
  }
}
