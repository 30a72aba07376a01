/** What tests, screenshots and later the studio use from outside: `window.kinesics`. */

export interface Info {
  name: string;
  kind: string;
  bytes: number;
  duration: number;
  time: number;
  playing: boolean;
  view: string;
  audio: { duration: number; channels: number; rate: number } | null;
  tiers: { name: string; intervals: number }[];
  animations: string[];
  morphs: number;
  height: number;
  lacks: string[];
  faults: string[];
}

export interface Api {
  /** Resolves when the performance stands on the stage; rejects with what went wrong. */
  ready: Promise<void>;
  readonly duration: number;
  /** Go to a time in seconds; resolves when its picture is on the screen. */
  seek(time: number): Promise<void>;
  play(): Promise<void>;
  pause(): void;
  /** Choose `full`, `upper`, `bust` or `face`, seen from a side in degrees. */
  view(name: string, turn?: { azimuth?: number; elevation?: number }): Promise<void>;
  info(): Info;
}

declare global {
  interface Window {
    kinesics: Api;
  }
}
