"""BML 1.0: plans as XML that people and programs write, check and edit.

    <bml xmlns="http://www.bml-initiative.org/bml/bml-1.0" id="plan" composition="MERGE">
      <speech id="speech" start="0" end="1.4">
        <text><sync id="w0" time="0.1"/>Hello <sync id="w1" time="0.5"/>there</text>
      </speech>
      <gesture id="g1" lexeme="WAVE" mode="RIGHT_HAND" stroke="speech:w0 + 0.08"/>
    </bml>

A sync point is an attribute (``start ready strokeStart stroke strokeEnd attackPeak relax end`` …) in seconds
or ``id:point ± seconds``; other attributes are kept as they are. BML does not say when the words of a
recorded speech are said: the attribute ``time`` of a ``<sync>`` is ours, and a plan without it is timed by
the speech as performed: the attribute ``untimed`` of the behaviour says ``id:words before`` of such marks.
Other elements are kept as behaviours of an unknown kind and reported.
What became of the behaviours is written as ``<feedback>`` in a namespace of our own.

Traps: entities and document types are refused (they can make a small file huge); the order of attributes
is kept, that of behaviours too; ``<required>`` and ``<constraint>`` blocks of BML are read into the
behaviours they hold, and reported.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax import handler, saxutils
from xml.sax.xmlreader import Locator

from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.formats._files import existing, replacing
from kinesics.formats._format import Format
from kinesics.performance import KINDS, Behaviour, Feedback, Performance, Plan, Sync
from kinesics.performance.plan import SYNC_POINTS

NAMESPACE = "http://www.bml-initiative.org/bml/bml-1.0"
OWN = "urn:kinesics:bml:1"
MOST_BYTES = 32_000_000
MOST_BEHAVIOURS = 200_000
MOST_DEPTH = 16
_POINTS = frozenset(SYNC_POINTS) | {"attackPeak"}
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"^[A-Za-z_][\w.-]*$")


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
    return reader.plan()


class _Reader(handler.ContentHandler, handler.ErrorHandler):
    """Turns SAX events into behaviours, knowing the line of each."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._locator: Locator | None = None
        self._depth = 0
        self._composition = "MERGE"
        self._behaviours: list[Behaviour] = []
        self._feedback: list[Feedback] = []
        self._ids: dict[str, int] = {}
        self._open: tuple[str, str, dict[str, Sync], dict[str, str], int] | None = None
        self._text: list[str] = []
        self._rooted = False

    def wrong(self, expected: str, fix: str) -> FormatError:
        line = self._locator.getLineNumber() if self._locator is not None else None
        return FormatError(self._name, f"line {line or 1}", expected, fix)

    def plan(self) -> Plan:
        try:
            return Plan(tuple(self._behaviours), tuple(self._feedback), self._composition)
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

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:
        space, tag = name
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self.wrong(f"at most {MOST_DEPTH} levels of elements", "flatten the plan")
        values = {key[1]: v for key, v in attrs.items() if not key[0]}
        for key, _ in attrs.items():
            if key[0]:
                self._note(f"<{tag}>", f"the attribute {key[1]!r} of {key[0]} is not understood and left out")
        if not self._rooted:
            self._rooted = True
            if tag != "bml":
                raise self.wrong(f"<bml>, found <{tag}>", "begin with <bml id='plan'>")
            self._composition = values.get("composition", "MERGE").upper()
            if self._composition == "APPEND":
                self._composition = "MERGE"
            if self._composition not in ("MERGE", "REPLACE"):
                raise self.wrong("composition MERGE, APPEND or REPLACE", "correct the attribute")
            return
        if space == OWN:
            if tag == "feedback":
                self._told(values)
            return
        if self._open is not None:
            self._inside(tag, values)
            return
        if tag in ("required", "constraint", "bml"):
            self._note(f"<{tag}>", f"<{tag}> blocks are opened: their behaviours count like all others")
            return
        self._begin(tag, values)

    def _begin(self, tag: str, values: dict[str, str]) -> None:
        if len(self._behaviours) >= MOST_BEHAVIOURS:
            raise self.wrong(f"at most {MOST_BEHAVIOURS} behaviours", "split the plan")
        id = values.pop("id", "")
        if not id:
            raise self.wrong(f"an id on <{tag}>", f"write <{tag} id='…'>")
        if id in self._ids:
            raise self.wrong(
                f"an id of its own on <{tag}>; {id!r} is taken in line {self._ids[id]}", "give it another id"
            )
        line = self._locator.getLineNumber() if self._locator is not None else 0
        self._ids[id] = line
        sync: dict[str, Sync] = {}
        for key in [k for k in values if k in _POINTS or k.startswith("sync-")]:
            sync[key.removeprefix("sync-")] = self._sync(key, values.pop(key))
        self._text = []
        self._open = (tag, id, sync, values, self._depth)

    def _inside(self, tag: str, values: dict[str, str]) -> None:
        assert self._open is not None
        kind, id, sync, attributes, _ = self._open
        if tag == "sync" and kind == "speech":
            point = values.get("id", "")
            if not point:
                raise self.wrong("an id on <sync>", "write <sync id='w3'/>")
            if point in sync:
                raise self.wrong(f"sync {point!r} once", "give each <sync> its own id")
            if "time" in values:
                sync[point] = self._sync("time", values["time"])
            elif "ref" in values:
                sync[point] = self._sync("ref", values["ref"])
            else:
                said = len("".join(self._text).split())
                attributes["untimed"] = " ".join([*attributes.get("untimed", "").split(), f"{point}:{said}"])
        elif tag != "text":
            self._note(id, f"<{tag}> in <{kind}> is not understood and left out")

    def _sync(self, key: str, value: str) -> Sync:
        try:
            return Sync.parse(value)
        except KinesicsError as error:
            raise self.wrong(
                f"a time in {key}={value!r}", f"write seconds or 'id:point + 0.1' ({error})"
            ) from error

    def _told(self, values: dict[str, str]) -> None:
        try:
            times = {k[5:]: float(v) for k, v in values.items() if k.startswith("time-")}
            status, reason = values.get("status", ""), values.get("reason", "")
            told = Feedback(values.get("of", ""), status, reason, times)
            # a reader's own note on an unknown element, written down and read again, is one note
            if status != "unknown" or told not in self._feedback:
                self._feedback.append(told)
        except (ValueError, DataError) as error:
            raise self.wrong(f"feedback ({error})", "remove the <feedback>") from error

    def _note(self, id: str, reason: str) -> None:
        note = Feedback(id, "unknown", reason)
        if note not in self._feedback:
            self._feedback.append(note)

    def characters(self, content: str) -> None:
        if self._open is not None:
            self._text.append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        if self._open is not None and self._depth == self._open[4]:
            kind, id, sync, attributes, _ = self._open
            self._open = None
            text = " ".join("".join(self._text).split())
            try:
                self._behaviours.append(Behaviour(id, kind, sync, attributes, text))
            except KinesicsError as error:
                raise self.wrong(f"a {kind} ({error})", "mend it") from error
            told = any(f.id == id and f.status == "unknown" for f in self._feedback)
            if kind not in KINDS and not told:
                self._note(id, f"<{kind}> is not a behaviour of BML 1.0; kept, not performed")
        self._depth -= 1


