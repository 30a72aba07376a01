"""Pictures as they come: who is in each and what they do, told at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance import Performance, Scene, Tier
from kinesics.reading._figure import UNITS
from kinesics.reading._live_person import GAP, LivePerson, Understood
from kinesics.reading._mirror import mirrored
from kinesics.reading._seen import EVENTS, Seen
from kinesics.see.face_network import FaceReader, Neutral

_USUAL = 25.0
"""Pictures a second that a first picture is taken for; the others tell."""
_MOMENT = 0.01
"""Seconds for which what is known of a picture stands."""


class Reader(Protocol):
    """Something that reads pictures one by one."""

    def push(self, rgb: NDArray[np.uint8], time: float) -> Scene:
        """What is in the next picture (H, W, 3), shown at ``time`` seconds.

        Returns
        -------
        Scene
            Everybody who is in it: sampled tracks of one sample at ``time``, in its pixels; ``expression`` and ``reasons`` of then;
            other tiers with the intervals that have become certain with it. Who has just gone has these alone.
        """
        ...


class LiveReader:
    """Reads a stream of pictures with the detectors of ``kinesics read``.

    Pictures may come unevenly: everything goes by their times. Bodies are fitted and expressions read beside the pictures, so these lag by
    a few pictures where the machine is slow; what a picture costs does not grow with time.

    Parameters
    ----------
    people
        How many are followed at most.
    hands, body
        Whether these are looked for.
    threads
        1: one thing after the other, the same for the same pictures. By default bodies and expressions come beside the pictures.

    Raises
    ------
    MissingModels
        Before ``kinesics fetch landmarks``.
    """

    def __init__(
        self, *, people: int = 4, hands: bool = True, body: bool = False, threads: int | None = None
    ) -> None:
        from kinesics.see.tracking import Tracker

        self._body = body
        self._tracker = Tracker(_USUAL, people=people, hands=hands, body=body, threads=threads)
        self._faces = FaceReader(threads=threads)
        self._neutrals: dict[int, Neutral] = {}
        self._people: dict[int, LivePerson] = {}
        self._beside = None if threads == 1 else ThreadPoolExecutor(1, "kinesics-live")
        self._last: float | None = None

    def push(self, rgb: NDArray[np.uint8], time: float) -> Scene:
        """What is in the next picture; see :class:`Reader`.

        Raises
        ------
        DataError
            If it is not later than the one before.
        """
        from kinesics.reading._person import faced, tracks
        from kinesics.reading._recording import row_of

        if self._last is not None and not time > self._last:
            raise DataError(f"a picture of {time} s after one of {self._last} s; expected a later one")
        rate = _USUAL if self._last is None else 1 / (time - self._last)
        self._last = time
        people = {}
        for who in self._tracker.push(rgb, rate=rate):
            row = row_of(who)
            person = self._person(who.number)
            seen = faced(tracks(row[None], Fraction(_USUAL), time), row[None], self._faces, person.neutral)
            people[_name(who.number)] = _known(seen, person.push(seen, row, time), time)
        for number in [n for n, p in self._people.items() if time - p.last > GAP]:
            gone = _known(Performance(), self._people.pop(number).finish(), time)
            if gone.tiers:
                people[_name(number)] = gone
        return Scene(people)

    def _person(self, number: int) -> LivePerson:
        if number not in self._people:
            # Whom the tracker has forgotten is somebody else when they come back: their neutral is of no use.
            known = {p["number"] for p in self._tracker.people()}
            self._neutrals = {n: v for n, v in self._neutrals.items() if n in known}
            neutral = self._neutrals.setdefault(number, Neutral())
            self._people[number] = LivePerson(neutral, body=self._body, beside=self._beside)
        return self._people[number]


def _name(number: int) -> str:
    return f"person {number + 1}"


def _known(person: Performance, known: Understood, time: float) -> Performance:
    """A person with what is known of them at a time."""
    made: dict[str, Any] = {n: Tier(n, tuple(found)) for n, found in known.found.items() if found}
    if "face" in person:
        for name, read in (("expression", known.expression), ("reasons", known.reasons)):
            if read is not None:
                made[name] = Tier(name, (replace(read, start=time, end=time + _MOMENT),))
    if "pose" in person and known.body is not None:
        made["body"] = replace(known.body, start=time)
    return person.with_tracks(**made)


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
        ``units`` (name, intensity), ``events`` (tier, label, start, end, confidence: each is told once), ``curves`` (label, value
        from 0 to 1), and ``mirror``: what an avatar needs to look like them (:func:`kinesics.reading._mirror.mirrored`).
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
        "events": _events(person.performance),
        "curves": [
            [p[0], round(float(v[-1]), 3)] for p in person.plots[:4] if len(v := _last(person, p, time))
        ],
        "mirror": mirrored(person.performance),
    }


def _events(person: Performance) -> list[list[Any]]:
    """What has become certain, the earliest first."""
    found = [
        [t.name, i.label, round(i.start, 3), round(i.end, 3), round(i.confidence, 3)]
        for t in person.tiers if t.name in EVENTS for i in t
    ]  # fmt: skip
    return sorted(found, key=lambda event: event[2])


def _last(person: Seen, plot: Any, time: float) -> NDArray[np.floating]:
    return person.curve(plot, time - 0.5, time + 1e-3)[1]


def _flat(found: tuple[NDArray[np.float32], NDArray[np.bool_]] | None) -> list[float | None]:
    if found is None:
        return []
    places = np.where(found[1][:, None], np.round(found[0], 1), np.nan).reshape(-1)
    return [None if x != x else x for x in places.tolist()]


def _rounded(values: Any) -> list[float]:
    return [round(v, 1) for v in values]
