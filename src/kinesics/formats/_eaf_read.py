"""Reading ELAN documents (see ``elan``)."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from kinesics.errors import DataError, FormatError
from kinesics.files import existing
from kinesics.formats._text import xml_of
from kinesics.formats._tiers import about, gathered
from kinesics.performance import Interval, Performance

log = logging.getLogger(__name__)

MOST_BYTES = 64_000_000
MOST_MILLISECONDS = 10**12


@dataclass
class _Annotation:
    """One annotation: times or the annotation it refers to."""

    id: str
    tier: str
    label: str
    slots: tuple[str, str] | None = None
    parent: str = ""
    previous: str = ""


@dataclass
class _Tier:
    name: str
    kind: str
    parent: str
    participant: str
    annotations: list[_Annotation] = field(default_factory=list)


def read(path: str | Path) -> Performance:
    """Read an ELAN document.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Performance
        One tier per tier of the file; ``meta["elan"]``: ``version``, ``author``, ``media`` and, where there
        are any, ``names``, ``participants``, ``parents``, ``origins`` and ``external``.

    Raises
    ------
    FormatError
        If it is no ELAN document, or one that contradicts itself.
    """
    path = existing(Path(path), "an ELAN document")
    root = xml_of(path, root="ANNOTATION_DOCUMENT", most=MOST_BYTES)
    return _Reader(path, root).performance()


class _Reader:
    """An ELAN document being read."""

    def __init__(self, path: Path, root: Element) -> None:
        self._path, self._root = path, root
        self._external: list[str] = []
        self._entries: dict[str, dict[str, str]] = {}
        self._every: dict[str, str] = {}
        self._kinds: dict[str, tuple[str, str]] = {}
        self._tiers: dict[str, _Tier] = {}
        self._all: dict[str, _Annotation] = {}

    def _wrong(self, where: str, expected: str, fix: str = "save it again in ELAN") -> FormatError:
        return FormatError(self._path, where, expected, fix)

    def performance(self) -> Performance:
        self._read_types()
        for element in self._root.iter("TIER"):
            self._read_tier(element)
        times = self._times()
        numbers = self._numbers(times)
        rows = []
        for tier in self._tiers.values():
            if tier.name in numbers["tiers"]:
                continue
            rows.append((tier.name, [self._interval(a, times, numbers) for a in tier.annotations]))
        found = gathered(rows)
        track_of = {name: track for track, name in found.names.items()} | {
            t: t for t in found.tracks if t not in found.names
        }
        facts = about(found, version=self._root.get("FORMAT") or self._root.get("VERSION") or "")
        facts |= self._head()
        people = {track_of[n]: t.participant for n, t in self._tiers.items() if n in track_of}
        parents = {track_of[n]: track_of.get(t.parent, "") for n, t in self._tiers.items() if n in track_of}
        for key, mapping in (("participants", people), ("parents", parents)):
            if told := {k: v for k, v in mapping.items() if v}:
                facts[key] = told
        if self._external:
            told = ", ".join(self._external[:5]) + (" …" if len(self._external) > 5 else "")
            log.warning("%s: not fetched: %s", self._path, told)
            facts["external"] = self._external
        return Performance(found.tracks, {"elan": facts})

    def _head(self) -> dict[str, Any]:
        header = self._root.find("HEADER")
        out: dict[str, Any] = {"author": self._root.get("AUTHOR") or ""}
        media = header.findall("MEDIA_DESCRIPTOR") if header is not None else []
        out["media"] = [m.get("RELATIVE_MEDIA_URL") or m.get("MEDIA_URL") or "" for m in media]
        origins = {
            place: m.get("TIME_ORIGIN")
            for place, m in zip(out["media"], media, strict=True)
            if m.get("TIME_ORIGIN")
        }
        if header is not None and header.get("TIME_UNITS", "milliseconds") != "milliseconds":
            unit = header.get("TIME_UNITS", "")
            raise self._wrong("HEADER", f"times in milliseconds, found {unit[:30]!r}")
        return out | ({"origins": origins} if origins else {})

    def _read_types(self) -> None:
        places = {e.get("EXT_REF_ID"): e.get("VALUE", "") for e in self._root.iter("EXTERNAL_REF")}
        for element in self._root.iter("CONTROLLED_VOCABULARY"):
            entries = {}
            for n, entry in enumerate(element.iter("CV_ENTRY")):
                entries[entry.get("CVE_ID") or f"cveid{n}"] = entry.text or ""
            for entry in element.iter("CV_ENTRY_ML"):
                value = entry.find("CVE_VALUE")
                entries[entry.get("CVE_ID", "")] = (value.text or "") if value is not None else ""
            self._entries[element.get("CV_ID", "")] = entries
            self._every |= entries
            if reference := element.get("EXT_REF"):
                place = places.get(reference) or reference
                self._external.append(f"vocabulary {element.get('CV_ID', '')!r} at {place}")
        for element in self._root.iter("LINGUISTIC_TYPE"):
            self._kinds[element.get("LINGUISTIC_TYPE_ID", "")] = (
                element.get("CONSTRAINTS", ""),
                element.get("CONTROLLED_VOCABULARY_REF", ""),
            )

    def _read_tier(self, element: Element) -> None:
        name = element.get("TIER_ID", "")
        if name in self._tiers:
            raise self._wrong(f"TIER {name[:60]!r}", "a TIER_ID of its own", "rename one of the two")
        kind = element.get("LINGUISTIC_TYPE_REF", "")
        tier = _Tier(name, kind, element.get("PARENT_REF", ""), element.get("PARTICIPANT", ""))
        self._tiers[name] = tier
        vocabulary = self._kinds.get(kind, ("", ""))[1]
        for child in element.iter():
            if child.tag not in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"):
                continue
            id = child.get("ANNOTATION_ID", "")
            where = f"TIER {name[:60]!r}, annotation {id[:40]!r}"
            if not id or id in self._all:
                raise self._wrong(where, "an ANNOTATION_ID of its own")
            value = child.find("ANNOTATION_VALUE")
            label = "".join(value.itertext()) if value is not None else ""
            if not label and (entry := child.get("CVE_REF")):
                label = self._looked_up(entry, vocabulary)
            found = _Annotation(id, name, label)
            if child.tag == "ALIGNABLE_ANNOTATION":
                found.slots = (child.get("TIME_SLOT_REF1", ""), child.get("TIME_SLOT_REF2", ""))
            else:
                found.parent = child.get("ANNOTATION_REF", "")
                found.previous = child.get("PREVIOUS_ANNOTATION", "")
            self._all[id] = found
            tier.annotations.append(found)

    def _looked_up(self, entry: str, vocabulary: str) -> str:
        for entries in (self._entries.get(vocabulary, {}), self._every):
            if entry in entries:
                return entries[entry]
        note = f"entry {entry!r} of a vocabulary that is not in the file"
        if note not in self._external[-1:]:
            self._external.append(note)
        return ""

    # Times, in seconds, of every annotation.

    def _times(self) -> dict[str, tuple[float, float]]:
        slots = self._slots()
        times: dict[str, tuple[float, float]] = {}
        children: dict[str, list[_Annotation]] = {}
        for a in self._all.values():
            if a.slots is not None:
                where = f"annotation {a.id[:40]!r}"
                try:
                    start, end = (slots[s] for s in a.slots)
                except KeyError as error:
                    raise self._wrong(
                        where, f"a time slot {str(error.args[0])[:40]!r} in TIME_ORDER"
                    ) from None
                if not start <= end:
                    raise self._wrong(where, f"a start before its end, found {start} to {end} s")
                times[a.id] = (start, end)
            else:
                if a.parent not in self._all:
                    raise self._wrong(
                        f"annotation {a.id[:40]!r}", f"its parent {a.parent[:40]!r} in the file"
                    )
                children.setdefault(a.parent, []).append(a)
        # From parents to children, level by level: a circle of references is never reached from a time.
        level = [a for a in times if a in children]
        while level:
            following = []
            for parent in level:
                for family in self._families(children.pop(parent)):
                    start, end = times[parent]
                    step = (end - start) / len(family)
                    for k, a in enumerate(family):
                        last = end if k == len(family) - 1 else start + (k + 1) * step
                        times[a.id] = (start + k * step, last)
                        if a.id in children:
                            following.append(a.id)
            level = following
        if children:
            name = next(iter(children.values()))[0].id
            raise self._wrong(f"annotation {name[:40]!r}", "a reference that leads to a time, found a circle")
        return times

    def _families(self, siblings: Iterable[_Annotation]) -> list[list[_Annotation]]:
        """Siblings tier by tier, in order; of an association, each for itself."""
        by_tier: dict[str, list[_Annotation]] = {}
        for a in siblings:
            by_tier.setdefault(a.tier, []).append(a)
        out = []
        for name, family in by_tier.items():
            if self._kinds.get(self._tiers[name].kind, ("", ""))[0] == "Symbolic_Association":
                out += [[a] for a in family]
                continue
            ids = {a.id for a in family}
            after = {a.previous: a for a in family if a.previous in ids}
            chain = [a for a in family if a.previous not in ids]
            ordered: list[_Annotation] = []
            for first in chain:
                link: _Annotation | None = first
                while link is not None:
                    ordered.append(link)
                    link = after.get(link.id)
            left = ids - {a.id for a in ordered}
            out.append(ordered + [a for a in family if a.id in left])
        return out

    def _slots(self) -> dict[str, float]:
        slots: dict[str, float] = {}
        order = self._root.find("TIME_ORDER")
        for element in order.iter("TIME_SLOT") if order is not None else ():
            id, text = element.get("TIME_SLOT_ID", ""), element.get("TIME_VALUE")
            if id in slots:
                raise self._wrong(f"time slot {id[:40]!r}", "a TIME_SLOT_ID of its own")
            try:
                value = math.nan if text is None else int(text)
            except ValueError:
                value = -1
            if value < 0 or value > MOST_MILLISECONDS:
                raise self._wrong(f"time slot {id[:40]!r}", f"whole milliseconds, found {str(text)[:40]!r}")
            slots[id] = value / 1000
        if any(math.isnan(v) for v in slots.values()):
            self._spread(slots)
        return slots

    def _spread(self, slots: dict[str, float]) -> None:
        """Give time slots without time one evenly between those of their tier, else of their neighbours."""
        for tier in self._tiers.values():
            following = {a.slots[0]: a.slots[1] for a in tier.annotations if a.slots is not None}
            tried: set[str] = set()
            for first in [s for s in following if not math.isnan(slots.get(s, math.nan))]:
                run = []
                slot = following[first]
                while math.isnan(slots.get(slot, 0.0)) and slot in following and slot not in tried:
                    tried.add(slot)
                    run.append(slot)
                    slot = following[slot]
                end = slots.get(slot, math.nan)
                if run and not math.isnan(end):
                    _between(slots, run, slots[first], end)
        run, last = [], 0.0
        for id, value in slots.items():
            if math.isnan(value):
                run.append(id)
                continue
            if run:
                _between(slots, run, last, max(value, last))
            run, last = [], value
        for id in run:
            slots[id] = last

    # Values and confidences, which this package writes as dependent tiers.

    def _numbers(self, times: dict[str, tuple[float, float]]) -> dict[str, Any]:
        out: dict[str, Any] = {"tiers": set(), "value": {}, "confidence": {}}
        for tier in self._tiers.values():
            for key in ("value", "confidence"):
                if tier.name != f"{tier.parent}@{key}" or tier.parent not in self._tiers:
                    continue
                try:
                    read = {a.parent: float(a.label) for a in tier.annotations if a.slots is None}
                except ValueError:
                    continue
                fine = all(math.isfinite(v) and (key == "value" or 0 <= v <= 1) for v in read.values())
                if fine and len(read) == len(tier.annotations):
                    out["tiers"].add(tier.name)
                    out[key] |= read
        return out

    def _interval(
        self, a: _Annotation, times: dict[str, tuple[float, float]], numbers: dict[str, Any]
    ) -> Interval:
        start, end = times[a.id]
        made = Interval(start, end, a.label)
        if a.id in numbers["value"] or a.id in numbers["confidence"]:
            try:
                made = replace(
                    made, value=numbers["value"].get(a.id), confidence=numbers["confidence"].get(a.id, 1.0)
                )
            except DataError as error:
                raise self._wrong(f"annotation {a.id[:40]!r}", f"a number ({error})", "mend it") from error
        return made


def _between(slots: dict[str, float], run: list[str], start: float, end: float) -> None:
    for k, id in enumerate(run, 1):
        slots[id] = start + (end - start) * k / (len(run) + 1)
