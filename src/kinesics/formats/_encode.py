"""Tiers, plans and facts as JSON, shared by the formats that carry them whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from kinesics.errors import DataError, FormatError
from kinesics.performance import Behaviour, Feedback, Interval, Plan, Sync, Tier

MAX_NUMBER = 1e12
_RATE = re.compile(r"[1-9][0-9]{0,11}(/[1-9][0-9]{0,11})?")


def to_json(value: Any, what: str) -> bytes:
    """JSON in UTF-8, without NaN; a DataError names what cannot be written.

    Keys stay in order, so that the same performance gives the same bytes.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{what} cannot be written: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if type(value).__name__ in ("Fraction", "PosixPath", "WindowsPath"):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r:.60} is not a number, text, list or mapping")


def from_json(data: bytes) -> Any:
    """Parse JSON that nobody vouches for; whatever is wrong with it is a ValueError."""

    def refuse(name: str) -> float:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(data, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError as error:
        # Python's own words are about its setting for whole numbers of thousands of digits.
        raise ValueError(
            "a number of thousands of digits" if "digits" in str(error) else str(error)
        ) from error


def json_in(data: bytes | str, name: object) -> Any:
    """Parse the JSON of a file that is called ``name`` in the FormatError, which tells the line."""
    try:
        return from_json(data.encode("utf-8") if isinstance(data, str) else data)
    except json.JSONDecodeError as error:
        where, why = f"line {error.lineno}, column {error.colno}", error.msg
    except ValueError as error:
        where, why = "JSON", str(error)
    raise FormatError(
        name, where, f"well-formed JSON ({why})", "mend it there; if the file is cut off, copy it again"
    )


def encode_tier(tier: Tier) -> dict[str, Any]:
    """``{"name", "intervals": [[start, end, label, value, confidence], …]}``."""
    return {
        "name": tier.name,
        "intervals": [[i.start, i.end, i.label, i.value, i.confidence] for i in tier],
    }


def decode_tier(value: Any) -> Tier:
    """The reverse; raises ValueError (a DataError is one) on anything else."""
    intervals = []
    for row in items(value, "intervals"):
        if not isinstance(row, list) or len(row) != 5 or not isinstance(row[2], str):
            raise ValueError(f"interval {row!r:.80}; expected [start, end, label, value, confidence]")
        number_or_none = None if row[3] is None else number(row[3])
        intervals.append(Interval(number(row[0]), number(row[1]), row[2], number_or_none, number(row[4])))
    return Tier(text(value, "name"), tuple(intervals))


def encode_plan(plan: Plan) -> dict[str, Any]:
    """Behaviours, feedback and composition, lossless."""
    return {
        "composition": plan.composition,
        "behaviours": [
            {
                "id": b.id,
                "kind": b.kind,
                "sync": {k: [s.offset, s.behaviour, s.point] for k, s in b.sync.items()},
                "attributes": dict(b.attributes),
                "text": b.text,
            }
            for b in plan
        ],
        "feedback": [
            {"id": f.id, "status": f.status, "reason": f.reason, "times": dict(f.times)}
            for f in plan.feedback
        ],
    }


def decode_plan(value: Any) -> Plan:
    """The reverse; raises ValueError (DataError and PlanError are) on anything else."""

    def sync(row: Any) -> Sync:
        if not isinstance(row, list) or len(row) != 3:
            raise ValueError(f"sync {row!r:.80}; expected [offset, behaviour, point]")
        if not all(r is None or isinstance(r, str) for r in row[1:]) or (row[1] is None) != (row[2] is None):
            raise ValueError(f"sync {row!r:.80}; expected a behaviour and its point, or null twice")
        return Sync(number(row[0]), row[1], row[2])

    behaviours = [
        Behaviour(
            text(b, "id"),
            text(b, "kind"),
            {k: sync(s) for k, s in mapping(b, "sync").items()},
            {k: _text(a) for k, a in mapping(b, "attributes").items()},
            text(b, "text"),
        )
        for b in items(value, "behaviours")
    ]
    feedback = [
        Feedback(
            text(f, "id"),
            text(f, "status"),
            text(f, "reason"),
            {k: number(t) for k, t in mapping(f, "times").items()},
        )
        for f in items(value, "feedback")
    ]
    return Plan(tuple(behaviours), tuple(feedback), text(value, "composition"))


def number(value: Any) -> float:
    """A finite number of sane size, or a ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_NUMBER:
        raise ValueError(f"{value!r:.40} is not a finite number")
    return float(value)


def whole(value: Any, most: int = 2**53) -> int:
    """A whole number from 0 to ``most``, or a ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{value!r:.40} is not a whole number from 0 to {most}")
    return value


def rate_from_text(rate: str) -> Fraction:
    """A rate such as ``"60"`` or ``"30000/1001"``, or a ValueError.

    Fraction itself would take ``"1e999999999"`` and compute it.
    """
    if not _RATE.fullmatch(rate):
        raise ValueError(f"rate {rate!r:.40}; expected a number such as '60' or '30000/1001'")
    return Fraction(rate)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    return value


def text(value: Any, key: str) -> str:
    """``value[key]`` if it is text, else a ValueError."""
    return _text(_get(value, key))


def items(value: Any, key: str) -> list[Any]:
    """``value[key]`` if it is a list, else a ValueError."""
    found = _get(value, key)
    if not isinstance(found, list):
        raise ValueError(f"{key!r}: {found!r:.40} is not a list")
    return found


def mapping(value: Any, key: str) -> dict[str, Any]:
    """``value[key]`` if it is a mapping, else a ValueError."""
    found = _get(value, key)
    if not isinstance(found, dict):
        raise ValueError(f"{key!r}: {found!r:.40} is not a mapping")
    return found


def _get(value: Any, key: str) -> Any:
    if not isinstance(value, dict) or key not in value:
        raise ValueError(f"{key!r} is missing")
    return value[key]
