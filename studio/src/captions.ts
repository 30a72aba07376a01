/** Words as they are said, a line at a time, with the present word marked. */

import type { Interval, Tier } from "./kinesics";

const LONG_PAUSE = 0.4;
const LONGEST_LINE = 46;
const LINGER = 0.7;

export class Captions {
  private lines: Interval[][] = [];
  private line = -2;
  private spans: HTMLSpanElement[] = [];
  shown = true;

  constructor(private readonly element: HTMLElement) {}

  open(tiers: Tier[]): void {
    const words = tiers.find((tier) => tier.name.toLowerCase() === "words")?.intervals ?? [];
    const phrases = tiers.find((tier) => tier.name.toLowerCase() === "phrases")?.intervals ?? [];
    this.lines = breakLines(words.filter((word) => word.label.trim() !== ""), phrases.map((phrase) => phrase.start));
    this.line = -2;
    this.update(0);
  }

  get any(): boolean {
    return this.lines.length > 0;
  }

  update(time: number): void {
    const line = this.shown ? this.lineAt(time) : -1;
    if (line !== this.line) {
      this.line = line;
      this.spans = (this.lines[line] ?? []).map((word) => {
        const span = document.createElement("span");
        span.textContent = word.label;
        return span;
      });
      this.element.replaceChildren(...this.spans.flatMap((span, i) => (i === 0 ? [span] : [" ", span])));
      this.element.hidden = line < 0;
    }
    if (line < 0) return;
    this.lines[line]!.forEach((word, i) => {
      this.spans[i]!.className = time >= word.end ? "said" : time >= word.start ? "now" : "";
    });
  }

  private lineAt(time: number): number {
    for (let i = this.lines.length - 1; i >= 0; i -= 1) {
      const line = this.lines[i]!;
      if (time >= line[0]!.start - 0.15) return time < line[line.length - 1]!.end + LINGER ? i : -1;
    }
    return -1;
  }
}

/** Break where a phrase begins, where the speaker pauses, after a full stop, or where a line is full. */
export function breakLines(words: Interval[], phraseStarts: number[] = []): Interval[][] {
  const lines: Interval[][] = [];
  let line: Interval[] = [];
  let length = 0;
  for (const word of words) {
    const last = line[line.length - 1];
    const phrase = last && phraseStarts.some((start) => start > last.start + 0.02 && start <= word.start + 0.02);
    if (last && (phrase || word.start - last.end > LONG_PAUSE || length + word.label.length > LONGEST_LINE || /[.!?]$/.test(last.label))) {
      lines.push(line);
      line = [];
      length = 0;
    }
    line.push(word);
    length += word.label.length + 1;
  }
  if (line.length > 0) lines.push(line);
  return lines;
}
