/** Which part of whom the camera shows. */

import { Box3, Vector3 } from "three";

export const VIEWS = ["full", "upper", "bust", "face"] as const;
export type View = (typeof VIEWS)[number];

export const isView = (name: string): name is View => (VIEWS as readonly string[]).includes(name);

/** Points of a body that framing needs, in the world, in the pose the file rests in. */
export interface Landmarks {
  box: Box3;
  hips: Vector3 | null;
  neck: Vector3 | null;
  head: Vector3 | null;
  eyes: Vector3 | null;
}

/** A camera pose: what is in the middle, how much must fit, and from which side in degrees. */
export interface Shot {
  target: Vector3;
  halfHeight: number;
  halfWidth: number;
  /** How far the nearest part stands before the target. */
  depth: number;
  azimuth: number;
  elevation: number;
}

export function shot(view: View, marks: Landmarks, turn: { azimuth?: number; elevation?: number } = {}): Shot {
  const { box } = marks;
  const height = Math.max(1e-3, box.max.y - box.min.y);
  const middle = box.getCenter(new Vector3());
  const top = box.max.y;
  const human = marks.head !== null && marks.hips !== null;
  const x = marks.hips?.x ?? middle.x;
  const z = marks.hips?.z ?? middle.z;
  const neck = marks.neck?.y ?? box.min.y + height * 0.84;
  const hips = marks.hips?.y ?? box.min.y + height * 0.53;
  const headHeight = Math.max(height * 0.06, top - (marks.head?.y ?? box.min.y + height * 0.88));
  const span = (low: number, high: number, halfWidth: number, elevation: number, at = { x, z }): Shot => ({
    target: new Vector3(at.x, (low + high) / 2, at.z),
    halfHeight: (high - low) / 2,
    halfWidth,
    depth: headHeight * 0.5,
    azimuth: turn.azimuth ?? 0,
    elevation: turn.elevation ?? elevation,
  });
  if (!human) {
    // Nobody we know the parts of: show it whole, or the upper part of it.
    const wide = (box.max.x - box.min.x) / 2 * 1.08;
    const low = { full: 0, upper: 0.35, bust: 0.6, face: 0.75 }[view];
    return span(box.min.y + height * low - height * 0.06, top + height * 0.06, wide * (1 - low), 4, middle);
  }
  const head = { x: marks.head!.x, z: marks.head!.z };
  switch (view) {
    case "full":
      return span(box.min.y - height * 0.05, top + height * 0.07, height * 0.36, 3);
    case "upper":
      return span(hips - height * 0.06, top + height * 0.06, height * 0.33, 1.5);
    case "bust":
      return span(neck - height * 0.15, top + height * 0.04, Math.max(height * 0.17, headHeight * 0.7), 0.5);
    case "face": {
      // Without eyes to go by, or with a head as large as a toy's, the whole head is the face.
      if (!marks.eyes || headHeight > height * 0.2) {
        return span(top - headHeight * 1.15, top + headHeight * 0.12, headHeight * 0.8, 0, head);
      }
      const eyes = marks.eyes.y;
      return span(eyes - headHeight * 0.78, eyes + headHeight * 0.62, headHeight * 0.6, 0, head);
    }
  }
}
