/** The last twenty seconds of a person: a row for each kind of event, running from right to left. */

import { hueOf, weightOf } from "../colours";
import type { Person, Told } from "./answer";
import { fresh } from "./overlay";

export const SECONDS = 20;
const NAMES = 92; // pixels
const UNKNOWN = /^unknown\b/;

const FACE: Record<string, string> = {
  smile: "smile", frown: "frown", brow_raise: "brows up", brow_lower: "brows down", nose_wrinkle: "nose wrinkle",
  lip_press: "lip press", cheek_puff: "cheek puff", tongue_out: "tongue out",
};

/** Row of an event, in the order that they are drawn in. */
const ROWS: [string, (tier: string, label: string) => boolean][] = [
  ["expression", (tier) => tier === "expression"],
  ["face", (tier) => tier in FACE],
  ["blinks", (tier) => tier === "blinks"],
  ["head", (tier) => tier === "head_events"],
  ["right hand", (tier, label) => tier === "gestures" && label.endsWith("R")],
  ["left hand", (tier, label) => tier === "gestures" && label.endsWith("L")],
  ["touch", (tier) => tier === "self_touch"],
];

const OF_FACES = 4;

/** What an event is called on the page. */
export function wording(tier: string, label: string): string {
  if (UNKNOWN.test(label)) return "unknown";
  // Rows of gestures are named by the hand.
  if (tier === "gestures") return label.replace(/ [RL]$/, "");
  return (FACE[tier] ?? label).replace(/ R$/, " right").replace(/ L$/, " left");
}

export class Ticker {
  private readonly past = new Map<string, Told[]>();
  /** Whether bodies are followed: else there are no rows of hands. */
  private bodies = false;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  clear(): void {
    this.past.clear();
    this.bodies = false;
  }

  /** Take what became certain, and the expression as it is now. */
  add(person: Person, time: number): void {
    this.bodies ||= person.pose.length > 0;
    const past = (this.past.get(person.name) ?? []).filter((told) => time - told[3] < SECONDS);
    past.push(...person.events);
    if (person.expression !== null) {
      const last = past.findLast((told) => told[0] === "expression");
      if (last && last[1] === person.expression && time - last[3] < 1) {
        last[3] = time;
        last[4] = person.confidence ?? 0;
      } else {
        past.push(["expression", person.expression, time, time, person.confidence ?? 0]);
      }
    }
    this.past.set(person.name, past);
  }

  draw(name: string | null, now: number, dark: boolean): void {
    const c = fresh(this.canvas);
    if (!c) return;
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    const rows = this.bodies ? ROWS : ROWS.slice(0, OF_FACES);
    const tall = Math.min(36, (high - 18) / rows.length);
    const foot = rows.length * tall;
    const x = (time: number) => NAMES + (1 - (now - time) / SECONDS) * (wide - NAMES);
    const ink = (alpha: number) => (dark ? `rgb(225 230 242 / ${alpha})` : `rgb(32 38 54 / ${alpha})`);
    c.font = "500 12px system-ui, sans-serif";
    c.textBaseline = "middle";
    rows.forEach(([row], k) => {
      c.fillStyle = ink(0.05);
      c.fillRect(NAMES, k * tall + 1.5, wide - NAMES, tall - 3);
      c.fillStyle = ink(0.68);
      c.fillText(row, 0, (k + 0.5) * tall);
    });
    c.font = "500 11px system-ui, sans-serif";
    for (let back = 0; back <= SECONDS; back += 5) {
      c.textAlign = back === 0 ? "right" : "left";
      c.fillStyle = ink(0.5);
      c.fillText(back === 0 ? "now" : `−${back} s`, back === 0 ? wide : x(now - back), foot + 10);
      c.fillStyle = ink(0.1);
      c.fillRect(x(now - back), 0, 1, foot);
    }
    c.textAlign = "left";
    const past = name === null ? [] : (this.past.get(name) ?? []);
    rows.forEach(([, isOf], k) => {
      const own = past.filter((told) => isOf(told[0], told[1])).sort((a, b) => a[2] - b[2]);
      own.forEach((told, i) => {
        const [from, to] = [Math.max(NAMES, x(told[2])), Math.max(NAMES, x(told[3]))];
        const until = i + 1 < own.length ? x(own[i + 1]![2]) : wide;
        if (to > NAMES) bar(c, told, { from, to, until, top: k * tall + 2.5, tall: tall - 5, dark });
      });
    });
  }
}

interface Bar {
  from: number;
  to: number;
  /** Where the next one begins: a label may go on until there. */
  until: number;
  top: number;
  tall: number;
  dark: boolean;
}

function bar(c: CanvasRenderingContext2D, told: Told, at: Bar): void {
  const [tier, label] = told;
  const unknown = UNKNOWN.test(label);
  const width = Math.max(4, at.to - at.from);
  const calm = label === "neutral";
  const hue = calm ? 214 : hueOf(tier === "expression" ? label : tier in FACE ? FACE[tier]! : tier);
  const strength = unknown ? 0.35 : tier === "gestures" ? 0.3 + 0.7 * weightOf(label) : 1;
  c.fillStyle = unknown ? `rgb(130 138 156 / ${strength})` : `hsl(${hue} ${at.dark ? calm ? "34% 64%" : "72% 66%" : calm ? "30% 56%" : "64% 52%"} / ${strength})`;
  c.beginPath();
  c.roundRect(at.from, at.top, width, at.tall, 3);
  c.fill();
  const text = wording(tier, label);
  const long = c.measureText(text).width;
  const inside = long + 8 <= width;
  if (!inside && at.from + width + long + 6 > at.until) return;
  const bright = !unknown && strength > 0.6;
  c.fillStyle = inside && bright ? "#0d1119" : at.dark ? "rgb(225 230 242 / .85)" : "rgb(32 38 54 / .85)";
  c.fillText(text, inside ? at.from + 5 : at.from + width + 4, at.top + at.tall / 2 + 0.5);
}
