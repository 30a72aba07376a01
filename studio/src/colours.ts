/** Colours of tiers, the same in light and dark except for lightness. */

const HUES: [RegExp, number][] = [
  [/^word/, 216], [/^phone/, 188], [/^(syllable|viseme)/, 202], [/^(phrase|sentence|utterance)/, 232],
  [/^gestur/, 26], [/^(gaze|eye|look)/, 266], [/^blink/, 326], [/^(head|nod)/, 148], [/^(express|emotion|face|affect)/, 44],
  [/^(posture|torso|body|shift)/, 96], [/^breath/, 172], [/^(brow)/, 64], [/^(speech|speaker|turn)/, 208],
];

export function hueOf(tier: string): number {
  const name = tier.toLowerCase();
  for (const [pattern, hue] of HUES) if (pattern.test(name)) return hue;
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) % 360;
  return sum;
}

export const isPause = (tier: string): boolean => /^(pause|silence)/.test(tier.toLowerCase());

/** How strongly an interval is filled: of a gesture's phases the stroke stands out, holds and ways there recede. */
export function weightOf(label: string): number {
  const text = label.toLowerCase();
  if (/retract|relax|recover|rest/.test(text)) return 0.3;
  if (/prep/.test(text)) return 0.45;
  if (/hold/.test(text)) return 0.6;
  return 1;
}
