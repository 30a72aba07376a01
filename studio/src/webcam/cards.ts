/** A card for each person: what they express and why, what they have just done, units, curves. All text is set as text. */

import { colourOf, isSeen, type Answer, type Person } from "./answer";
import { fresh } from "./overlay";
import { wording } from "./ticker";

const SECONDS = 5;
/** Seconds that an event stays on its card, and that a person does who has gone. */
const STAYS = 2.5;
const GOES = 2;

interface Card {
  root: HTMLElement;
  label: HTMLElement;
  sure: HTMLElement;
  chips: HTMLElement;
  why: HTMLElement;
  units: HTMLElement;
  plot: HTMLCanvasElement;
  events: Map<string, number>;
  past: [number, [string, number][]][];
  seen: number;
}

export class Cards {
  private readonly cards = new Map<string, Card>();

  /** `chosen` is told when a card is clicked. */
  constructor(private readonly root: HTMLElement, private readonly chosen: (name: string) => void) {}

  clear(): void {
    this.cards.clear();
    this.root.replaceChildren();
  }

  update(answer: Answer, focus: string | null): void {
    for (const person of answer.people.filter(isSeen)) this.show(person, answer.time);
    for (const [name, card] of this.cards) {
      card.root.classList.toggle("focus", name === focus && this.cards.size > 1);
      card.root.classList.toggle("away", answer.time - card.seen > 0.3);
      if (answer.time - card.seen <= GOES) continue;
      card.root.remove();
      this.cards.delete(name);
    }
  }

  private show(person: Person, time: number): void {
    const card = this.cards.get(person.name) ?? this.make(person.name);
    card.seen = time;
    const known = person.expression !== null && person.expression !== "unknown";
    card.label.textContent = person.expression ?? "…";
    card.label.classList.toggle("quiet", !known);
    card.sure.textContent = !known || person.confidence === null ? "" : `${Math.round(100 * person.confidence)} % sure`;
    reasons(card.why, known ? person.reasons : null);
    for (const [tier, label] of person.events) card.events.set(wording(tier, label), time);
    for (const [event, at] of card.events) if (time - at > STAYS) card.events.delete(event);
    card.chips.replaceChildren(
      ...[...card.events].map(([event, at]) => {
        const chip = document.createElement("span");
        chip.textContent = event;
        if (event === "unknown") chip.className = "quiet";
        chip.style.opacity = String(1 - 0.8 * ((time - at) / STAYS) ** 2);
        return chip;
      }),
    );
    card.units.replaceChildren(
      ...person.units.map(([unit, name, value]) => {
        const row = document.createElement("div");
        row.className = "row";
        append("b", row).textContent = unit;
        append("span", row).textContent = name;
        append("i", append("div", row)).style.width = `${Math.round(100 * value)}%`;
        return row;
      }),
    );
    card.past = [...card.past.filter(([t]) => time - t < SECONDS), [time, person.curves]];
    card.plot.hidden = !person.curves.length;
    curves(card);
  }

  private make(name: string): Card {
    const root = append("section", this.root, "person");
    root.style.setProperty("--own", colourOf(name));
    root.addEventListener("click", () => this.chosen(name));
    append("h2", root).textContent = name;
    const felt = append("div", root, "felt");
    const card: Card = {
      root, label: append("span", felt), sure: append("small", felt), chips: append("div", root, "chips"),
      why: append("p", root), units: append("div", root, "units"), plot: append("canvas", root), events: new Map(), past: [], seen: 0,
    };
    this.cards.set(name, card);
    return card;
  }
}

function append<K extends keyof HTMLElementTagNameMap>(tag: K, parent: HTMLElement, name = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  parent.append(element);
  return element;
}

/** The reasons, their headings (between two pairs of asterisks) set bold. */
function reasons(where: HTMLElement, text: string | null): void {
  if (where.dataset["text"] === (text ?? "")) return;
  where.dataset["text"] = text ?? "";
  where.replaceChildren(
    ...(text ?? "").split("**").map((part, k) => {
      const piece = document.createElement(k % 2 ? "b" : "span");
      piece.textContent = part;
      return piece;
    }),
  );
}

function curves(card: Card): void {
  const c = fresh(card.plot);
  const [end, latest] = card.past.at(-1) ?? [0, []];
  if (!c || !latest.length) return;
  const { clientWidth: wide, clientHeight: high } = card.plot;
  const tall = high / latest.length;
  const style = getComputedStyle(card.root);
  c.font = "12px system-ui, sans-serif";
  latest.forEach(([label], k) => {
    c.fillStyle = style.getPropertyValue("--quiet");
    c.fillText(label, 0, (k + 0.5) * tall + 4);
    c.strokeStyle = style.getPropertyValue("--own");
    c.lineWidth = 1.6;
    c.beginPath();
    for (const [time, values] of card.past) {
      const value = values[k];
      if (value) c.lineTo(wide - ((end - time) / SECONDS) * (wide - 76), (k + 0.92 - 0.84 * value[1]) * tall);
    }
    c.stroke();
  });
}
