"""One person's tracks on one clock: the thing everything else makes, changes, shows, reads or measures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance._sampled import Sampled
from kinesics.performance.audio import Audio
from kinesics.performance.plan import Plan
from kinesics.performance.tiers import Tier
from kinesics.performance.tracks import Face, Motion, Points, Signal
from kinesics.performance.video import Video
from kinesics.upward import calls

Track = Audio | Motion | Face | Signal | Points | Tier | Plan | Video


@dataclass(frozen=True, eq=False)
class Performance:
    """Named tracks on one clock, in seconds from the start.

    Parameters
    ----------
    tracks
        Name → track. ``speech`` is Audio, ``body`` Motion, ``face`` Face, ``plan`` Plan, ``video`` Video; tiers and
        signals carry any name.
    meta
        Plain facts about it: who is shown (``avatar``), seed, version, licences.

    Examples
    --------
    >>> from kinesics.performance import Interval, Performance, Tier
    >>> show = Performance({"words": Tier("words", [Interval(0, 0.5, "hello")])})
    >>> show.duration, "words" in show
    (0.5, True)
    """

    tracks: Mapping[str, Track] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line: frames and samples are for looking at one by one."""
        tracks = ", ".join(f"{name}: {type(track).__name__}" for name, track in self.tracks.items())
        return f"<Performance {self.duration:.2f} s, {tracks or 'empty'}>"

    def __post_init__(self) -> None:
        kinds = {
            "speech": Audio,
            "music": Audio,
            "body": Motion,
            "face": Face,
            "plan": Plan,
            "video": Video,
        }
        for name, track in self.tracks.items():
            wanted: Any = kinds.get(name, Track)
            if not isinstance(track, wanted):
                raise DataError(
                    f"track {name!r} is a {type(track).__name__}; expected {getattr(wanted, '__name__', 'a track')}"
                )
        object.__setattr__(self, "tracks", MappingProxyType(dict(self.tracks)))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # A mapping proxy cannot be pickled; workers need performances nevertheless.
        return type(self), (dict(self.tracks), dict(self.meta))

    def __contains__(self, name: object) -> bool:
        return name in self.tracks

    def __iter__(self) -> Iterator[str]:
        return iter(self.tracks)

    def __getitem__(self, name: str) -> Any:
        if name not in self.tracks:
            raise DataError(f"no track {name!r}; this performance has: {', '.join(self.tracks) or 'none'}")
        return self.tracks[name]

    def get(self, name: str) -> Any:
        """The track ``name``, or None."""
        return self.tracks.get(name)

    @property
    def body(self) -> Motion:
        """The body's motion."""
        return self["body"]

    @property
    def face(self) -> Face:
        """The face's coefficients."""
        return self["face"]

    @property
    def speech(self) -> Audio:
        """The sound of the speech."""
        return self["speech"]

    @property
    def plan(self) -> Plan:
        """What was planned, and what became of it."""
        return self["plan"]

    def tier(self, name: str) -> Tier:
        """The tier ``name``; an empty one when there is none."""
        track = self.get(name)
        return track if isinstance(track, Tier) else Tier(name)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """All tiers, in order."""
        return tuple(t for t in self.tracks.values() if isinstance(t, Tier))

    @property
    def duration(self) -> float:
        """Seconds from 0 to the end of the longest track."""
        return max((t.end for t in self.tracks.values() if not isinstance(t, Plan)), default=0.0)

    def with_tracks(self, **tracks: Track | None) -> Performance:
        """This performance with tracks added or replaced; None removes one."""
        merged = {**self.tracks, **tracks}
        return replace(self, tracks={n: t for n, t in merged.items() if t is not None})

    def slice(self, start: float, end: float) -> Performance:
        """What happens in [start, end), moved so that it begins at 0."""

        def cut(track: Track) -> Track:
            part: Any = track.slice(start, end).shift(-start)
            # A sample that lies at the cut but for rounding must not begin before 0.
            if isinstance(part, Sampled) and -2e-3 < part.start * float(part.fps) < 0:
                part = part.shift(-part.start)
            return part

        return replace(self, tracks={n: cut(t) for n, t in self.tracks.items()})

    def shift(self, seconds: float) -> Performance:
        """All tracks, ``seconds`` later."""
        return replace(self, tracks={n: t.shift(seconds) for n, t in self.tracks.items()})

    def join(self, other: Performance, *, at: float | None = None) -> Performance:
        """This performance, then ``other`` from second ``at`` (its end by default).

        Where a sampled track ends before its continuation starts, sound is filled with
        silence and everything else holds its last sample. Ids of the second plan that the
        first one uses too get a number.

        Raises
        ------
        DataError
            If sampled tracks of one name overlap, or differ in rate or layout.
        """
        moved = other.shift(self.duration if at is None else at)
        tracks = dict(self.tracks)
        for name, track in moved.tracks.items():
            mine: Any = tracks.get(name)
            if mine is None or (isinstance(mine, Sampled) and not len(mine)):
                tracks[name] = track
            elif type(mine) is not type(track):
                raise DataError(
                    f"join: track {name!r} is a {type(mine).__name__} and a {type(track).__name__}"
                )
            elif isinstance(mine, Sampled):
                tracks[name] = (
                    mine.join(track) if not len(track) else mine.extended(track.start, name).join(track)
                )
            else:
                tracks[name] = mine.join(track)
        return replace(self, tracks=tracks)

    def difference(self, other: Performance) -> dict[str, float]:
        """Greatest difference per track: radians and metres, weights, seconds for tiers; inf where one is missing."""
        out = {}
        for name in dict.fromkeys([*self.tracks, *other.tracks]):
            a, b = self.get(name), other.get(name)
            if a is None or b is None:
                out[name] = math.inf
            elif isinstance(a, Plan):
                out[name] = 0.0 if isinstance(b, Plan) and a.behaviours == b.behaviours else math.inf
            elif isinstance(a, Tier):
                same = isinstance(b, Tier) and a.labels == b.labels
                gaps = (
                    [max(abs(i.start - j.start), abs(i.end - j.end)) for i, j in zip(a, b, strict=True)]
                    if same
                    else [math.inf]
                )
                out[name] = max(gaps, default=0.0)
            else:
                out[name] = a.difference(b)
        return out

    def table(self, tracks: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """A row per number or interval, as columns (see :func:`kinesics.formats.table.columns`)."""
        return calls["table"](self, tracks)

    def save(self, *paths: Any, **options: Any) -> None:
        """Write files; each one's format follows its extension (see ``kinesics.formats``)."""
        calls["save"](self, *paths, **options)

    def view(self, **options: Any) -> None:
        """Show it in the browser (see ``kinesics.studio``)."""
        calls["view"](self, **options)
