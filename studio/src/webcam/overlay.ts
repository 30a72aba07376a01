/** What was read, drawn over the picture that it was read from. */

import { colourOf, isSeen, type Answer, type Figure, type Flat, type Pairs, type Person } from "./answer";

export interface Shown {
  answer: Answer;
  picture: ImageBitmap;
  /** Of the picture that was read. */
  width: number;
  height: number;
}

interface Place {
  x(v: number): number;
  y(v: number): number;
  scale: number;
  flip: number;
}

/** The canvas at the size that it is shown with, cleared; null: it is not shown. */
export function fresh(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const { clientWidth, clientHeight } = canvas;
  if (!clientWidth || !clientHeight) return null;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  return context;
}

export function draw(
  canvas: HTMLCanvasElement, figure: Figure, shown: Shown | null, look: { mirrored: boolean; mesh: boolean },
): void {
  const c = fresh(canvas);
  if (!c || !shown) return;
  const { clientWidth: wide, clientHeight: high } = canvas;
  const scale = Math.min(wide / shown.width, high / shown.height);
  const left = (wide - shown.width * scale) / 2;
  const top = (high - shown.height * scale) / 2;
  const place: Place = {
    x: (v) => (look.mirrored ? wide - left - v * scale : left + v * scale),
    y: (v) => top + v * scale,
    scale,
    flip: look.mirrored ? -1 : 1,
  };
  c.save();
  if (look.mirrored) c.transform(-1, 0, 0, 1, wide, 0);
  c.drawImage(shown.picture, left, top, shown.width * scale, shown.height * scale);
  c.restore();
  c.lineCap = "round";
  for (const person of shown.answer.people.filter(isSeen)) drawPerson(c, figure, person, place, look.mesh);
}

function drawPerson(c: CanvasRenderingContext2D, figure: Figure, person: Person, at: Place, mesh: boolean): void {
  const colour = colourOf(person.name);
  const lines = (flat: Flat, pairs: Pairs, width: number, alpha: number) => {
    c.globalAlpha = alpha;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.beginPath();
    for (const [a, b] of pairs) {
      if (flat[2 * a] == null || flat[2 * b] == null) continue;
      c.moveTo(at.x(flat[2 * a]!), at.y(flat[2 * a + 1]!));
      c.lineTo(at.x(flat[2 * b]!), at.y(flat[2 * b + 1]!));
    }
    c.stroke();
    c.globalAlpha = 1;
  };
  if (person.pose.length) lines(person.pose, figure.pairs.pose, 3, 0.8);
  for (const hand of person.hands) {
    lines(hand, figure.pairs.hand, 2.5, 0.9);
    c.fillStyle = "#fff";
    for (let i = 0; i < hand.length; i += 2) {
      if (hand[i] != null) dot(c, at.x(hand[i]!), at.y(hand[i + 1]!), 2.4);
    }
  }
  if (person.face.length) {
    if (mesh) {
      c.fillStyle = "rgb(255 255 255 / 45%)";
      for (let i = 0; i < 2 * figure.mesh; i += 2) {
        c.fillRect(at.x(person.face[i]!) - 0.7, at.y(person.face[i + 1]!) - 0.7, 1.4, 1.4);
      }
    }
    lines(person.face, figure.pairs.oval, 1.2, 0.6);
    for (const part of ["brows", "lids", "lips"] as const) lines(person.face, figure.pairs[part], 1.6, 0.95);
    for (const [middle, rim] of figure.irises) drawEye(c, person, middle, rim, at);
  }
  if (person.box.length) drawBox(c, person, colour, at);
}

function drawEye(c: CanvasRenderingContext2D, person: Person, middle: number, rim: number[], at: Place): void {
  const { face } = person;
  if (face[2 * middle] == null) return;
  const [mx, my] = [face[2 * middle]!, face[2 * middle + 1]!];
  const radius = rim.reduce((sum, k) => sum + Math.hypot(face[2 * k]! - mx, face[2 * k + 1]! - my), 0) / rim.length;
  c.strokeStyle = "#fff";
  c.lineWidth = 1.4;
  c.beginPath();
  c.arc(at.x(mx), at.y(my), radius * at.scale, 0, 7);
  c.stroke();
  if (!person.gaze || !person.box.length) return;
  const yaw = (person.gaze.yaw * Math.PI) / 180;
  const pitch = (person.gaze.pitch * Math.PI) / 180;
  const far = (person.box[2]! - person.box[0]!) * at.scale;
  c.lineWidth = 2;
  c.beginPath();
  c.moveTo(at.x(mx), at.y(my));
  c.lineTo(at.x(mx) + at.flip * far * Math.sin(yaw) * Math.cos(pitch), at.y(my) - far * Math.sin(pitch));
  c.stroke();
}

function drawBox(c: CanvasRenderingContext2D, person: Person, colour: string, at: Place): void {
  const [a, b, d, e] = person.box as [number, number, number, number];
  const x = Math.min(at.x(a), at.x(d));
  const y = at.y(b);
  const text = `${person.name}${person.expression ? `  ${person.expression}` : ""}`;
  c.strokeStyle = c.fillStyle = colour;
  c.lineWidth = 2;
  c.strokeRect(x, y, (d - a) * at.scale, (e - b) * at.scale);
  c.font = "600 14px system-ui, sans-serif";
  c.fillRect(x - 1, Math.max(0, y - 24), c.measureText(text).width + 14, 22);
  c.fillStyle = "#0d1119";
  c.fillText(text, x + 6, Math.max(0, y - 24) + 16);
}

function dot(c: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  c.fill();
}
