"""Pictures as they come: who is in each and what they do, told at once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kinesics.performance import Scene
from kinesics.reading._figure import UNITS
from kinesics.reading._seen import Seen
from kinesics.see.face_network import FaceReader, Neutral


class Reader(Protocol):
    """Something that reads pictures one by one."""

    def push(self, rgb: NDArray[np.uint8], time: float) -> Scene:
        """What is in the next picture (H, W, 3), shown at ``time`` seconds.

        Returns
        -------
        Scene
            Everybody who is in it: sampled tracks of one sample at ``time``, in its pixels; tiers with what goes on then or
            has just become known.
        """
        ...


class LiveReader:
    """Reads a stream of pictures with the detectors of ``kinesics read``.

    Parameters
    ----------
    rate
        Pictures a second that will come, about; filters of points need it.
    people
        How many are followed at most.
    hands, body
        Whether these are looked for.
    threads
        Of the networks; all by default.

    Raises
    ------
    MissingModels
        Before ``kinesics fetch landmarks``.
    """

    def __init__(
        self,
        *,
        rate: float = 25.0,
        people: int = 4,
        hands: bool = True,
        body: bool = False,
        threads: int | None = None,
    ) -> None:
        from kinesics.see.tracking import Tracker

        self._rate = Fraction(rate).limit_denominator(1001)
        self._tracker = Tracker(rate, people=people, hands=hands, body=body, threads=threads)
        self._faces = FaceReader(threads=threads)
        self._neutrals: dict[int, Neutral] = {}

    def push(self, rgb: NDArray[np.uint8], time: float) -> Scene:
        """What is in the next picture; see :class:`Reader`."""
        from kinesics.reading._person import faced, tracks
        from kinesics.reading._recording import row_of

        people = {}
        for who in self._tracker.push(rgb):
            row = row_of(who)[None]
            neutral = self._neutrals.setdefault(who.number, Neutral())
            person = faced(tracks(row, self._rate, time), row, self._faces, neutral)
            people[f"person {who.number + 1}"] = person
        return Scene(people)


def told(scene: Scene, time: float) -> dict[str, Any]:
    """What a page needs to draw a moment, as plain values.

    Parameters
    ----------
    scene
        Of one picture, as a :class:`Reader` gives it.
    time
        The picture's second.

    Returns
    -------
    dict
        ``people``: for each ``name``, ``box`` (left, top, right, bottom), ``face``, ``pose``, ``hands`` (pixels, flat: x, y, x, y …;
        None for points that are not sure), ``gaze`` and ``head`` (degrees), ``expression`` and ``confidence``, ``reasons``,
        ``units`` (name, intensity), ``events`` and ``curves`` (label, value from 0 to 1).
    """
    return {"people": [_person(Seen(name, person), time) for name, person in scene.people.items()]}


def _person(person: Seen, time: float) -> dict[str, Any]:
    felt, why = person.label("expression", time), person.label("reasons", time)
    return {
        "name": person.name,
        "box": _rounded(person.box(time) or ()),
        "face": _flat(person.points("landmarks", time)),
        "pose": _flat(person.points("pose", time)),
        "hands": [_flat(h) for s in ("left", "right") if (h := person.points(f"hand_{s}", time)) is not None],
        "gaze": person.signal("gaze", time),
        "head": person.signal("head", time),
        "expression": felt.label if felt else None,
        "confidence": round(felt.confidence, 3) if felt else None,
        "reasons": why.label if why else None,
        "units": [[n, UNITS.get(n, ""), round(v, 3)] for n, v in person.units(time)[:6]],
        "events": [label for label, left in person.events(time) if left == 1],
        "curves": [
            [p[0], round(float(v[-1]), 3)] for p in person.plots[:4] if len(v := _last(person, p, time))
        ],
    }


def _last(person: Seen, plot: Any, time: float) -> NDArray[np.floating]:
    return person.curve(plot, time - 0.5, time + 1e-3)[1]


def _flat(found: tuple[NDArray[np.float32], NDArray[np.bool_]] | None) -> list[float | None]:
    if found is None:
        return []
    places = np.where(found[1][:, None], np.round(found[0], 1), np.nan).reshape(-1)
    return [None if x != x else x for x in places.tolist()]


def _rounded(values: Any) -> list[float]:
    return [round(v, 1) for v in values]
