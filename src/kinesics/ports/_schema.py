"""Answers in JSON: finding them in a reply, and holding them against a schema.

The part of JSON Schema (draft 2020-12) that language models are asked for, and nothing else: a keyword that is not
known is refused when the schema is given, so that nothing goes unchecked in silence. The usual library would bring five
more packages, one of them compiled, into the base install for these sixty lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kinesics.errors import DataError, choose

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_KEYWORDS = frozenset(
    "type enum properties required additionalProperties items minItems maxItems minimum maximum minLength maxLength "
    "title description".split()
)


def check_schema(schema: Mapping[str, Any], where: str = "schema") -> None:
    """Raise a DataError if a schema says something that :func:`fault` would not look at."""
    if not isinstance(schema, Mapping):
        raise DataError(f"{where}: {type(schema).__name__}; expected a mapping")
    for keyword in schema:
        choose(f"keyword of {where}", keyword, sorted(_KEYWORDS))
    if "type" in schema:
        choose(f"type of {where}", schema["type"], _TYPES)
    if schema.get("additionalProperties", False) not in (True, False):
        raise DataError(f"{where}: additionalProperties is true or false here")
    for name, part in schema.get("properties", {}).items():
        check_schema(part, f"{where}.{name}")
    if "items" in schema:
        check_schema(schema["items"], f"{where}[]")


def fault(value: Any, schema: Mapping[str, Any], where: str = "answer") -> str:
    """What is wrong with a value under a schema of :func:`check_schema`, in a line; empty if nothing is.

    >>> fault({"label": "joy"}, {"type": "object", "properties": {"label": {"enum": ["happy", "sad"]}}})
    "answer.label is 'joy'; expected one of: happy, sad"
    """
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, _TYPES[kind])
        or (isinstance(value, bool) and kind in ("number", "integer"))
        or (isinstance(value, float) and value != value)
    ):
        return f"{where} is {_short(value)}; expected {kind}"
    if "enum" in schema and not any(type(value) is type(v) and value == v for v in schema["enum"]):
        return f"{where} is {_short(value)}; expected one of: {', '.join(map(str, schema['enum']))}"
    if isinstance(value, dict):
        return _fault_of_object(value, schema, where)
    size = {list: "Items", str: "Length"}.get(type(value))
    bounds = ("minimum", "maximum") if size is None else (f"min{size}", f"max{size}")
    amount = len(value) if size is not None else value
    if isinstance(amount, (int, float)) and not isinstance(amount, bool):
        low, high = (schema.get(b) for b in bounds)
        if (low is not None and amount < low) or (high is not None and amount > high):
            return f"{where}: {amount}; expected {low if low is not None else 'any'} to {high if high is not None else 'any'}"
    if isinstance(value, list) and "items" in schema:
        return next((f for i, v in enumerate(value) if (f := fault(v, schema["items"], f"{where}[{i}]"))), "")
    return ""


def _fault_of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where} lacks {name!r}"
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in known:
                return f"{where} has {name!r}, which was not asked for"
    return next((f for n, v in value.items() if n in known and (f := fault(v, known[n], f"{where}.{n}"))), "")


def parsed(text: str, schema: Mapping[str, Any]) -> tuple[Any, str]:
    """The first JSON value in a reply that fits a schema.

    Models put prose or fences round their answers; what comes before and after is passed over.

    Parameters
    ----------
    text
        The reply.
    schema
        What the answer must be.

    Returns
    -------
    answer, problem
        The answer and an empty text, or None and why there is none.
    """
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    problem, place = "no JSON in it", 0
    for _ in range(64):  # a reply with more openings than that is no answer
        place = min((i for c in "{[" if (i := text.find(c, place)) >= 0), default=-1)
        if place < 0:
            break
        try:
            value, _ = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            problem, place = "its JSON is broken", place + 1
            continue
        wrong = fault(value, schema)
        if not wrong:
            return value, ""
        problem, place = wrong, place + 1
    return None, problem


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