def write_bml(plan: Plan) -> str:
    """Write a plan as BML 1.0.

    Parameters
    ----------
    plan
        What to write; :func:`read_bml` gives back an equal plan.

    Raises
    ------
    DataError
        On an id, kind or attribute name that XML cannot hold.

    Examples
    --------
    >>> print(write_bml(Plan((Behaviour("h", "head", {"start": Sync(1.0)}, {"lexeme": "NOD"}),))))
    <?xml version="1.0" encoding="UTF-8"?>
    <bml xmlns="http://www.bml-initiative.org/bml/bml-1.0" id="plan" composition="MERGE">
      <head id="h" lexeme="NOD" start="1"/>
    </bml>
    <BLANKLINE>
    """
    own = f" xmlns:kinesics={saxutils.quoteattr(OWN)}" if plan.feedback else ""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<bml xmlns="{NAMESPACE}"{own} id="plan" composition="{plan.composition}">',
    ]
    lines += [_element(b) for b in plan]
    for f in plan.feedback:
        times = {f"time-{k}": repr(float(v)) for k, v in f.times.items()}
        values = {"of": f.id, "status": f.status, "reason": f.reason, **times}
        lines.append(f"  <kinesics:feedback{_attributes(values)}/>")
    return "\n".join([*lines, "</bml>", ""])


