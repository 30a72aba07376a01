"""Writing plans as BML 1.0 (see ``bml``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax import saxutils

from kinesics.errors import DataError
from kinesics.formats._bml_build import POINTS
from kinesics.performance import Behaviour, Plan, Sync

NAMESPACE = "http://www.bml-initiative.org/bml/bml-1.0"
OWN = "urn:kinesics:bml:1"
XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {
    "http://www.asap-project.org/bmla": "bmla",
    "http://hmi.ewi.utwente.nl/bmlt": "bmlt",
    XML: "xml",
}
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"^[A-Za-z_][\w.-]*$")
_STEP = re.compile(r"(?:\{([^{}]+)\})?([^/{}#]+)(?:#([1-9][0-9]{0,5}))?")


@dataclass
class _Node:
    """An element in the making."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: dict[str, _Node] = field(default_factory=dict)
    text: str = ""


class _Names:
    """Prefixes of the namespaces that a plan uses."""

    def __init__(self) -> None:
        self.prefixes: dict[str, str] = {}

    def qualified(self, key: str) -> str:
        """``prefix:name`` of ``{uri}name``; a plain name as it is."""
        match = _STEP.fullmatch(key)
        if not match or match[3] or not _NAME.match(match[2]) or match[2] == "xmlns":
            raise DataError(f"the name {key!r} is no XML name")
        uri, name = match[1], match[2]
        if uri is None:
            return name
        if uri == OWN:
            raise DataError(f"the name {key!r} is in the namespace of our own notes; choose another")
        if uri not in self.prefixes:
            self.prefixes[_checked(uri, key)] = _PREFIXES.get(uri, f"n{len(self.prefixes) + 1}")
        return f"{self.prefixes[uri]}:{name}"


def steps(key: str) -> list[str]:
    """The parts of an attribute's path: ``{uri}`` may hold slashes of its own.

    >>> steps("pose#2/part"), steps("{http://a/b}x/"), steps("lexeme")
    (['pose#2', 'part'], ['{http://a/b}x', ''], ['lexeme'])
    """
    return re.split(r"/(?![^{}]*\})", key)


def write_bml(plan: Plan, *, head: Mapping[str, str] | None = None) -> str:
    """Write a plan as BML 1.0.

    Parameters
    ----------
    plan
        What to write; :func:`kinesics.formats.bml.read_bml` gives back an equal plan.
    head
        Attributes of the block, such as ``id`` and ``characterId``.

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
    names = _Names()
    about = {"id": "plan", "composition": plan.composition, **(head or {})}
    shown = _attributes(about, names)
    body = [_element(b, names) for b in plan]
    spaces = {f"xmlns:{p}": uri for uri, p in names.prefixes.items() if uri != XML}
    if plan.feedback:
        spaces["xmlns:kinesics"] = OWN
    declared = "".join(f" {k}={saxutils.quoteattr(v)}" for k, v in spaces.items())
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<bml xmlns="{NAMESPACE}"{declared}{shown}>', *body]
    for f in plan.feedback:
        times = {f"time-{k}": repr(float(v)) for k, v in f.times.items()}
        values = {"of": f.id, "status": f.status, "reason": f.reason, **times}
        lines.append(f"  <kinesics:feedback{_attributes(values, names)}/>")
    return "\n".join([*lines, "</bml>", ""])


def _element(b: Behaviour, names: _Names) -> str:
    try:
        tag = names.qualified(b.kind)
    except DataError as error:
        raise DataError(f"behaviour {b.id!r}: the kind {b.kind!r} is no XML name") from error
    root = _Node(tag)
    for key, value in b.attributes.items():
        if key != "untimed":
            _put(root, key, value, names, b.id)
    shown = root.attributes
    if clash := [k for k in shown if k in POINTS or k == "id" or k.startswith("sync-")]:
        raise DataError(f"behaviour {b.id!r}: the attribute {clash[0]!r} is a sync point; state it as sync")
    words = [k for k in b.sync if k not in POINTS] if b.kind == "speech" else []
    untimed = b.attributes.get("untimed", "").split() if b.kind == "speech" else []
    if b.kind != "speech" and "untimed" in b.attributes:
        shown["untimed"] = b.attributes["untimed"]
    for k, s in b.sync.items():
        if k not in words:
            shown[k if k in POINTS else f"sync-{k}"] = time_text(s)
    head = f"  <{tag}{_attributes({'id': b.id, **shown}, names)}"
    inner = _children(root, names)
    if not b.text and not words and not untimed:
        return f"{head}>{inner}</{tag}>" if inner else head + "/>"
    if not (words or untimed):
        return f"{head}><text>{_escaped(b.text, b.id)}</text>{inner}</{tag}>"
    return f"{head}>\n    <text>{_spoken(b, words, untimed)}</text>{inner}\n  </{tag}>"


def _spoken(b: Behaviour, words: list[str], untimed: list[str]) -> str:
    """A speech's text with its marks."""
    spoken = b.text.split()
    # a mark goes before the word of its number, if it is numbered like one; others that are timed go first
    at: dict[int, list[str]] = {}
    for k in words:
        i = int(k[1:]) if re.fullmatch("w[0-9]{1,9}", k) else 0
        at.setdefault(min(i, len(spoken)), []).append(k)
    for mark in untimed:
        k, _, i = mark.rpartition(":")
        if not k or not re.fullmatch("[0-9]{1,9}", i):
            raise DataError(f"behaviour {b.id!r}: untimed {mark!r}; expected id:number of words before it")
        at.setdefault(min(int(i), len(spoken)), []).append(k)
    parts = []
    for i in range(len(spoken) + 1):
        for k in at.get(i, ()):
            timed = f" time={saxutils.quoteattr(time_text(b.sync[k]))}" if k in b.sync else ""
            parts.append(f"<sync id={saxutils.quoteattr(_checked(k, b.id))}{timed}/>")
        if i < len(spoken):
            parts.append(_escaped(spoken[i], b.id) + " ")
    return "".join(parts).rstrip()


