"""BML as JSON: the same plans as ``.bml``, for programs and language models that would rather write JSON.

    {"bml": {"id": "plan", "composition": "MERGE"},
     "behaviours": [
       {"type": "speech", "id": "speech", "start": 0, "end": 1.4, "text": "Hello there",
        "sync": {"w0": 0.1, "w1": 0.5}},
       {"type": "gesture", "id": "g1", "stroke": "speech:w0 + 0.08", "lexeme": "WAVE"}],
     "feedback": [{"id": "g1", "status": "realised", "reason": "", "times": {"stroke": 0.18}}]}

Carries ``plan``, losslessly: a plan read from ``.bml`` and written as ``.bml.json`` comes back equal, and the
other way round (numbers to the last bit). A plan that XML cannot hold (a control character) JSON can.

The mapping: an element's name is ``type``; ``id`` and ``text`` are what they are. The sync points of BML 1.0
(``start ready strokeStart stroke strokeEnd attackPeak relax end``) stand beside them, a number for seconds
or a text for ``id:point ± seconds``; moments of other names, such as the words of a speech, are under
``sync``. Everything else is an attribute, written as text. Elements within behaviours are attributes under
their path, as in ``.bml``: ``"stance/type": "SITTING"``; reading also takes them as objects, ``"stance":
{"type": "SITTING"}``, and lists of objects for several, ``"pose": [{…}, {…}]``, an element's own text under
``""``. An attribute that bears a name with a meaning here (``type``, ``text``, ``sync`` …) is under
``attributes``. ``bml`` holds the block's attributes; ``feedback`` says what became of the behaviours.

Reading is lenient where nothing is lost: numbers and true/false as attributes, ``behaviors``, ``kind`` for
``type``, behaviours without id (they get ``head1``, ``head2`` …), a bare list of behaviours, and the
``{"type": "behaviours", "composition": …, "data": […]}`` that web characters use. Constraints, face groups and
references to the block are treated as ``.bml`` says. A ``.json`` is read when it looks like this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.files import existing, replacing
from kinesics.formats._bml_build import POINTS, Builder, head_of_meta
from kinesics.formats._bml_write import time_text
from kinesics.formats._encode import MAX_NUMBER, json_in
from kinesics.formats._format import Format
from kinesics.formats._text import head_of, text_of
from kinesics.formats._tiers import encoded
from kinesics.performance import Behaviour, Feedback, Performance, Plan

MOST_BYTES = 32_000_000
MOST_BEHAVIOURS = 200_000
MOST_DEPTH = 16
MOST_PATH = 500

_RESERVED = frozenset({"type", "kind", "id", "text", "sync", "attributes"})
_LISTS = ("behaviours", "behaviors", "data")


def read_bml_json(source: str | bytes, *, name: str = "BML") -> Plan:
    """Read a plan.

    Parameters
    ----------
    source
        The JSON.
    name
        What to call it in errors.

    Raises
    ------
    FormatError
        With the place, on anything that is not a plan.

    Examples
    --------
    >>> plan = read_bml_json('{"behaviours": [{"type": "head", "lexeme": "NOD", "start": 1}]}')
    >>> plan["head1"].sync["start"].offset, plan["head1"].attributes["lexeme"]
    (1.0, 'NOD')
    """
    return _built(source, name)[1]


def _built(source: str | bytes, name: str) -> tuple[Builder, Plan]:
    data = source.encode() if isinstance(source, str) else source
    if len(data) > MOST_BYTES:
        raise FormatError(name, "size", f"at most {MOST_BYTES // 10**6} MB", "split the plan")
    whole = json_in(data, name)
    reader = _Reader(name)
    return reader.builder, reader.plan(whole)


class _Reader:
    """Takes JSON apart, knowing the place of what is wrong."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.builder = Builder()

    def _wrong(self, where: str, expected: str, fix: str = "correct it") -> FormatError:
        # Names in the file may hold line breaks; an error is one line.
        return FormatError(self._name, " ".join(where.split()), " ".join(expected.split()), fix)

    def plan(self, whole: Any) -> Plan:
        if isinstance(whole, list):
            whole = {"behaviours": whole}
        key = next((k for k in _LISTS if isinstance(whole, dict) and isinstance(whole.get(k), list)), None)
        if key is None:
            raise self._wrong("top level", '{"behaviours": […]}', "put the behaviours into such a list")
        head = whole.get("bml", {})
        head = dict(head) if isinstance(head, dict) else {}
        for about in ("id", "composition", "characterId"):
            if about in whole:
                head.setdefault(about, whole[about])
        try:
            self.builder.begin({k: self._plain(v, f"bml.{k}") for k, v in head.items()})
        except FormatError:
            raise
        except ValueError as error:
            raise self._wrong("bml.composition", str(error)) from error
        rows = whole[key]
        if len(rows) > MOST_BEHAVIOURS:
            raise self._wrong(key, f"at most {MOST_BEHAVIOURS} behaviours", "split the plan")
        taken = {b["id"] for b in rows if isinstance(b, dict) and isinstance(b.get("id"), str)}
        counts: dict[str, int] = {}
        for n, row in enumerate(rows):
            self._behaviour(row, f"{key}[{n}]", taken, counts)
        for n, row in enumerate(self._list(whole.get("feedback", []), "feedback")):
            self._feedback(row, f"feedback[{n}]")
        try:
            return self.builder.plan()
        except KinesicsError as error:
            raise self._wrong(key, f"a plan ({error})", "mend it") from error

    def _list(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise self._wrong(where, "a list")
        return value

    def _behaviour(self, row: Any, where: str, taken: set[str], counts: dict[str, int]) -> None:
        if not isinstance(row, dict):
            raise self._wrong(where, 'a behaviour such as {"type": "head", "lexeme": "NOD"}')
        kind = row.get("type", row.get("kind"))
        if not isinstance(kind, str) or not kind:
            raise self._wrong(f"{where}.type", "the behaviour's name, such as 'gesture'")
        id = row.get("id")
        while id is None or id == "":
            counts[kind] = counts.get(kind, 0) + 1
            id = f"{kind}{counts[kind]}"
            if id in taken:
                id = None
        if not isinstance(id, str):
            raise self._wrong(f"{where}.id", "a text")
        if id in self.builder:
            raise self._wrong(f"{where}.id", f"an id of its own; {id!r} is taken", "give it another id")
        taken.add(id)
        sync, attributes = {}, {}
        moments = row.get("sync", {})
        if not isinstance(moments, dict):
            raise self._wrong(f"{where}.sync", "an object of moments")
        for point, value in [*((k, row[k]) for k in row if k in POINTS), *moments.items()]:
            try:
                moment = self.builder.sync(id, point, self._plain(value, f"{where}.{point}"))
            except FormatError:
                raise
            except KinesicsError as error:
                raise self._wrong(
                    f"{where}.{point}", f"seconds or 'id:point + 0.1' ({error})", "correct the time"
                ) from error
            if moment is not None:
                sync[point] = moment
        explicit = row.get("attributes", {})
        if not isinstance(explicit, dict):
            raise self._wrong(f"{where}.attributes", "an object of texts")
        # `kind` names the behaviour only where `type` does not.
        reserved = _RESERVED - ({"kind"} if "type" in row else set())
        stated = [(k, v) for k, v in row.items() if k not in reserved and k not in POINTS]
        for k, v in [*stated, *explicit.items()]:
            attributes.update(self._flat(k, v, f"{where}.{k}", 1))
        try:
            text = self._plain(row.get("text", ""), f"{where}.text")
            self.builder.add(id, kind, sync, attributes, text)
        except FormatError:
            raise
        except (KinesicsError, ValueError) as error:
            raise self._wrong(where, f"a {kind} ({error})", "mend it") from error

    def _flat(self, key: str, value: Any, where: str, depth: int) -> Iterator[tuple[str, str]]:
        if len(key) > MOST_PATH or depth > MOST_DEPTH:
            raise self._wrong(where[:120], f"at most {MOST_DEPTH} levels and short names", "flatten the plan")
        if isinstance(value, dict):
            if not value:
                yield f"{key}/", ""
            for k, v in value.items():
                yield from self._flat(f"{key}/{k}", v, f"{where}.{k}", depth + 1)
        elif isinstance(value, list):
            for n, v in enumerate(value, 1):
                if not isinstance(v, dict):
                    raise self._wrong(f"{where[:120]}[{n - 1}]", "an object of attributes")
                yield from self._flat(key if n == 1 else f"{key}#{n}", v, f"{where}[{n - 1}]", depth)
        else:
            yield key, self._plain(value, where)

    def _plain(self, value: Any, where: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)) and abs(value) <= MAX_NUMBER:
            return repr(value).removesuffix(".0")
        if not isinstance(value, str):
            raise self._wrong(where[:120], "a text or a number")
        return value

    def _feedback(self, row: Any, where: str) -> None:
        if not isinstance(row, dict):
            raise self._wrong(where, "an object")
        times = row.get("times", {})
        try:
            if not isinstance(times, dict):
                raise ValueError("times")
            self.builder.told(
                Feedback(
                    self._plain(row.get("id", ""), where),
                    self._plain(row.get("status", ""), where),
                    self._plain(row.get("reason", ""), where),
                    {k: float(v) for k, v in times.items()},
                )
            )
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, FormatError):
                raise
            raise self._wrong(where, f"feedback ({error})", "remove it") from error


