"""The panel beside an annotated picture: a block for everybody, as full as there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinesics.reading._canvas import Canvas, Colour, letters_of
from kinesics.reading._figure import UNITS
from kinesics.reading._seen import SURE, Seen

PANEL_EMS = 21.0
"""Width of the panel in sizes of its letters."""

NIGHT: Colour = (15, 18, 25)
INK: Colour = (236, 240, 248)
_RAISED: Colour = (30, 35, 46)
_QUIET: Colour = (150, 160, 178)
_SECONDS = 4.0
_MOST_BLOCKS = 4


def draw_panel(
    canvas: Canvas, people: Sequence[Seen], time: float, colours: Sequence[Colour], *, left: float, em: float
) -> None:
    """Draw everybody's block from ``left`` to the picture's right edge.

    Parameters
    ----------
    canvas
        The picture.
    people
        Everybody; those who are seen now come first where there is not room for all.
    time
        Seconds.
    colours
        One for each person, in turn.
    left
        Pixel where the panel begins.
    em
        Pixels of its letters.
    """
    height, width = canvas.image.shape[:2]
    canvas.image[:, round(left) :] = NIGHT
    order = list(range(len(people)))
    if len(people) > _MOST_BLOCKS:
        order.sort(key=lambda k: people[k].box(time) is None)
    shown = sorted(order[:_MOST_BLOCKS])
    pad = 0.7 * em
    foot = 1.6 * em if len(people) > len(shown) else 0.4 * em
    tall = (height - foot - pad) / max(1, len(shown))
    for place, k in enumerate(shown):
        top = pad + place * tall
        edges = left + pad, top, width - pad, top + tall - 0.6 * em
        _block(canvas, people[k], k + 1, time, colours[k % len(colours)], edges, em)
    if len(people) > len(shown):
        canvas.words(f"and {len(people) - len(shown)} more", left + pad, height - 1.5 * em, 0.9 * em, _QUIET)


def _block(
    canvas: Canvas,
    person: Seen,
    number: int,
    time: float,
    colour: Colour,
    edges: tuple[float, float, float, float],
    em: float,
) -> None:
    left, top, right, bottom = edges
    small = 0.86 * em
    canvas.panel(*edges, _RAISED, radius=0.7 * em)
    canvas.panel(left, top + 0.8 * em, left + 0.22 * em, bottom - 0.8 * em, colour, radius=0.11 * em)
    x, end, y = left + 0.9 * em, right - 0.8 * em, top + 0.55 * em
    name = canvas.words(f"{number}", x, y, em, colour)
    canvas.words(person.name, x + name + 0.5 * em, y, em, INK, room=0.55 * (end - x))
    if (talk := person.label("speaking", time)) is not None and talk.label != "unknown":
        _chip(canvas, talk.label, end, y + 0.02 * em, small, colour, 1.0, from_right=True)
    y += 1.75 * em
    y = _expression(canvas, person, time, colour, x, end, y, em)
    if bottom - y > 1.6 * em:
        at = x
        for label, left_over in person.events(time):
            wide = letters_of(max(6, round(small))).width(label) + 1.2 * small
            if at + wide > end:
                break
            _chip(canvas, label, at, y, small, colour, left_over)
            at += wide + 0.4 * em
        y += 1.75 * em
    room = bottom - y - 0.3 * em
    plots = person.plots[: max(0, min(len(person.plots), 4, int(room / (1.9 * em)) - 2))]
    rows = max(0, min(6, int((room - 1.9 * em * len(plots)) / (1.5 * em))))
    for unit, value in person.units(time)[:rows]:
        _bar(canvas, unit, value, colour, x, end, y, em)
        y += 1.5 * em
    y = bottom - 1.9 * em * len(plots) - 0.2 * em
    for plot in plots:
        _curve(canvas, person, plot, time, colour, x, end, y, em)
        y += 1.9 * em


def _expression(
    canvas: Canvas, person: Seen, time: float, colour: Colour, x: float, end: float, y: float, em: float
) -> float:
    felt = person.label("expression", time)
    if felt is None:
        seen = person.box(time) is not None
        canvas.words("no expression read" if seen else "not in the picture", x, y + 0.2 * em, em, _QUIET)
        return y + 2.1 * em
    known = felt.label != "unknown"
    canvas.words(felt.label, x, y, 1.45 * em, INK if known else _QUIET, room=0.68 * (end - x))
    said = f"{round(100 * felt.confidence)} %"
    wide = letters_of(max(6, round(0.95 * em))).width(said)
    canvas.words(said, end - wide, y + 0.42 * em, 0.95 * em, INK if known else _QUIET)
    y += 2.05 * em
    canvas.panel(x, y, end, y + 0.2 * em, NIGHT, radius=0.1 * em)
    reach = x + (end - x) * felt.confidence
    canvas.panel(x, y, reach, y + 0.2 * em, colour if felt.confidence >= SURE else _QUIET, radius=0.1 * em)
    y += 0.6 * em
    affect = person.signal("affect", time)
    if affect is not None and {"valence", "arousal"} <= set(affect):
        told = f"valence {affect['valence']:+.1f}   arousal {affect['arousal']:+.1f}".replace("-", "−")
        canvas.words(told, x, y, 0.86 * em, _QUIET, room=end - x)
    return y + 1.55 * em


def _chip(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    size: float,
    colour: Colour,
    strength: float,
    *,
    from_right: bool = False,
) -> None:
    wide = letters_of(max(6, round(size))).width(text) + 1.2 * size
    x = x - wide if from_right else x
    canvas.panel(x, y, x + wide, y + 1.5 * size, colour, alpha=0.25 + 0.55 * strength, radius=0.75 * size)
    ink = NIGHT if strength > 0.5 else INK
    canvas.words(text, x + 0.6 * size, y + 0.16 * size, size, ink, alpha=0.4 + 0.6 * strength)


def _bar(
    canvas: Canvas, unit: str, value: float, colour: Colour, x: float, end: float, y: float, em: float
) -> None:
    small = 0.86 * em
    canvas.words(unit, x, y, small, INK)
    canvas.words(UNITS.get(unit, ""), x + 3.3 * em, y, small, _QUIET, room=0.46 * (end - x))
    begin = end - 4.6 * em
    canvas.panel(begin, y + 0.42 * em, end, y + 0.76 * em, NIGHT, radius=0.17 * em)
    reach = begin + (end - begin) * min(1.0, value)
    canvas.panel(begin, y + 0.42 * em, reach, y + 0.76 * em, colour, radius=0.17 * em)


def _curve(
    canvas: Canvas, person: Seen, plot, time: float, colour: Colour, x: float, end: float, y: float, em: float
) -> None:
    begin, top, base = x + 5.2 * em, y + 0.15 * em, y + 1.6 * em
    canvas.words(plot[0], x, y + 0.25 * em, 0.82 * em, _QUIET, room=5 * em)
    canvas.panel(begin, top, end, base, NIGHT, alpha=0.7, radius=0.25 * em)
    times, values = person.curve(plot, time - _SECONDS, time + 1e-6)
    if len(times) > 1:
        xs = end - (time - times) / _SECONDS * (end - begin)
        low = plot[3][0]
        middle = base - (0.5 if low < 0 else 0.06) * (base - top)
        ys = base - (0.06 + 0.88 * values) * (base - top)
        canvas.plot(np.maximum(xs, begin), ys, middle, max(1.1, 0.1 * em), colour)
