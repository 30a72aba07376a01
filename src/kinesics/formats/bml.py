"""BML 1.0: plans as XML that people and programs write, check and edit.

    <bml xmlns="http://www.bml-initiative.org/bml/bml-1.0" id="plan" composition="MERGE">
      <speech id="speech" start="0" end="1.4">
        <text><sync id="w0" time="0.1"/>Hello <sync id="w1" time="0.5"/>there</text>
      </speech>
      <gesture id="g1" lexeme="WAVE" mode="RIGHT_HAND" stroke="speech:w0 + 0.08"/>
      <posture id="p1" start="0"><stance type="STANDING"/><pose part="ARMS" lexeme="CROSSED"/></posture>
    </bml>

Carries ``plan``; the vocabulary is the core of the Behavior Markup Language 1.0 (Mindmakers, 2011). The same
plan as JSON is ``.bml.json``. A sync point is an attribute (``start ready strokeStart stroke strokeEnd
attackPeak relax end`` …) in seconds from the block's start or ``id:point ± seconds``; other attributes are
kept as they are, those of other namespaces (BMLA, BMLT) under ``{namespace}name``. BML does not say when
the words of a recorded speech are said: the attribute ``time`` of a ``<sync>`` is ours, and a plan without
it is timed by the speech as performed: the attribute ``untimed`` of the behaviour says ``id:words before``
of such marks. What became of the behaviours is written as ``<feedback>`` in a namespace of our own.

**Elements within behaviours** become attributes under their path, and are written again as elements:
``<stance type="SITTING"/>`` is the attribute ``stance/type``, of a second ``<pose>`` the part is
``pose#2/part``, and an element's own text is ``description/``. Those that BML does not know are kept
likewise, and reported. Text between the children of such an element (SSML) loses its place: reported.

**Face groups** are taken apart: each ``<lexeme>`` and ``<facs>`` in a ``<face>`` becomes a ``faceLexeme`` or
``faceFacs`` with the group's sync points and the product of both amounts; the first bears the group's id,
the others their own or ``id.2`` … The parts of a ``<faceShift>`` become faceShifts.

**Constraints.** The sync points of a ``<synchronize>`` are tied together by references: the one with a
time leads (seconds, a stated moment, then a mark in a speech), the others follow it. What cannot be said
so (``<before>``, ``<after>``, a contradiction, a behaviour that is not there) stays as a behaviour of the
kind ``constraint``, which is written again, and is reported; nothing enforces it.

Traps. Behaviours in ``<required>`` bear the attribute ``required="true"``; the block itself is opened, and
reported. ``block:id:point`` is a reference within the block when it bears that id; to another block it is
left open, and reported. Elements of other namespaces and unknown ones are kept as behaviours of an unknown
kind (``{namespace}name``) and reported. ``composition="APPEND"`` reads as MERGE, since a plan stands alone; it
and ``characterId`` and the block's other attributes are in ``meta["bml"]`` and are written again. Entities
and document types are refused (they can make a small file huge). The order of attributes and behaviours
is kept.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax import handler
from xml.sax.xmlreader import Locator

from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.files import existing, replacing
from kinesics.formats._bml_build import CHILDREN, POINTS, Builder, head_of_meta
from kinesics.formats._bml_write import NAMESPACE, OWN, write_bml
from kinesics.formats._format import Format
from kinesics.formats._text import head_of
from kinesics.performance import Feedback, Performance, Plan, Sync

__all__ = ["FORMAT", "NAMESPACE", "OWN", "read_bml", "write_bml"]

MOST_BYTES = 32_000_000
MOST_BEHAVIOURS = 200_000
MOST_DEPTH = 16
MOST_PATH = 500


def read_bml(source: str | bytes | Path, *, name: str = "") -> Plan:
    """Read a plan.

    Parameters
    ----------
    source
        The XML itself, or a file.
    name
        What to call it in errors.

    Returns
    -------
    Plan
        With one feedback ``unknown`` per element that is not BML 1.0's.

    Raises
    ------
    FormatError
        With the line, on anything that is not a plan.

    Examples
    --------
    >>> plan = read_bml('<bml id="a"><head id="h" lexeme="NOD" start="1"/></bml>')
    >>> plan["h"].sync["start"].offset
    1.0
    """
    return _parsed(source, name).plan()


def _parsed(source: str | bytes | Path, name: str) -> _Reader:
    if isinstance(source, Path):
        name = name or str(source)
        if source.stat().st_size > MOST_BYTES:
            raise FormatError(name, "size", f"at most {MOST_BYTES // 10**6} MB", "split the plan")
        data = source.read_bytes()
    else:
        data = source.encode() if isinstance(source, str) else source
    name = name or "BML"
    if len(data) > MOST_BYTES:
        raise FormatError(name, "size", f"at most {MOST_BYTES // 10**6} MB", "split the plan")
    import defusedxml.sax
    from defusedxml.common import DefusedXmlException

    reader = _Reader(name)
    parser = defusedxml.sax.make_parser()
    parser.forbid_dtd = True
    parser.setFeature(handler.feature_namespaces, True)
    parser.setContentHandler(reader)
    parser.setErrorHandler(reader)
    try:
        parser.parse(io.BytesIO(data))
    except DefusedXmlException as error:
        raise reader.wrong(
            "a plan without document type and entities", "remove the <!DOCTYPE …> and write characters out"
        ) from error
    except (UnicodeDecodeError, ValueError, LookupError) as error:
        if isinstance(error, FormatError):
            raise
        raise reader.wrong(f"well-formed XML ({error})", "save it as UTF-8") from error
    return reader


@dataclass
class _Frame:
    """An element within a behaviour: its path, and what was found in it."""

    path: str
    attributes: bool
    children: bool = False
    text: list[str] = field(default_factory=list)


@dataclass
class _Open:
    """A behaviour whose end has not come yet."""

    kind: str
    id: str
    attributes: dict[str, str]
    depth: int
    sync: dict[str, Sync] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    untimed: list[str] = field(default_factory=list)
    frames: list[_Frame | None] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _counted: int = 0
    _words: int = 0
    _within: bool = False

    def words(self) -> int:
        """Words of the text so far; what was counted before is not looked at again."""
        new = "".join(self.text[self._counted :])
        self._counted = len(self.text)
        if new:
            self._words += len(new.split()) - (self._within and not new[0].isspace())
            self._within = not new[-1].isspace()
        return self._words


class _Reader(handler.ContentHandler, handler.ErrorHandler):
    """Turns SAX events into behaviours, knowing the line of each."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._locator: Locator | None = None
        self._depth = 0
        self._space: str | None = None
        self._rooted = False
        self._required: list[int] = []
        self._lines: dict[str, int] = {}
        self._open: _Open | None = None
        self.builder = Builder()

    def wrong(self, expected: str, fix: str) -> FormatError:
        return FormatError(self._name, f"line {self._line()}", expected, fix)

    def _line(self) -> int:
        return (self._locator.getLineNumber() if self._locator is not None else None) or 1

    def plan(self) -> Plan:
        try:
            return self.builder.plan()
        except KinesicsError as error:
            raise self.wrong(f"a plan ({error})", "mend it") from error

    def setDocumentLocator(self, locator: Locator) -> None:
        self._locator = locator

    def fatalError(self, exception: Any) -> None:
        raise FormatError(
            self._name,
            f"line {exception.getLineNumber() or 1}",
            f"well-formed XML ({exception.getMessage()})",
            "mend the XML there",
        ) from exception

    error = warning = fatalError

    def _full(self, space: str | None, name: str) -> str:
        return name if space in (None, self._space, NAMESPACE) else f"{{{space}}}{name}"

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:
        space, tag = name
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self.wrong(f"at most {MOST_DEPTH} levels of elements", "flatten the plan")
        values = {self._full(*key): value for key, value in attrs.items()}
        if not self._rooted:
            self._rooted = True
            if tag != "bml":
                raise self.wrong(f"<bml>, found <{tag}>", "begin with <bml id='plan'>")
            self._space = space
            try:
                self.builder.begin(values)
            except ValueError as error:
                raise self.wrong(str(error), "correct the attribute") from error
            return
        if space == OWN:
            if tag == "feedback" and self._open is None:
                self._told(values)
            return
        tag = self._full(space, tag)
        if self._open is not None:
            self._inside(self._open, tag, values)
        elif tag in ("required", "bml"):
            self.builder.note(
                f"<{tag}>",
                "<required> blocks are opened: what they hold bears required='true'"
                if tag == "required"
                else "<bml> within <bml> is opened: its behaviours count like all others",
            )
            if tag == "required":
                self._required.append(self._depth)
        else:
            self._begin(tag, values)

    def _begin(self, tag: str, values: dict[str, str]) -> None:
        if len(self._lines) >= MOST_BEHAVIOURS:
            raise self.wrong(f"at most {MOST_BEHAVIOURS} behaviours", "split the plan")
        id = values.pop("id", "")
        if not id and tag == "constraint":
            id = f"constraint{len(self._lines) + 1}"
        if not id:
            raise self.wrong(f"an id on <{tag}>", f"write <{tag} id='…'>")
        if id in self._lines:
            raise self.wrong(
                f"an id of its own on <{tag}>; {id!r} is taken in line {self._lines[id]}",
                "give it another id",
            )
        self._lines[id] = self._line()
        if self._required:
            values.setdefault("required", "true")
        opened = _Open(tag, id, values, self._depth)
        for key in [k for k in values if k in POINTS or k.startswith("sync-")]:
            self._moment(opened, key.removeprefix("sync-"), key, values.pop(key))
        self._open = opened

    def _inside(self, opened: _Open, tag: str, values: dict[str, str]) -> None:
        above = opened.frames[-1] if opened.frames else None
        if above is None and tag == "sync" and opened.kind == "speech":
            self._mark(opened, values)
            opened.frames.append(None)
            return
        if above is None and tag == "text" and not values:
            opened.frames.append(None)
            return
        parent = "" if above is None else above.path
        count = opened.counts[parent, tag] = opened.counts.get((parent, tag), 0) + 1
        path = f"{parent}{tag}/" if count == 1 else f"{parent}{tag}#{count}/"
        if any(len(path) + len(key) > MOST_PATH for key in ("", *values)):
            raise self.wrong(
                f"at most {MOST_PATH} characters in names of nested elements", "flatten the plan"
            )
        opened.attributes.update({path + key: value for key, value in values.items()})
        opened.frames.append(_Frame(path, bool(values)))
        if above is not None:
            above.children = True
        elif tag not in CHILDREN and opened.kind != "constraint":
            self.builder.note(opened.id, f"<{tag}> in <{opened.kind}> is not BML 1.0's; kept, not understood")

    def _mark(self, opened: _Open, values: dict[str, str]) -> None:
        point = values.get("id", "")
        if not point:
            raise self.wrong("an id on <sync>", "write <sync id='w3'/>")
        if point in opened.sync:
            raise self.wrong(f"sync {point!r} once", "give each <sync> its own id")
        for key in ("time", "ref"):
            if key in values:
                self._moment(opened, point, key, values[key])
                return
        opened.untimed.append(f"{point}:{opened.words()}")

    def _moment(self, opened: _Open, point: str, key: str, value: str) -> None:
        try:
            moment = self.builder.sync(opened.id, point, value)
        except KinesicsError as error:
            raise self.wrong(
                f"a time in {key}={value!r}", f"write seconds or 'id:point + 0.1' ({error})"
            ) from error
        if moment is not None:
            opened.sync[point] = moment

    def _told(self, values: dict[str, str]) -> None:
        try:
            times = {k[5:]: float(v) for k, v in values.items() if k.startswith("time-")}
            self.builder.told(
                Feedback(values.get("of", ""), values.get("status", ""), values.get("reason", ""), times)
            )
        except (ValueError, DataError) as error:
            raise self.wrong(f"feedback ({error})", "remove the <feedback>") from error

    def characters(self, content: str) -> None:
        if self._open is not None:
            frame = self._open.frames[-1] if self._open.frames else None
            (self._open.text if frame is None else frame.text).append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        opened = self._open
        if opened is not None and self._depth == opened.depth:
            self._open = None
            text = " ".join("".join(opened.text).split())
            if opened.untimed:
                opened.attributes["untimed"] = " ".join(
                    [*opened.attributes.get("untimed", "").split(), *opened.untimed]
                )
            try:
                self.builder.add(opened.id, opened.kind, opened.sync, opened.attributes, text)
            except (KinesicsError, ValueError) as error:
                raise self.wrong(f"a {opened.kind} ({error})", "mend it") from error
        elif opened is not None and name[0] != OWN:
            self._close(opened)
        if self._required and self._required[-1] == self._depth:
            self._required.pop()
        self._depth -= 1

    def _close(self, opened: _Open) -> None:
        frame = opened.frames.pop()
        if frame is None:
            return
        text = " ".join("".join(frame.text).split())
        if text or not (frame.attributes or frame.children):
            opened.attributes[frame.path] = text
        if text and frame.children:
            self.builder.note(opened.id, f"{frame.path}: what stands between its elements has lost its place")


def _read(path: Path) -> Performance:
    reader = _parsed(existing(Path(path), "a BML file"), "")
    head = reader.builder.head
    return Performance({"plan": reader.plan()}, {"bml": head} if head else {})


def _write(performance: Performance, path: Path) -> None:
    if "plan" not in performance:
        raise DataError(f"{path}: the performance has no plan to write as BML")
    text = write_bml(performance.plan, head=head_of_meta(performance))
    with replacing(Path(path)) as file:
        file.write(text.encode())


def _recognises(path: Path) -> bool:
    try:
        return re.search(r"<([\w.-]+:)?bml\b", head_of(path)) is not None
    except OSError:
        return False


FORMAT = Format("BML 1.0", (".bml",), ("plan",), _read, _write, _recognises, (".xml",))
