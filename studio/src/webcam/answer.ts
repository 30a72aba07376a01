/** What the program answers to a picture. See `kinesics.reading.live.told`. */

export type Pairs = [number, number][];
/** x, y, x, y …; null: not sure. */
export type Flat = (number | null)[];
/** Tier, label, start and end in seconds, confidence. */
export type Told = [string, string, number, number, number];

export interface Pose {
  /** Weights of morphs that are not 0. */
  face: Record<string, number>;
  /** Local rotations of joints: x, y, z, w. */
  joints: Record<string, [number, number, number, number]>;
}

export interface Person {
  name: string;
  /** Left, top, right, bottom; empty: no face is seen. */
  box: number[];
  face: Flat;
  pose: Flat;
  hands: Flat[];
  gaze: { yaw: number; pitch: number } | null;
  head: { pitch: number; yaw: number; roll: number } | null;
  expression: string | null;
  confidence: number | null;
  reasons: string | null;
  units: [string, string, number][];
  events: Told[];
  curves: [string, number][];
  mirror: Pose | null;
}

export interface Answer {
  time: number;
  took: number;
  people: Person[];
}

export interface Figure {
  pairs: Record<"oval" | "lids" | "lips" | "brows" | "nose" | "hand" | "pose", Pairs>;
  irises: [number, number[]][];
  mesh: number;
  pixels: number;
}

const COLOURS = ["#62d6c4", "#f7b862", "#b6a0fa", "#f692ac", "#8cc6ff", "#acde86"];

/** The colour of a person, always the same one. */
export function colourOf(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 1);
  return COLOURS[(number - 1 + COLOURS.length * 100) % COLOURS.length]!;
}

/** Is anything of them in the picture, or are these only the last events of somebody who has gone? */
export const isSeen = (person: Person): boolean => person.box.length > 0 || person.pose.length > 0;

/** Whom the avatar mirrors: who was, as long as they are seen; else who is nearest. */
export function nearest(people: Person[], before: string | null): Person | null {
  const seen = people.filter(isSeen);
  const size = (person: Person) => (person.box.length ? person.box[2]! - person.box[0]! : 0);
  return seen.find((p) => p.name === before) ?? seen.sort((a, b) => size(b) - size(a))[0] ?? null;
}