def _element(b: Behaviour) -> str:
    if not _NAME.match(b.kind):
        raise DataError(f"behaviour {b.id!r}: the kind {b.kind!r} is no XML name")
    shown = {k: v for k, v in b.attributes.items() if k != "untimed"}
    if clash := [k for k in shown if k in _POINTS or k == "id" or k.startswith("sync-")]:
        raise DataError(f"behaviour {b.id!r}: the attribute {clash[0]!r} is a sync point; state it as sync")
    words = [k for k in b.sync if k not in _POINTS] if b.kind == "speech" else []
    untimed = b.attributes.get("untimed", "").split() if b.kind == "speech" else []
    for k, s in b.sync.items():
        if k not in words:
            shown[k if k in _POINTS else f"sync-{k}"] = _time(s)
    head = f"  <{b.kind}{_attributes({'id': b.id, **shown})}"
    if not b.text and not words and not untimed:
        return head + "/>"
    if not (words or untimed):
        return f"{head}><text>{_escaped(b.text, b.id)}</text></{b.kind}>"
    spoken = b.text.split()
    # a mark goes before the word of its number, if it is numbered like one; others that are timed go first
    at: dict[int, list[str]] = {}
    for k in words:
        i = int(k[1:]) if k[0] == "w" and k[1:].isdecimal() else 0
        at.setdefault(min(i, len(spoken)), []).append(k)
    for mark in untimed:
        k, _, i = mark.rpartition(":")
        at.setdefault(min(int(i), len(spoken)), []).append(k)
    parts = []
    for i in range(len(spoken) + 1):
        for k in at.get(i, ()):
            timed = f" time={saxutils.quoteattr(_time(b.sync[k]))}" if k in b.sync else ""
            parts.append(f"<sync id={saxutils.quoteattr(_checked(k, b.id))}{timed}/>")
        if i < len(spoken):
            parts.append(_escaped(spoken[i], b.id) + " ")
    return f"{head}>\n    <text>{''.join(parts).rstrip()}</text>\n  </{b.kind}>"


def _time(sync: Sync) -> str:
    # repr keeps every bit: what is read back is equal
    if sync.behaviour is None:
        return repr(sync.offset).removesuffix(".0")
    tail = f" {'-' if sync.offset < 0 else '+'} {_decimal(abs(sync.offset))}" if sync.offset else ""
    return f"{sync.behaviour}:{sync.point}{tail}"


def _decimal(value: float) -> str:
    text = repr(value).removesuffix(".0")
    # references take plain decimals (and e-5), no e+20
    return f"{value:.0f}" if "e+" in text else text


def _attributes(values: Mapping[str, str]) -> str:
    out = []
    for key, value in values.items():
        if not _NAME.match(key):
            raise DataError(f"the attribute name {key!r} is no XML name")
        escapes = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
        out.append(f" {key}={saxutils.quoteattr(_checked(value, key), escapes)}")
    return "".join(out)


def _escaped(text: str, what: str) -> str:
    return saxutils.escape(_checked(text, what))


def _checked(text: str, what: str) -> str:
    if found := _UNSPEAKABLE.search(text):
        raise DataError(f"{what}: the character {found[0]!r} cannot be written in XML; remove it")
    return text


def _read(path: Path) -> Performance:
    return Performance({"plan": read_bml(existing(Path(path), "a BML file"))})


def _write(performance: Performance, path: Path) -> None:
    if "plan" not in performance:
        raise DataError(f"{path}: the performance has no plan to write as BML")
    text = write_bml(performance.plan)
    with replacing(Path(path)) as file:
        file.write(text.encode())


FORMAT = Format("BML 1.0", (".bml",), ("plan",), _read, _write)
