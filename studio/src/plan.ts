/** Tiers out of the plan (BML behaviours and what became of them) that travels with a performance. */

import type { Interval, Tier } from "./kinesics";

/** Behaviour kinds, by the tier they are shown on. */
const TIERS: [string, string[]][] = [
  ["gesture plan", ["gesture", "pointing"]],
  ["head", ["head", "headDirectionShift"]],
  ["gaze", ["gaze", "gazeShift"]],
  ["blinks", ["blink"]],
  ["expressions", ["face", "faceLexeme", "faceFacs"]],
  ["posture", ["posture", "postureShift", "locomotion"]],
];

const MOST_BEHAVIOURS = 50_000;

interface Behaviour {
  id: string;
  kind: string;
  sync: Record<string, unknown>;
  attributes: Record<string, unknown>;
}

type Times = Record<string, unknown>;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, MOST_BEHAVIOURS) : []);

const finite = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** Tiers of the behaviours of a plan; kinds of which the file already has a tier are left to that. */
export function planTiers(plan: unknown, present: Tier[], duration: number | null): Tier[] {
  const behaviours = new Map<string, Behaviour>();
  for (const item of list(record(plan)["behaviours"])) {
    const { id, kind, sync, attributes } = record(item);
    const made = { id: String(id ?? ""), kind: String(kind ?? ""), sync: record(sync), attributes: record(attributes) };
    behaviours.set(made.id, made);
  }
  const done = new Map<string, { status: string; times: Times }>();
  for (const item of list(record(plan)["feedback"])) {
    const { id, status, times } = record(item);
    done.set(String(id ?? ""), { status: String(status ?? ""), times: record(times) });
  }
  const names = new Set(present.map((tier) => tier.name.toLowerCase()));
  const tiers: Tier[] = [];
  for (const [name, kinds] of TIERS) {
    if (names.has(name)) continue;
    const intervals: Interval[] = [];
    for (const behaviour of behaviours.values()) {
      const fate = done.get(behaviour.id);
      if (!kinds.includes(behaviour.kind) || fate?.status === "dropped" || fate?.status === "unknown") continue;
      const interval = intervalOf(behaviour, fate?.times ?? {}, behaviours, duration);
      if (interval) intervals.push(interval);
    }
    intervals.sort((a, b) => a.start - b.start || a.end - b.end);
    if (intervals.length > 0) tiers.push({ name, intervals });
  }
  return tiers;
}

/** Kinds that last until something else comes when they name no end. */
const LASTING = new Set(["face", "faceLexeme", "faceFacs", "postureShift"]);

function intervalOf(
  behaviour: Behaviour,
  times: Times,
  all: Map<string, Behaviour>,
  duration: number | null,
): Interval | null {
  // What was realised counts before what was asked for.
  const moments = new Map<string, number>();
  for (const point of Object.keys(behaviour.sync)) {
    const moment = resolve(behaviour.sync[point], all, 8);
    if (moment !== null) moments.set(point, moment);
  }
  for (const [point, time] of Object.entries(times)) if (finite(time)) moments.set(point, time);
  if (moments.size === 0) return null;
  const values = [...moments.values()];
  const start = moments.get("start") ?? Math.min(...values);
  const open = LASTING.has(behaviour.kind) && duration !== null;
  const end = moments.get("end") ?? (open ? Math.max(duration, start) : Math.max(...values));
  if (end < start) return null;
  const { lexeme, target, amount } = behaviour.attributes;
  const size = Number(amount);
  return {
    start,
    end,
    label: String(lexeme ?? target ?? behaviour.kind).slice(0, 400),
    value: amount !== undefined && Number.isFinite(size) ? size : null,
    confidence: 1,
  };
}

/** Seconds of a sync point `[offset, behaviour, point]`; another behaviour's point may be meant. */
function resolve(sync: unknown, all: Map<string, Behaviour>, depth: number): number | null {
  if (!Array.isArray(sync) || !finite(sync[0])) return null;
  if (sync[1] === null || sync[1] === undefined) return sync[0];
  const other = all.get(String(sync[1]));
  if (!other || depth === 0) return null;
  const base = resolve(other.sync[String(sync[2])], all, depth - 1);
  return base === null ? null : base + sync[0];
}
