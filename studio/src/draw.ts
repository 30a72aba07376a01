/** Drawing of the ruler and the tiers. */

import { hueOf, isPause, weightOf } from "./colours";
import { firstAfter, FOLDED, LANE, type Row } from "./rows";

export interface Look {
  from: number;
  span: number;
  duration: number;
  dark: boolean;
  font: string;
}

interface Extra {
  peaks: Float32Array | null;
  soundLength: number;
  hovered: { row: Row; index: number } | null;
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

export function drawRuler(context: CanvasRenderingContext2D, look: Look): void {
  const { width, height } = sizeOf(context);
  context.clearRect(0, 0, width, height);
  const step = stepOf(look, width);
  context.font = `500 10.5px ${look.font}`;
  context.textBaseline = "middle";
  for (let k = Math.floor(look.from / step); k * step <= look.from + look.span; k += 1) {
    const time = k * step;
    const x = ((time - look.from) / look.span) * width;
    context.fillStyle = look.dark ? "rgba(255,255,255,.22)" : "rgba(20,24,36,.25)";
    context.fillRect(Math.round(x), height - 5, 1, 5);
    context.fillStyle = look.dark ? "rgba(225,230,242,.62)" : "rgba(40,46,62,.72)";
    context.fillText(tick(time, step), x + 4, height / 2);
  }
}

export function drawRows(context: CanvasRenderingContext2D, look: Look, rows: Row[], extra: Extra): void {
  const { width, height } = sizeOf(context);
  context.clearRect(0, 0, width, height);
  const step = stepOf(look, width);
  context.fillStyle = look.dark ? "rgba(255,255,255,.045)" : "rgba(20,24,36,.06)";
  for (let k = Math.ceil(look.from / step); k * step <= look.from + look.span; k += 1) {
    context.fillRect(Math.round(((k * step - look.from) / look.span) * width), 0, 1, height);
  }
  for (const row of rows) {
    context.fillStyle = look.dark ? "rgba(255,255,255,.03)" : "rgba(20,24,36,.035)";
    box(context, 0, row.top, width, row.height, 5);
    context.fill();
    if (row.wave) drawWave(context, look, row, extra);
    else drawRow(context, look, row, extra, width);
  }
}

function drawWave(context: CanvasRenderingContext2D, look: Look, row: Row, extra: Extra): void {
  const { width } = sizeOf(context);
  const { peaks, soundLength } = extra;
  if (!peaks || soundLength <= 0) return;
  const middle = row.top + row.height / 2;
  context.fillStyle = look.dark ? "hsl(214 70% 72% / .75)" : "hsl(216 62% 48% / .7)";
  const each = soundLength / peaks.length;
  let top = 0.05;
  for (const peak of peaks) if (peak > top) top = peak;
  for (let x = 0; x < width; x += 2) {
    const low = Math.floor((look.from + (x / width) * look.span) / each);
    const high = Math.max(low + 1, Math.ceil((look.from + ((x + 2) / width) * look.span) / each));
    let size = 0;
    for (let i = Math.max(0, low); i < Math.min(peaks.length, high); i += 1) if (peaks[i]! > size) size = peaks[i]!;
    const half = Math.max(0.5, Math.sqrt(size / top) * (row.height / 2 - 2) * Math.min(1, size / top + 0.35));
    if (low < peaks.length) context.fillRect(x, middle - half, 1.4, half * 2);
  }
}

function drawRow(context: CanvasRenderingContext2D, look: Look, row: Row, extra: Extra, width: number): void {
  const hue = hueOf(row.name);
  const quiet = isPause(row.name);
  context.font = `500 11.5px ${look.font}`;
  context.textBaseline = "middle";
  const end = look.from + look.span;
  let lastRight = -1;
  if (/^(phone|viseme)/.test(row.name)) context.font = `500 10.5px ${look.font}`;
  for (let i = firstAfter(row.intervals, look.from); i < row.intervals.length; i += 1) {
    const interval = row.intervals[i]!;
    if (interval.start > end) break;
    const left = ((interval.start - look.from) / look.span) * width;
    const right = ((interval.end - look.from) / look.span) * width;
    // Thousands of intervals in one pixel need to be drawn once.
    if (right < lastRight && right - left < 0.5 && row.laneCount === 1) continue;
    lastRight = right;
    const wide = Math.max(2, right - left - 1.5);
    const top = row.top + (row.folded ? 1 : row.lanes[i]! * LANE + 1);
    const high = row.folded ? FOLDED - 2 : LANE - 2;
    const weight = weightOf(interval.label) * (0.45 + 0.55 * interval.confidence);
    const hover = extra.hovered?.row === row && extra.hovered.index === i;
    context.fillStyle = fill(hue, quiet ? 0 : look.dark ? 58 : 70, weight, look.dark, hover);
    box(context, left, top, wide, high, Math.min(4, wide / 2));
    context.fill();
    if (hover) {
      context.strokeStyle = look.dark ? "rgba(255,255,255,.85)" : "rgba(20,24,36,.75)";
      context.lineWidth = 1.25;
      context.stroke();
    }
    if (row.folded || wide < 11 || interval.label === "") continue;
    write(context, interval.label, Math.max(0, left), Math.min(width, left + wide), top + high / 2, inkOf(weight, look.dark));
  }
}

function fill(hue: number, saturation: number, weight: number, dark: boolean, hover: boolean): string {
  const alpha = Math.min(1, 0.2 + 0.62 * weight + (hover ? 0.12 : 0));
  return dark
    ? `hsl(${hue} ${saturation}% ${hover ? 56 : 47}% / ${alpha})`
    : `hsl(${hue} ${saturation}% ${hover ? 66 : 72}% / ${alpha})`;
}

const inkOf = (weight: number, dark: boolean): string =>
  dark ? `rgba(248,250,255,${0.72 + 0.26 * weight})` : `rgba(18,22,34,${0.7 + 0.25 * weight})`;

/** A label inside its interval, shortened to fit; left edge stays in sight when the interval begins before. */
function write(context: CanvasRenderingContext2D, label: string, left: number, right: number, y: number, ink: string): void {
  let text = label;
  let wide = context.measureText(text).width;
  context.fillStyle = ink;
  if (label.length <= 3 && wide <= right - left - 2) {
    context.fillText(text, (left + right - wide) / 2, y + 0.5);
    return;
  }
  const room = right - left - 8;
  if (room < 5) return;
  if (wide > room) {
    const keep = Math.floor((room / wide) * text.length) - 1;
    // A stump of a word says less than nothing, except for the short signs of phones.
    if (keep < 2) return;
    text = `${text.slice(0, keep)}…`;
    wide = context.measureText(text).width;
    if (wide > room + 3) return;
  }
  context.fillText(text, left + 4 + Math.max(0, Math.min(6, (room - wide) / 2)), y + 0.5);
}

function stepOf(look: Look, width: number): number {
  return STEPS.find((step) => (step / look.span) * width >= 68) ?? 1800;
}

function tick(time: number, step: number): string {
  const minutes = Math.floor((time + 1e-9) / 60);
  const seconds = time - minutes * 60;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  if (minutes === 0) return `${seconds.toFixed(digits)} s`;
  return `${minutes}:${seconds.toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, "0")}`;
}

function sizeOf(context: CanvasRenderingContext2D): { width: number; height: number } {
  const scale = context.getTransform().a || 1;
  return { width: context.canvas.width / scale, height: context.canvas.height / scale };
}

function box(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
}
