"""What EAFv3.0.xsd demands of an ELAN document, and what ELAN demands beyond it."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import datetime
from pathlib import Path

STRING = r"(?s).*"
NAME = r"[^\W\d][\w.\-]*"  # xsd:ID and xsd:IDREF
BOOLEAN = "true|false|0|1"
LONG = r"-?\d{1,18}"
URI = r"[^\n\r\t]*"

# Element → (children in order, attributes); a child's "?" at most one, "*" any number, else exactly one.
# An attribute's "!" is required, its type an expression; ID and REF are kept apart.
_ANNOTATION = {"ANNOTATION_ID!": "ID", "EXT_REF": STRING, "LANG_REF": "REF", "CVE_REF": STRING}
RULES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "ANNOTATION_DOCUMENT": (
        ("LICENSE*", "HEADER", "TIME_ORDER", "TIER*", "LINGUISTIC_TYPE*", "LOCALE*", "LANGUAGE*", "CONSTRAINT*",
         "CONTROLLED_VOCABULARY*", "LEXICON_REF*", "REF_LINK_SET*", "EXTERNAL_REF*"),
        {"DATE!": "DATE", "AUTHOR!": STRING, "VERSION!": STRING, "FORMAT": STRING,
         "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation": STRING},
    ),
    "HEADER": (
        ("MEDIA_DESCRIPTOR*", "LINKED_FILE_DESCRIPTOR*", "PROPERTY*"),
        {"MEDIA_FILE": STRING, "TIME_UNITS": "milliseconds|NTSC-frames|PAL-frames|PAL-50-frames"},
    ),
    "MEDIA_DESCRIPTOR": (
        (),
        {"MEDIA_URL!": URI, "RELATIVE_MEDIA_URL": URI, "MIME_TYPE!": STRING, "TIME_ORIGIN": LONG, "EXTRACTED_FROM": URI},
    ),
    "PROPERTY": ((), {"NAME": STRING}),
    "TIME_ORDER": (("TIME_SLOT*",), {}),
    "TIME_SLOT": ((), {"TIME_SLOT_ID!": "ID", "TIME_VALUE": r"\d{1,10}"}),
    "TIER": (
        ("ANNOTATION*",),
        {"TIER_ID!": STRING, "PARTICIPANT": STRING, "ANNOTATOR": STRING, "LINGUISTIC_TYPE_REF!": STRING,
         "DEFAULT_LOCALE": "REF", "PARENT_REF": STRING, "EXT_REF": STRING, "LANG_REF": "REF"},
    ),
    "ANNOTATION": (("ALIGNABLE_ANNOTATION?", "REF_ANNOTATION?"), {}),
    "ALIGNABLE_ANNOTATION": (
        ("ANNOTATION_VALUE",),
        {**_ANNOTATION, "TIME_SLOT_REF1!": "REF", "TIME_SLOT_REF2!": "REF", "SVG_REF": STRING},
    ),
    "REF_ANNOTATION": (
        ("ANNOTATION_VALUE",), {**_ANNOTATION, "ANNOTATION_REF!": "REF", "PREVIOUS_ANNOTATION": "REF"},
    ),
    "ANNOTATION_VALUE": ((), {}),
    "LINGUISTIC_TYPE": (
        (),
        {"LINGUISTIC_TYPE_ID!": STRING, "TIME_ALIGNABLE": BOOLEAN, "CONSTRAINTS": "REF", "GRAPHIC_REFERENCES": BOOLEAN,
         "CONTROLLED_VOCABULARY_REF": STRING, "EXT_REF": "REF", "LEXICON_REF": "REF"},
    ),
    "LANGUAGE": ((), {"LANG_ID!": "ID", "LANG_DEF": STRING, "LANG_LABEL": STRING}),
    "CONSTRAINT": ((), {"STEREOTYPE!": "ID", "DESCRIPTION": STRING}),
    "CONTROLLED_VOCABULARY": (("DESCRIPTION*", "CV_ENTRY_ML*"), {"CV_ID!": STRING, "EXT_REF": "REF"}),
    "DESCRIPTION": ((), {"LANG_REF!": "REF"}),
    "CV_ENTRY_ML": (("CVE_VALUE", "CVE_VALUE*"), {"CVE_ID!": "ID", "EXT_REF": STRING}),
    "CVE_VALUE": ((), {"LANG_REF!": "REF", "DESCRIPTION": STRING}),
}  # fmt: skip
KEYS = {
    ("TIER", "TIER_ID"): [("TIER", "PARENT_REF")],
    ("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID"): [("TIER", "LINGUISTIC_TYPE_REF")],
    ("CONTROLLED_VOCABULARY", "CV_ID"): [("LINGUISTIC_TYPE", "CONTROLLED_VOCABULARY_REF")],
}


def faults(path: Path) -> list[str]:
    """What is wrong with a document; nothing if ELAN opens it without a word."""
    root = ET.fromstring(path.read_bytes())
    told: list[str] = [] if root.tag == "ANNOTATION_DOCUMENT" else [f"the root is {root.tag}"]
    ids: Counter[str] = Counter()
    references: list[tuple[str, str]] = []
    for element in root.iter():
        if element.tag not in RULES:
            told.append(f"element {element.tag}")
            continue
        children, attributes = RULES[element.tag]
        told += _attributes(element, attributes, ids, references)
        order = "".join(f"<{c.tag}>" for c in element)
        # CV_ENTRY_ML's and all others' sequences as one expression over the tags.
        wanted = "".join(f"(<{c.rstrip('*?')}>){c[-1] if c[-1] in '*?' else ''}" for c in children)
        if not re.fullmatch(wanted, order):
            told.append(f"children of {element.tag}: {order[:200]}")
        if len(element) and (element.text or "").strip():
            told.append(f"text in {element.tag}")
    told += [f"id {i} twice" for i, n in ids.items() if n > 1]
    told += [f"{where} leads nowhere: {what}" for where, what in references if what not in ids]
    for (tag, key), users in KEYS.items():
        names = Counter(e.get(key) for e in root.iter(tag))
        told += [f"{key} {n!r} twice" for n, times in names.items() if times > 1]
        told += [
            f"{user}.{ref} leads nowhere: {e.get(ref)}"
            for user, ref in users
            for e in root.iter(user)
            if e.get(ref) is not None and e.get(ref) not in names
        ]
    return told + _times(root) + _tiers(root) + _media(root)


def _attributes(
    element: ET.Element, rules: dict[str, str], ids: Counter[str], references: list[tuple[str, str]]
) -> list[str]:
    told = [
        f"{element.tag} without {n[:-1]}" for n in rules if n.endswith("!") and element.get(n[:-1]) is None
    ]
    kinds = {n.rstrip("!"): k for n, k in rules.items()}
    for name, value in element.items():
        kind = kinds.get(name)
        if kind == "DATE":
            datetime.fromisoformat(value)
        elif kind is None or not re.fullmatch(NAME if kind in ("ID", "REF") else kind, value):
            told.append(f"{element.tag}.{name}={value!r}")
        if kind == "ID":
            ids[value] += 1
        elif kind == "REF":
            references.append((f"{element.tag}.{name}", value))
    return told


def _times(root: ET.Element) -> list[str]:
    values = [int(e.get("TIME_VALUE", -1)) for e in root.iter("TIME_SLOT")]
    told = [] if values == sorted(values) else ["time slots are not in the order of time"]
    used = Counter(
        a.get(k) for a in root.iter("ALIGNABLE_ANNOTATION") for k in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")
    )
    if set(used.values()) - {1} or used.keys() != {e.get("TIME_SLOT_ID") for e in root.iter("TIME_SLOT")}:
        told.append("a time slot is not one annotation's own")
    return told + (["a time beyond unsignedInt"] if max(values, default=0) > 2**32 - 1 else [])


def _tiers(root: ET.Element) -> list[str]:
    """Annotations of a tier last, do not overlap, and are of the kind that the tier's type allows."""
    told = []
    slots = {e.get("TIME_SLOT_ID"): int(e.get("TIME_VALUE", -1)) for e in root.iter("TIME_SLOT")}
    kinds = {e.get("LINGUISTIC_TYPE_ID"): e for e in root.iter("LINGUISTIC_TYPE")}
    words = {
        e.get("CV_ID"): {v.get("CVE_ID"): v.findtext("CVE_VALUE") for v in e.iter("CV_ENTRY_ML")}
        for e in root.iter("CONTROLLED_VOCABULARY")
    }
    holder = {
        a[0].get("ANNOTATION_ID"): t.get("TIER_ID") for t in root.iter("TIER") for a in t if len(a) == 1
    }
    for tier in root.iter("TIER"):
        name, kind = tier.get("TIER_ID"), kinds[tier.get("LINGUISTIC_TYPE_REF")]
        aligned = kind.get("TIME_ALIGNABLE") == "true"
        if (kind.get("CONSTRAINTS") is None) != (tier.get("PARENT_REF") is None):
            told.append(f"{name}: a type with a constraint needs a parent, and one without has none")
        if [a for a in tier if (a.find("ALIGNABLE_ANNOTATION") is not None) != aligned]:
            told.append(f"{name}: annotations of another kind than its type")
        spans = [
            (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")])
            for a in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        if any(not a < b for a, b in spans):
            told.append(f"{name}: an annotation without length")
        if any(b[0] < a[1] for a, b in itertools.pairwise(spans)):
            told.append(f"{name}: annotations overlap")
        own = words.get(kind.get("CONTROLLED_VOCABULARY_REF"), {})
        told += [
            f"{name}: {a.findtext('ANNOTATION_VALUE')!r} is not what its vocabulary says"
            for a in tier.iter()
            if a.get("CVE_REF") is not None and own.get(a.get("CVE_REF")) != a.findtext("ANNOTATION_VALUE")
        ]
        parents = [a.get("ANNOTATION_REF") for a in tier.iter("REF_ANNOTATION")]
        if any(holder.get(p) != tier.get("PARENT_REF") for p in parents):
            told.append(f"{name}: an annotation's parent is not of the parent tier")
        if kind.get("CONSTRAINTS") == "Symbolic_Association" and len(set(parents)) < len(parents):
            told.append(f"{name}: two annotations of one parent")
    for name, entries in words.items():
        if len(set(entries.values())) < len(entries) or not all((v or "").strip() for v in entries.values()):
            told.append(f"{name}: entries that are the same, or empty")
    return told


def _media(root: ET.Element) -> list[str]:
    """ELAN takes a path as it is written (it decodes no %20), and a relative one from ./ or ../ on."""
    return [
        f"medium {e.get('MEDIA_URL')!r}, {e.get('RELATIVE_MEDIA_URL')!r}"
        for e in root.iter("MEDIA_DESCRIPTOR")
        if (re.search("%[0-9A-F]{2}", e.get("MEDIA_URL", "")) and e.get("MEDIA_URL", "").startswith("file:"))
        or not re.match(r"\.\.?/(?!\.)|\.\./\.\./", e.get("RELATIVE_MEDIA_URL", "./x"))
    ]  # fmt: skip
