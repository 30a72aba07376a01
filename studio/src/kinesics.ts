/** What Kinesics adds to a GLB, under the top-level `extras.kinesics`: sound, tiers, duration. */

import type { GltfJson } from "./glb";
import { planTiers } from "./plan";

export interface Interval {
  start: number;
  end: number;
  label: string;
  value: number | null;
  confidence: number;
}

export interface Tier {
  name: string;
  intervals: Interval[];
}

export interface Extras {
  /** Written by Kinesics at all? */
  ours: boolean;
  duration: number | null;
  audio: { bufferView: number; mimeType: string } | null;
  tiers: Tier[];
  /** Made by a machine, as the file itself says. */
  synthetic: boolean;
  /** What was there but could not be read. */
  faults: string[];
}

// A file is not trusted to be small: beyond these the page would stall, so the rest is left out and said.
const MAX_TIERS = 64;
const MAX_INTERVALS = 200_000;
const MAX_LABEL = 400;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const finite = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

export function readExtras(json: GltfJson): Extras {
  const found = json.extras?.["kinesics"] ?? json.asset?.extras?.["kinesics"];
  const result: Extras = { ours: isRecord(found), duration: null, audio: null, tiers: [], synthetic: false, faults: [] };
  if (!isRecord(found)) return result;
  if (finite(found["version"]) && found["version"] > 1) {
    result.faults.push("The file was written by a newer Kinesics; parts may be missing here.");
  }
  if (finite(found["duration"]) && found["duration"] > 0) result.duration = found["duration"];
  const audio = found["audio"];
  if (isRecord(audio)) {
    if (Number.isInteger(audio["bufferView"]) && (audio["bufferView"] as number) < (json.bufferViews?.length ?? 0)) {
      result.audio = { bufferView: audio["bufferView"] as number, mimeType: String(audio["mimeType"] ?? "audio/wav") };
    } else {
      result.faults.push("The sound's place in the file is wrong.");
    }
  }
  result.synthetic = found["synthetic"] === true;
  readTiers(found["tiers"], result);
  result.tiers.push(...planTiers(found["plan"], result.tiers, result.duration));
  result.tiers.sort((a, b) => placeOf(a.name) - placeOf(b.name));
  return result;
}

/** From what is said to what is done; tiers of other names come last, in the file's order. */
const ORDER = [
  /^word/, /^phone/, /^syllable/, /^viseme/, /^pause/, /^phrase/, /^gesture plan/, /^gesture/, /^head/, /^gaze/, /^blink/,
  /^(express|emotion|face)/, /^posture/, /^breath/,
];

function placeOf(name: string): number {
  const place = ORDER.findIndex((pattern) => pattern.test(name.toLowerCase()));
  return place < 0 ? ORDER.length : place;
}

function readTiers(raw: unknown, result: Extras): void {
  if (raw === undefined || raw === null) return;
  if (!Array.isArray(raw)) {
    result.faults.push("The tiers could not be read.");
    return;
  }
  if (raw.length > MAX_TIERS) result.faults.push(`Only the first ${MAX_TIERS} of ${raw.length} tiers are shown.`);
  let left = MAX_INTERVALS;
  let bad = 0;
  for (const item of raw.slice(0, MAX_TIERS)) {
    if (!isRecord(item)) {
      bad += 1;
      continue;
    }
    const list = Array.isArray(item["intervals"]) ? item["intervals"] : [];
    const intervals: Interval[] = [];
    for (const entry of list.slice(0, left)) {
      const interval = readInterval(entry);
      if (interval) intervals.push(interval);
      else bad += 1;
    }
    if (list.length > left) result.faults.push("Some tiers are too long to be shown whole.");
    left -= Math.min(left, list.length);
    intervals.sort((a, b) => a.start - b.start || a.end - b.end);
    result.tiers.push({ name: String(item["name"] ?? "tier").slice(0, 80), intervals });
  }
  if (bad > 0) result.faults.push(`${bad} tier ${bad === 1 ? "entry" : "entries"} could not be read.`);
}

/** Intervals are written short, `[start, end, label, value, confidence]`; objects are read too. */
function readInterval(entry: unknown): Interval | null {
  let parts: unknown[];
  if (Array.isArray(entry)) parts = entry;
  else if (isRecord(entry)) parts = [entry["start"], entry["end"], entry["label"], entry["value"], entry["confidence"]];
  else return null;
  const [start, end, label, value, confidence] = parts;
  if (!finite(start) || !finite(end) || end < start) return null;
  return {
    start,
    end,
    label: label === null || label === undefined ? "" : String(label).slice(0, MAX_LABEL),
    value: finite(value) ? value : null,
    confidence: finite(confidence) ? Math.min(1, Math.max(0, confidence)) : 1,
  };
}