def _put(root: _Node, key: str, value: str, names: _Names, id: str) -> None:
    """Hang an attribute into the tree that its path tells."""
    *path, name = steps(key)
    node = root
    for step in path:
        if step not in node.children:
            match = _STEP.fullmatch(step)
            if not match:
                raise DataError(f"behaviour {id!r}: the name {key!r} is no XML name")
            node.children[step] = _Node(names.qualified(step.rpartition("#")[0] if match[3] else step))
        node = node.children[step]
    if path and not name:
        node.text = _checked(value, id)
    else:
        names.qualified(name)
        node.attributes[name] = value


def _children(node: _Node, names: _Names) -> str:
    groups: dict[str, list[tuple[int, _Node]]] = {}
    for step, child in node.children.items():
        match = _STEP.fullmatch(step)
        number = int(match[3] or 1) if match else 1
        groups.setdefault(child.tag, []).append((number, child))
    # Elements of one name come in the order of their numbers.
    rows = [child for group in groups.values() for _, child in sorted(group, key=lambda row: row[0])]
    return "".join(_child(child, names) for child in rows)


def _child(node: _Node, names: _Names) -> str:
    inner = saxutils.escape(node.text) + _children(node, names)
    head = f"<{node.tag}{_attributes(node.attributes, names)}"
    return f"{head}>{inner}</{node.tag}>" if inner else f"{head}/>"


def time_text(sync: Sync) -> str:
    """A moment to the last bit: what is read back is equal."""
    if sync.behaviour is None:
        return repr(sync.offset).removesuffix(".0")
    tail = f" {'-' if sync.offset < 0 else '+'} {_decimal(abs(sync.offset))}" if sync.offset else ""
    return f"{sync.behaviour}:{sync.point}{tail}"


def _decimal(value: float) -> str:
    text = repr(value).removesuffix(".0")
    # references take plain decimals (and e-5), no e+20
    return f"{value:.0f}" if "e+" in text else text


def _attributes(values: Mapping[str, str], names: _Names) -> str:
    out = []
    for key, value in values.items():
        escapes = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
        out.append(f" {names.qualified(key)}={saxutils.quoteattr(_checked(value, key), escapes)}")
    return "".join(out)


def _escaped(text: str, what: str) -> str:
    return saxutils.escape(_checked(text, what))


def _checked(text: str, what: str) -> str:
    if found := _UNSPEAKABLE.search(text):
        raise DataError(f"{what}: the character {found[0]!r} cannot be written in XML; remove it")
    return text
