/** How tiers lie under each other: rows, lanes where intervals overlap, heights. Pure. */

import type { Interval, Tier } from "./kinesics";

export const LANE = 20;
export const FOLDED = 11;
export const WAVE = 38;
const GAP = 4;
const MOST_LANES = 6;
/** More rows than these do not fit on a laptop's screen beside the avatar: what repeats others opens folded. */
const MANY_ROWS = 9;
const SECONDARY = /^(syllable|pause|speech span|silence)/;

export interface Row {
  name: string;
  intervals: Interval[];
  /** Lane of each interval. */
  lanes: Uint8Array;
  laneCount: number;
  wave: boolean;
  folded: boolean;
  top: number;
  height: number;
}

export function makeRows(tiers: Tier[], hasSound: boolean): Row[] {
  const rows: Row[] = tiers.map((tier) => {
    const { lanes, count } = lanesOf(tier.intervals);
    return { name: tier.name, intervals: tier.intervals, lanes, laneCount: count, wave: false, folded: false, top: 0, height: 0 };
  });
  if (hasSound) {
    rows.unshift({ name: "sound", intervals: [], lanes: new Uint8Array(), laneCount: 1, wave: true, folded: false, top: 0, height: 0 });
  }
  if (rows.length > MANY_ROWS) for (const row of rows) row.folded = SECONDARY.test(row.name.toLowerCase());
  place(rows);
  return rows;
}

/** Set tops and heights; returns the height of all. */
export function place(rows: Row[]): number {
  let top = 0;
  for (const row of rows) {
    row.top = top;
    row.height = row.folded ? FOLDED : row.wave ? WAVE : row.laneCount * LANE;
    top += row.height + GAP;
  }
  return top;
}

/** Give each interval the first lane that is free at its start. */
export function lanesOf(intervals: Interval[]): { lanes: Uint8Array; count: number } {
  const lanes = new Uint8Array(intervals.length);
  const free: number[] = [];
  intervals.forEach((interval, i) => {
    let lane = free.findIndex((end) => end <= interval.start + 1e-6);
    if (lane < 0) lane = Math.min(free.length, MOST_LANES - 1);
    free[lane] = Math.max(free[lane] ?? 0, interval.end);
    lanes[i] = lane;
  });
  return { lanes, count: Math.max(1, free.length) };
}

/** Index of the first interval that ends after a time; intervals are sorted by start. */
export function firstAfter(intervals: Interval[], time: number): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]!.start < time) low = middle + 1;
    else high = middle;
  }
  // Long intervals may begin before and still reach in.
  for (let i = low - 1, steps = 0; i >= 0 && steps < 64; i -= 1, steps += 1) if (intervals[i]!.end > time) low = i;
  return low;
}