def write_bml_json(plan: Plan, *, head: Mapping[str, str] | None = None) -> str:
    """Write a plan; :func:`read_bml_json` gives back an equal one.

    Parameters
    ----------
    plan
        What to write.
    head
        Attributes of the block, such as ``id`` and ``characterId``.

    Raises
    ------
    DataError
        On an attribute that bears the name of a sync point.
    """
    about = {"id": "plan", "composition": plan.composition, **(head or {})}
    rows = ",\n  ".join(_json(_row(b)) for b in plan)
    told = ",\n  ".join(
        _json({"id": f.id, "status": f.status, "reason": f.reason, "times": dict(f.times)})
        for f in plan.feedback
    )
    out = f'{{"bml": {_json(about)},\n "behaviours": [\n  {rows}]'
    return out + (f',\n "feedback": [\n  {told}]' if plan.feedback else "") + "}\n"


def _row(b: Behaviour) -> dict[str, Any]:
    if clash := [k for k in b.attributes if k in POINTS]:
        raise DataError(f"behaviour {b.id!r}: the attribute {clash[0]!r} is a sync point; state it as sync")
    moments = {k: s.offset if s.behaviour is None else time_text(s) for k, s in b.sync.items()}
    row: dict[str, Any] = {"type": b.kind, "id": b.id}
    row |= {k: v for k, v in moments.items() if k in POINTS}
    row |= {k: v for k, v in b.attributes.items() if k not in _RESERVED}
    if b.text:
        row["text"] = b.text
    if others := {k: v for k, v in moments.items() if k not in POINTS}:
        row["sync"] = others
    if hidden := {k: v for k, v in b.attributes.items() if k in _RESERVED}:
        row["attributes"] = hidden
    return row


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise DataError(f"a plan with a number that JSON cannot hold: {error}") from error


def _read(path: Path) -> Performance:
    path = existing(Path(path), "a BML file")
    builder, plan = _built(text_of(path, most=MOST_BYTES), str(path))
    return Performance({"plan": plan}, {"bml": dict(builder.head)} if builder.head else {})


def _write(performance: Performance, path: Path) -> None:
    if "plan" not in performance:
        raise DataError(f"{path}: the performance has no plan to write as BML")
    data = encoded(write_bml_json(performance.plan, head=head_of_meta(performance)), Path(path))
    with replacing(Path(path)) as file:
        file.write(data)


def recognises(path: Path) -> bool:
    """Whether a .json looks like behaviours."""
    try:
        head = head_of(path, 4096).lstrip("\ufeff \t\r\n")
    except OSError:
        return False
    if re.match(r'\{\s*"(bml|behaviou?rs)"\s*:', head):
        return True
    return head.startswith("{") and (
        re.search(r'"type"\s*:\s*"behaviou?rs"', head) is not None
        or re.search(r'"behaviou?rs"\s*:\s*\[\s*[{\]]', head) is not None
    )


FORMAT = Format("BML as JSON", (".bml.json",), ("plan",), _read, _write, recognises, (".json",))
