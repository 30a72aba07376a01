"""ELAN .eaf: annotations of video and sound, tier by tier, as gesture and sign researchers exchange them.

Carries every tier, with values and confidences; no sound, motion or plan. Written in the ELAN Annotation
Format 3.0 (Max Planck Institute for Psycholinguistics), read in 2.x and 3.0.

Writing. Times are **whole milliseconds**: what is read back differs by 0.5 ms at most. An instant becomes
1 ms long, since ELAN has no annotations without length; what lies before second 0 is cut off. Annotations
of one ELAN tier must not overlap: a tier whose intervals do (the gestures of two hands) is split into
``name``, ``name [2]`` …, which reading joins again. Each annotation has two time slots of its own, and
slots are in the order of time. Values and confidences other than 1 are kept in dependent tiers
``name@value`` and ``name@confidence`` (Symbolic_Association), from which reading takes them back;
``numbers=False`` leaves them out. The date in the file is 1970-01-01 unless ``date=`` says another, so that
the same performance gives the same bytes.
Options of ``save``: ``tiers=("words", "gestures")`` (all by default), ``media="talk.mp4"`` or several (a
path relative to the .eaf or a URL), ``author=""``, ``date="2026-05-01T12:00:00+00:00"``,
``vocabularies="auto" | "none"``: by default a tier whose labels are few (at most 40, each used twice on
average), or all of them gesture phases, emotions or head movements, gets a controlled vocabulary, so that
ELAN offers them in a menu.

A scene's tiers are named ``person - track`` and have the person as participant; its video is the linked medium, by a path
relative to the document. Signals of faces that were read become tiers, too: ``gaze_direction``, ``head_direction`` and
``active_units`` (see :mod:`kinesics.formats._summaries`); ``signals=False`` leaves them out.

Reading gives every tier as it stands, also empty ones. Names follow the rules of TextGrid: ``Word`` becomes
``words``, a second tier of one track's name ``name (2)``; ``meta["elan"]["names"]`` keeps the file's own.
Annotations that refer to others have their time: of a Symbolic_Association the parent's, of a
Symbolic_Subdivision an equal share of it in the order that PREVIOUS_ANNOTATION tells. Time slots without a
time (of a Time_Subdivision) are spread evenly between their neighbours. A label that only names an entry of
a controlled vocabulary (``CVE_REF``) is looked up in the file; vocabularies and other references that lie
**outside the file are never fetched**: they are listed in ``meta["elan"]["external"]`` and the log, and the
labels stay as the file has them. ``meta["elan"]`` also holds ``version``, ``media``, ``author``,
``participants`` (track → person) and ``parents`` (track → track); times count from the start of the
annotation document, whatever TIME_ORIGIN a medium has (told in ``origins``, milliseconds).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, choose
from kinesics.files import replacing
from kinesics.formats._eaf_read import read
from kinesics.formats._format import Format
from kinesics.formats._summaries import DIRECTIONS, summaries
from kinesics.formats._text import xml_text, xml_value
from kinesics.formats._tiers import chosen, from_zero, lane_names, lanes, own_name
from kinesics.performance import Interval, Performance, Scene, Tier

log = logging.getLogger(__name__)

KNOWN: dict[str, tuple[str, ...]] = {
    "gesture phases": (
        "preparation",
        "pre-stroke hold",
        "stroke",
        "post-stroke hold",
        "hold",
        "retraction",
        "rest",
    ),
    "emotions": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"),
    "expressions": (
        "neutral",
        "happy",
        "sad",
        "surprise",
        "fear",
        "disgust",
        "anger",
        "contempt",
        "unknown",
    ),
    "head movements": ("NOD", "SHAKE", "TILT", "TOSS", "BOW", "TURN", "RAISE", "LOWER"),
    "head events": ("nod", "shake", "tilt L", "tilt R", "unknown"),
    "phases by hand": tuple(
        f"{phase} {side}"
        for side in "LR"
        for phase in ("preparation", "stroke", "hold", "retraction", "unknown")
    ),
    "blinks": ("blink", "wink L", "wink R", "unknown"),
    "speaking": ("speaking", "unknown"),
    "directions": DIRECTIONS,
}
"""Vocabularies of this package: phases after Kendon (2004), its emotions, head movements and what reading tells."""

MOST_LABELS = 40
_MIME = {
    ".mp4": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
    ".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".avi": "video/x-msvideo", ".m4v": "video/mp4", ".mkv": "video/*",
    ".webm": "video/*",
}  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_CONSTRAINTS = (
    ("Time_Subdivision", "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval"),
    ("Symbolic_Subdivision", "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered"),
    ("Symbolic_Association", "1-1 association with a parent annotation"),
    ("Included_In", "Time alignable annotations within the parent annotation's time interval, gaps are allowed"),
)  # fmt: skip


def write(
    performance: Performance | Scene,
    path: str | Path,
    *,
    tiers: Sequence[str] | None = None,
    media: str | Path | Sequence[str | Path] | None = None,
    author: str = "",
    date: str = "1970-01-01T00:00:00+00:00",
    vocabularies: str = "auto",
    numbers: bool = True,
    signals: bool = True,
) -> None:
    """Write tiers as an ELAN document.

    Parameters
    ----------
    performance
        With at least one tier.
    path
        The file.
    tiers
        Names of the tiers to write; by default all.
    media
        What the annotations belong to: files (relative to the document's folder or absolute) or URLs; by
        default those of the document that was read.
    author, date
        For the document's head; the date as ISO 8601.
    vocabularies
        ``"auto"``: controlled vocabularies for tiers of few or known labels; ``"none"``.
    numbers
        Whether values and confidences get dependent tiers.
    signals
        Whether gaze, head and action units become tiers of their directions and combinations.

    Raises
    ------
    DataError
        If there is no tier, one that is asked for is not there, or a text cannot be written in XML.
    """
    path = Path(path)
    choose("vocabularies", vocabularies, ("auto", "none"))
    if not _is_date(date):
        raise DataError(f"date {date!r}; expected ISO 8601 such as 2026-05-01T12:00:00+00:00")
    show = performance
    if signals and isinstance(show, Scene):
        show = replace(show, people={n: _summarised(p) for n, p in show.people.items()})
    elif signals:
        show = _summarised(show)
    if isinstance(show, Scene):
        show = _gathered(show, path)
    picked = chosen(show, tiers, path, "an ELAN document")
    facts = show.meta.get("elan", {})
    document = _Document(numbers, facts.get("participants") or {})
    for track, tier in picked.items():
        document.add(track, own_name(show, "elan", track), from_zero(tier, path), vocabularies, path)
    if media is None:
        media = facts.get("media") or ()
    sources = [media] if isinstance(media, (str, Path)) else list(media)
    text = document.text([str(m) for m in sources], author, date)
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def _gathered(scene: Scene, path: Path) -> Performance:
    """A scene as one performance, with what an ELAN document should say of it."""
    show = scene.as_performance()
    facts: dict[str, Any] = {"participants": {}, "names": {}}
    for name in scene.people:
        for track in scene.people[name]:
            facts["participants"][f"{name}/{track}"] = name
            facts["names"][f"{name}/{track}"] = f"{name} - {track}"
    if source := scene.meta.get("source"):
        facts["media"] = [_beside(Path(source), path)]
    return Performance(show.tracks, {**show.meta, "elan": facts})


def _beside(file: Path, document: Path) -> str:
    """The path of a medium, from the document's folder where there is a way."""
    try:
        return Path(os.path.relpath(file, document.resolve().parent)).as_posix()
    except ValueError:  # another drive
        return str(file)


def _summarised(person: Performance) -> Performance:
    new = {n: t for n, t in summaries(person).items() if n not in person}
    return replace(person, tracks={**person.tracks, **new})


class _Document:
    """An ELAN document in the making."""

    def __init__(self, numbers: bool, participants: Any) -> None:
        self._numbers = numbers
        self._participants = participants if isinstance(participants, dict) else {}
        self._taken: set[str] = set()
        self._annotations = 0
        # (milliseconds, 0 for an end and 1 for a start, running number): the order of the time slots
        self._slots: list[tuple[int, int, int]] = []
        self._tiers: list[tuple[str, str]] = []
        self._bodies: list[list[tuple[Any, ...]]] = []
        self._vocabularies: dict[str, dict[str, str]] = {}

    def add(self, track: str, name: str, tier: Tier, vocabularies: str, path: Path) -> None:
        entries: dict[str, str] = {}
        kind = "default-lt"
        if vocabularies == "auto" and (found := _vocabulary(track, tier)):
            label, words = found
            if label not in self._vocabularies:
                n = sum(map(len, self._vocabularies.values()))
                self._vocabularies[label] = {w: f"cveid{n + k}" for k, w in enumerate(words)}
            entries, kind = self._vocabularies[label], f"{label} lt"
        rows = [Interval(*_milliseconds(i), i.label, i.value, i.confidence) for i in tier]
        if short := sum(i.end - i.start < 1e-3 and round(i.start * 1e3) == round(i.end * 1e3) for i in tier):
            log.info("%s: %d instants of %r are written 1 ms long", path, short, track)
        apart = lanes(rows) or [[]]
        names = lane_names(name, len(apart), self._taken)
        if len(names) > 1:
            log.info("%s: %r has overlaps: split into %s", path, track, ", ".join(names))
        person = self._participants.get(track)
        who = {"PARTICIPANT": person} if isinstance(person, str) and person else {}
        for own, lane in zip(names, apart, strict=True):
            ids = self._alignable({"LINGUISTIC_TYPE_REF": kind, "TIER_ID": own, **who}, lane, entries)
            if self._numbers:
                values = [(ids[k], repr(i.value)) for k, i in enumerate(lane) if i.value is not None]
                trust = [(ids[k], repr(i.confidence)) for k, i in enumerate(lane) if i.confidence != 1]
                self._referring(f"{own}@value", own, values)
                self._referring(f"{own}@confidence", own, trust)

    def _id(self) -> str:
        self._annotations += 1
        return f"a{self._annotations}"

    def _alignable(
        self, about: dict[str, str], lane: Sequence[Interval], entries: dict[str, str]
    ) -> list[str]:
        ids, body = [], []
        for i in lane:
            ids.append(self._id())
            n = len(self._slots)
            self._slots += [(int(i.start), 1, n), (int(i.end), 0, n + 1)]
            body.append((ids[-1], n, n + 1, i.label, entries.get(i.label)))
        self._tiers.append(("align", _attributes(about)))
        self._bodies.append(body)
        return ids

    def _referring(self, name: str, parent: str, rows: Sequence[tuple[str, str]]) -> None:
        if not rows:
            return
        (name,) = lane_names(name, 1, self._taken)
        about = {"LINGUISTIC_TYPE_REF": "number-lt", "PARENT_REF": parent, "TIER_ID": name}
        self._tiers.append(("ref", _attributes(about)))
        self._bodies.append([(self._id(), ref, text) for ref, text in rows])

    def text(self, media: Sequence[str], author: str, date: str) -> str:
        order = sorted(range(len(self._slots)), key=lambda k: self._slots[k])
        slot = {k: f"ts{n}" for n, k in enumerate(order, 1)}
        root = {
            "AUTHOR": author,
            "DATE": date,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        }
        out = ['<?xml version="1.0" encoding="UTF-8"?>', f"<ANNOTATION_DOCUMENT{_attributes(root)}>"]
        out.append('    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">')
        out += [f"        <MEDIA_DESCRIPTOR{_attributes(_medium(m))}/>" for m in media]
        out.append(f'        <PROPERTY NAME="lastUsedAnnotationId">{self._annotations}</PROPERTY>')
        out += ["    </HEADER>", "    <TIME_ORDER>"]
        out += [
            f'        <TIME_SLOT TIME_SLOT_ID="{slot[k]}" TIME_VALUE="{self._slots[k][0]}"/>' for k in order
        ]
        out.append("    </TIME_ORDER>")
        for (kind, about), body in zip(self._tiers, self._bodies, strict=True):
            out.append(f"    <TIER{about}>")
            out += [self._annotation(kind, row, slot) for row in body]
            out.append("    </TIER>")
        out += self._types()
        out.append("</ANNOTATION_DOCUMENT>\n")
        return "\n".join(out)

    def _annotation(self, kind: str, row: tuple[Any, ...], slot: dict[int, str]) -> str:
        if kind == "align":
            id, a, b, label, entry = row
            tag = "ALIGNABLE_ANNOTATION"
            known = f' CVE_REF="{entry}"' if entry else ""
            about = f'ANNOTATION_ID="{id}"{known} TIME_SLOT_REF1="{slot[a]}" TIME_SLOT_REF2="{slot[b]}"'
        else:
            id, ref, label = row
            tag, about = "REF_ANNOTATION", f'ANNOTATION_ID="{id}" ANNOTATION_REF="{ref}"'
        value = xml_text(label)
        return f"        <ANNOTATION><{tag} {about}><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></{tag}></ANNOTATION>"

    def _types(self) -> list[str]:
        plain = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true"}
        rows = [plain]
        rows += [
            {
                "CONTROLLED_VOCABULARY_REF": label,
                "GRAPHIC_REFERENCES": "false",
                "LINGUISTIC_TYPE_ID": f"{label} lt",
                "TIME_ALIGNABLE": "true",
            }
            for label in self._vocabularies
        ]
        if any(kind == "ref" for kind, _ in self._tiers):
            rows.append(
                {
                    "CONSTRAINTS": "Symbolic_Association",
                    "GRAPHIC_REFERENCES": "false",
                    "LINGUISTIC_TYPE_ID": "number-lt",
                    "TIME_ALIGNABLE": "false",
                }
            )
        out = [f"    <LINGUISTIC_TYPE{_attributes(row)}/>" for row in rows]
        language = {
            "LANG_DEF": "http://cdb.iso.org/lg/CDB-00130975-001",
            "LANG_ID": "und",
            "LANG_LABEL": "undetermined (und)",
        }
        if self._vocabularies:
            out.append(f"    <LANGUAGE{_attributes(language)}/>")
        out += [
            f"    <CONSTRAINT{_attributes({'DESCRIPTION': told, 'STEREOTYPE': name})}/>"
            for name, told in _CONSTRAINTS
        ]
        for label, entries in self._vocabularies.items():
            out.append(f"    <CONTROLLED_VOCABULARY{_attributes({'CV_ID': label})}>")
            out.append('        <DESCRIPTION LANG_REF="und"/>')
            for word, id in entries.items():
                value = f'<CVE_VALUE DESCRIPTION="" LANG_REF="und">{xml_text(word)}</CVE_VALUE>'
                out.append(f'        <CV_ENTRY_ML CVE_ID="{id}">{value}</CV_ENTRY_ML>')
            out.append("    </CONTROLLED_VOCABULARY>")
        return out


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and datetime.fromisoformat(text) is not None
    except ValueError:  # a thirteenth month
        return False


def _milliseconds(interval: Interval) -> tuple[float, float]:
    start = round(interval.start * 1e3)
    return start, max(round(interval.end * 1e3), start + 1)


def _vocabulary(track: str, tier: Tier) -> tuple[str, tuple[str, ...]] | None:
    labels = dict.fromkeys(i.label for i in tier if i.label.strip())
    if not labels:
        return None
    for name, known in KNOWN.items():
        if all(label in known for label in labels) and set(labels) != {"unknown"}:
            return name, known
    if len(labels) <= MOST_LABELS and len(tier) >= 2 * len(labels):
        return f"{track} labels", tuple(sorted(labels))
    return None


def _medium(place: str) -> dict[str, str]:
    """Where a medium is, as ELAN reads it: it takes what follows ``file:`` as it stands and decodes no ``%20``."""
    kind = {"MIME_TYPE": _MIME.get(Path(place).suffix.lower(), "unknown")}
    if "://" in place:
        return {"MEDIA_URL": place, **kind}
    path = Path(place)
    if path.is_absolute():
        return {
            "MEDIA_URL": f"file:///{path.as_posix().lstrip('/')}", **kind, "RELATIVE_MEDIA_URL": f"./{path.name}",
        }  # fmt: skip
    relative = path.as_posix()
    relative = relative if relative.startswith("../") else f"./{relative}"
    return {"MEDIA_URL": relative, **kind, "RELATIVE_MEDIA_URL": relative}


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {k}={xml_value(v)}" for k, v in values.items())


FORMAT = Format("ELAN", (".eaf",), ("tiers",), read, write, scenes=True)
