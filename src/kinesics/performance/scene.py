"""Several people on one clock, what lies between them, and what they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance.performance import Performance, Track
from kinesics.performance.video import Video
from kinesics.upward import calls


class People(Mapping[str, Performance]):
    """Name → that person's performance, in order; a number finds them, too.

    >>> people = People({"ann": Performance(), "bob": Performance()})
    >>> people[1] is people["bob"], list(people)
    (True, ['ann', 'bob'])
    """

    def __init__(self, people: Mapping[str, Performance]) -> None:
        self._people = {str(name): person for name, person in people.items()}
        for name, person in self._people.items():
            if not name or "/" in name:
                raise DataError(f"a person called {name!r}: expected a name without '/'")
            if not isinstance(person, Performance):
                raise DataError(f"{name!r} is a {type(person).__name__}; expected a Performance")

    def __getitem__(self, key: str | int) -> Performance:
        names = list(self._people)
        if isinstance(key, int) and -len(names) <= key < len(names):
            key = names[key]
        if key not in self._people:
            raise DataError(f"no person {key!r}; this scene has: {', '.join(names) or 'nobody'}")
        return self._people[str(key)]

    def __contains__(self, key: object) -> bool:
        return key in self._people

    def __iter__(self) -> Iterator[str]:
        return iter(self._people)

    def __len__(self) -> int:
        return len(self._people)

    def __repr__(self) -> str:
        return f"People({self._people})"


@dataclass(frozen=True, eq=False)
class Scene:
    """Several people, what lies between them, and what they share.

    Parameters
    ----------
    people
        Name → that person's performance, all on one clock; ``people[0]`` is the first.
    objects
        Name → what is known of an object (a position, a label).
    relations
        (subject, relation, object) triples.
    shared
        Tracks that belong to nobody alone: the video, music, a screen, a room's sound.
    meta
        Plain facts about it. ``source`` is the path of the pictures that it was read from; told by the shared
        track ``video`` where there is one.

    Examples
    --------
    >>> from kinesics.performance import Interval, Tier
    >>> ann = Performance({"smile": Tier("smile", [Interval(1, 2, "smile")])})
    >>> scene = Scene({"ann": ann})
    >>> scene.people[0].tier("smile")[0].start, list(scene.tracks)
    (1, ['ann/smile'])
    """

    people: Mapping[str, Performance] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    relations: tuple[tuple[str, str, str], ...] = ()
    shared: Mapping[str, Track] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "people", People(self.people))
        shared = dict(Performance(self.shared).tracks)  # the same rules for names and kinds
        if any("/" in name for name in shared):
            raise DataError(f"shared tracks {list(shared)}: expected names without '/'")
        meta = dict(self.meta)
        if isinstance(video := shared.get("video"), Video):
            meta["source"] = str(video.path)
        for name, value in (("objects", self.objects), ("shared", shared), ("meta", meta)):
            object.__setattr__(self, name, MappingProxyType(dict(value)))
        object.__setattr__(self, "relations", tuple(map(tuple, self.relations)))
        known = {*self.people, *self.objects}
        for subject, relation, thing in self.relations:
            for end in (subject, thing):
                if end not in known:
                    raise DataError(
                        f"relation {relation!r} names {end!r}, which is neither a person nor an object"
                    )

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        shared, meta = dict(self.shared), dict(self.meta)
        return type(self), (dict(self.people), dict(self.objects), self.relations, shared, meta)

    def __repr__(self) -> str:
        """One line: frames and samples are for looking at one by one."""
        shared = f", shared: {', '.join(self.shared)}" if self.shared else ""
        return f"<Scene {self.duration:.2f} s, people: {', '.join(self.people) or 'none'}{shared}>"

    @property
    def duration(self) -> float:
        """Seconds to the end of the longest performance or shared track."""
        return max((p.duration for p in (*self.people.values(), Performance(self.shared))), default=0.0)

    @property
    def tracks(self) -> dict[str, Track]:
        """Every track by one name: ``person/track``, or ``track`` for those that are shared."""
        own = {f"{n}/{t}": track for n, person in self.people.items() for t, track in person.tracks.items()}
        return own | dict(self.shared)

    @property
    def video(self) -> Path | None:
        """The file of the pictures that it was read from, if it is known and there."""
        path = self.meta.get("source")
        return Path(path) if isinstance(path, str) and path and Path(path).is_file() else None

    def person(self, name: str | int) -> Performance:
        """One person's performance with the shared tracks."""
        own = self.people[name]
        return replace(own, tracks={**self.shared, **own.tracks})

    def as_performance(self) -> Performance:
        """All tracks in one, named as :attr:`tracks` does, as formats keep them; :meth:`of` takes it apart again."""
        about = {
            "people": {name: dict(person.meta) for name, person in self.people.items()},
            "objects": {name: dict(facts) for name, facts in self.objects.items()},
            "relations": [list(r) for r in self.relations],
        }
        return Performance(self.tracks, {**self.meta, "scene": about})

    @staticmethod
    def of(performance: Performance) -> Scene:
        """The scene that :meth:`as_performance` made one performance of.

        Raises
        ------
        DataError
            If its facts do not tell who is in it.
        """
        about = performance.meta.get("scene")
        people = about.get("people") if isinstance(about, Mapping) else None
        if not isinstance(people, Mapping):
            raise DataError("meta has no 'scene' with its 'people': this is one person's performance")
        own: dict[str, dict[str, Track]] = {str(name): {} for name in people}
        shared: dict[str, Track] = {}
        for name, track in performance.tracks.items():
            person, slash, short = name.partition("/")
            if slash and person not in own:
                raise DataError(f"track {name!r} belongs to nobody; people: {', '.join(own) or 'none'}")
            (own[person] if slash else shared)[short or person] = track
        try:
            return Scene(
                {name: Performance(own[str(name)], dict(meta)) for name, meta in people.items()},
                dict(about.get("objects") or {}),
                tuple((str(a), str(r), str(b)) for a, r, b in about.get("relations") or ()),
                shared,
                {k: v for k, v in performance.meta.items() if k != "scene"},
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise DataError(f"the facts about the scene are damaged: {error}") from error

    def table(self, tracks: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """A row per number or interval, as columns (see :func:`kinesics.formats.table.columns`)."""
        return calls["table"](self, tracks)

    def save(self, *paths: Any, **options: Any) -> None:
        """Write files; each one's format follows its extension (see ``kinesics.formats``)."""
        calls["save"](self, *paths, **options)

    def view(self, **options: Any) -> None:
        """Show the video and an avatar side by side in the browser (see ``kinesics.studio``)."""
        calls["view"](self, **options)
