"""SiGML: signs of a sign language, written in HamNoSys, as avatars such as JASigning's take them.

A file (``.sigml``, or ``.xml``) holds signs one after the other, each with a gloss, in either of two forms.
``<hns_sign>`` (H-SiGML) lists the symbols of HamNoSys 4 as empty elements in ``<hamnosys_manual>``, and head, trunk and face in
``<hamnosys_nonmanual>``::

    <sigml><hns_sign gloss="HAMBURG">
      <hamnosys_nonmanual><hnm_head tag="NO"/></hamnosys_nonmanual>
      <hamnosys_manual><hamceeall/><hamthumbopenmod/><hamfingerstraightmod/><hamextfingerul/><hampalmdl/>
        <hamforehead/><hamlrat/><hamclose/><hamparbegin/><hammover/><hamreplace/><hampinchall/>
        <hamfingerstraightmod/><hamparend/></hamnosys_manual>
    </hns_sign></sigml>

``<hamgestural_sign>`` (G-SiGML) says the same in attributes (``handshape``, ``extfidir``, ``palmor``, ``location``,
``contact``, ``directedmotion`` …); it is read through the symbols that its values name, so what HamNoSys cannot say (bends of single
joints, distances in numbers, durations) is noted and left out.

Read, every sign becomes one ``gesture`` behaviour that states its own form in the gesture notation
(:mod:`kinesics.performance.gesture`), with the symbols kept in its attribute ``hamnosys``, and one behaviour for every
non-manual element, in a plan that ``kinesics perform --plan hello.sigml -o hello.glb`` performs. The hand that HamNoSys
describes leads, whichever that is. :func:`read_hamnosys` reads a single sign given as glyphs of the font
(U+E000 …) or as names.

How HamNoSys is understood. Directions are the signer's. A palm orientation is relative to the finger direction: see
:func:`palm_vector`, which says exactly how. Two directions, shapes or movements joined by ``hambetween`` mean the middle;
of two places the first is taken. ``hamfingerstraightmod`` bends straight fingers at the knuckles (SiGML's ``bent``),
``hamfingerbendmod`` makes them round. ``hamlrat`` and ``hamlrbeside`` after a place mean its right, before it its left
side. Circles run clockwise as seen along the axis they name and begin at twelve o'clock. Without a place hands are before
the stomach, each on its side. Lengths (15 cm for a plain movement) and times (0.3 s) are ours; HamNoSys has
only small and large, fast and slow. With the symmetry operators ``hamsymmlr`` and ``hamsymmpar`` the other hand's shape, orientation
and place are the leading one's mirror image; its movement is mirrored with the first, parallel with the second. Repetitions are done once or twice more.

What is not performed: tension, halts and brushing (the movement is), the shape of ellipses, modifiers of the symmetry,
contacts that a hand shape itself states. Whatever of a sign is not understood or left out is told in
``meta["sigml"]["notes"]`` by sign, and in the log; no sign makes the file unreadable. Mouth pictures and mouth gestures
are kept as ``lips`` behaviours, which are not performed yet, shoulders as ``nonmanual``.

Times: SiGML states none. The first sign's first posture comes after ``lead`` seconds (an option; 1), each sign takes what its
movements do, and hands go from one to the next in ``transition`` seconds (an option; 0.6). Signs that hands cannot reach in that
time come later, which the plan's feedback tells. Tier ``signs``: the glosses.

Written is a plan whose gestures carry HamNoSys, as H-SiGML: symbols, glosses and non-manual codes are read back as they were.

The symbols' names and glyphs are those of HamNoSys 4 (Hanke 2004; Schmaling & Hanke 2001), the elements those
of SiGML (Elliott, Glauert, Kennaway & Parsons 2001). Document types are read over, entities refused.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kinesics.errors import DataError, FormatError
from kinesics.files import existing, replacing
from kinesics.formats._format import Format
from kinesics.formats._gestural import symbols_of_sign
from kinesics.formats._hamnosys import symbols_of
from kinesics.formats._hamnosys_form import gesture_of, palm_vector
from kinesics.formats._hamnosys_parse import Parser
from kinesics.formats._nonmanual import behaviour_of
from kinesics.formats._text import head_of, xml_of, xml_value
from kinesics.performance import Behaviour, Interval, Performance, Plan, Sync, Tier
from kinesics.performance.gesture import Gesture

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["FORMAT", "palm_vector", "read_hamnosys"]

log = logging.getLogger(__name__)

_MOST_BYTES = 20_000_000
_WITHOUT_HANDS = 0.6  # seconds of a sign that only head and face make
_MOST_SIGNS = 5000
_MOST_SYMBOLS = 400
_MOST_NONMANUAL = 64


def read_hamnosys(text: str, *, name: str = "SIGN") -> tuple[Gesture, tuple[str, ...]]:
    """Read one sign.

    Parameters
    ----------
    text
        HamNoSys 4: glyphs of its font (U+E000 to U+E0F1), or symbols' names with anything between them.
    name
        Its gloss.

    Returns
    -------
    gesture
        Its form; ``gesture.attributes()`` are those of a behaviour that performs it.
    notes
        What of it is not understood, left out or taken roughly.

    Raises
    ------
    DataError
        If there is no symbol of HamNoSys in it, or too many.

    Examples
    --------
    >>> sign, notes = read_hamnosys("hamflathand hamextfingeru hampalmd hamshoulders hammoveo")
    >>> sign.poses[0].fingers, sign.poses[0].palm, notes
    ('up', 'forward', ())
    """
    known, unknown = symbols_of(text)
    if not known or len(known) > _MOST_SYMBOLS:
        raise DataError(
            f"sign {name!r}: {len(known)} symbols of HamNoSys; expected 1 to {_MOST_SYMBOLS}, as glyphs or as names "
            "such as hamfist"
        )
    sign = Parser(known).parse()
    sign.notes += [f"{word!r} is no symbol of HamNoSys" for word in dict.fromkeys(unknown)]
    gesture, notes = gesture_of(sign, name)
    return gesture, tuple(notes)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def _recognises(path: Path) -> bool:
    try:
        text = head_of(path, 8192)
    except OSError:
        return False
    return "<sigml" in text or "<hns_sign" in text or "<hamgestural_sign" in text


def _read(path: Path, *, lead: float = 1.0, transition: float = 0.6) -> Performance:
    path = existing(Path(path), "a SiGML file")
    if not (0 <= lead <= 60 and 0.2 <= transition <= 60):
        raise DataError(f"lead {lead}, transition {transition}; expected 0 to 60 and 0.2 to 60 seconds")
    root = xml_of(path, root="sigml", most=_MOST_BYTES)
    signs = _signs(root)
    if not 1 <= len(signs) <= _MOST_SIGNS:
        raise FormatError(
            path, "<sigml>", f"1 to {_MOST_SIGNS} signs (hns_sign or hamgestural_sign)", "split the file"
        )
    behaviours: list[Behaviour] = []
    intervals: list[Interval] = []
    notes: dict[str, list[str]] = {}
    clock = lead
    for k, element in enumerate(signs, 1):
        gloss = " ".join((element.get("gloss") or f"SIGN{k}").split())[:200] or f"SIGN{k}"
        text, told = _manual(element)
        end = clock
        if text and not symbols_of(text)[0]:
            told.append(f"no symbol of HamNoSys in {text[:60]!r}")
        elif text:
            try:
                gesture, more = read_hamnosys(text, name=gloss)
            except DataError as error:
                raise FormatError(path, f"sign {k} ({gloss[:60]!r})", str(error), "shorten it") from error
            told += more
            end = clock + (gesture.seconds if gesture.moves else 0.0)
            names = " ".join(f"ham{s}" for s in symbols_of(text)[0])
            sync = {"strokeStart": Sync(round(clock, 4)), "strokeEnd": Sync(round(end, 4))}
            sync |= {"stroke": sync["strokeEnd"], "relax": Sync(round(end + gesture.hold, 4))}
            if not gesture.moves:
                sync = {k: sync[k] for k in ("stroke", "relax")}
            behaviours.append(
                Behaviour(f"sign{k}", "gesture", sync, {**gesture.attributes(), "hamnosys": names})
            )
            end += gesture.hold
        else:
            told.append("nothing is said of the hands")
        if end == clock:
            end += _WITHOUT_HANDS
        behaviours += _nonmanual(element, f"sign{k}", clock - 0.1, end, told)
        intervals.append(Interval(clock, end, gloss))
        if told:
            notes[f"sign{k} {gloss}"] = list(dict.fromkeys(told))
            log.warning("%s: sign %d (%s): %s", path, k, gloss, "; ".join(dict.fromkeys(told)))
        clock = end + transition
    meta = {"signs": [i.label for i in intervals], "lead": lead, "transition": transition}
    if notes:
        meta["notes"] = notes
    tracks = {"plan": Plan(tuple(behaviours)), "signs": Tier("signs", tuple(intervals))}
    return Performance(tracks, {"sigml": meta})


def _signs(root: Element) -> list[Element]:
    """Signs in their order; what is within a sign is none."""
    out, waiting = [], [root]
    while waiting:
        element = waiting.pop()
        if _local(element) in ("hns_sign", "hamgestural_sign"):
            out.append(element)
        else:
            waiting.extend(reversed(element))
    return out


def _manual(sign: Element) -> tuple[str, list[str]]:
    """Symbols' names of a sign's manual part, and notes."""
    if _local(sign) == "hamgestural_sign":
        return symbols_of_sign(sign)
    names = []
    for part in sign:
        if _local(part) == "hamnosys_manual":
            names += [_local(e) for e in part.iter() if e is not part]
            names += [(part.text or "").strip()] if not len(part) else []
    return " ".join(names), []


def _nonmanual(sign: Element, id: str, start: float, end: float, notes: list[str]) -> list[Behaviour]:
    out: list[Behaviour] = []
    for part in sign:
        if _local(part) not in ("hamnosys_nonmanual", "sign_nonmanual"):
            continue
        for element in part.iter():
            tag = _local(element).removeprefix("hnm_")
            code = next(
                (
                    element.get(k)
                    for k in ("tag", "picture", "movement", "direction", "gesture")
                    if element.get(k)
                ),
                None,
            )
            if code is None:
                continue
            made = behaviour_of(f"{id}.{len(out) + 1}", tag, code[:100], max(start, 0.0), end)
            if made is None or len(out) >= _MOST_NONMANUAL:
                notes.append(f"<{_local(element)[:40]}> is left out")
                continue
            if made.kind in ("lips", "nonmanual"):
                notes.append(f"{made.attributes['sigml']} is kept, not performed")
            out.append(made)
    return out


def _write(performance: Performance, path: Path) -> None:
    plan = performance.get("plan")
    gestures = [b for b in plan.of("gesture") if "hamnosys" in b.attributes] if isinstance(plan, Plan) else []
    if not gestures:
        raise DataError(f"{path}: the performance has no plan with gestures in HamNoSys to write as SiGML")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<sigml>"]
    written = {b.id for b in gestures}
    for b in gestures:
        lines.append(f"  <hns_sign gloss={xml_value(b.attributes.get('lexeme', b.id), b.id)}>")
        others = [o for o in plan if o.id.startswith(f"{b.id}.") and "sigml" in o.attributes]
        if others:
            lines.append("    <hamnosys_nonmanual>")
            written |= {o.id for o in others}
            for o in others:
                name, _, code = o.attributes["sigml"].partition(":")
                key = "picture" if name == "mouthpicture" else "tag"
                if not re.fullmatch(r"[A-Za-z_][\w.-]*", name):
                    raise DataError(f"{path}: {o.id!r}: {name!r:.40} is no kind of nonmanual sign")
                lines.append(f"      <hnm_{name} {key}={xml_value(code, o.id)}/>")
            lines.append("    </hamnosys_nonmanual>")
        symbols = symbols_of(b.attributes["hamnosys"])[0]
        lines += ["    <hamnosys_manual>", *(f"      <ham{s}/>" for s in symbols), "    </hamnosys_manual>"]
        lines.append("  </hns_sign>")
    if left := [b.id for b in plan if b.id not in written]:
        log.warning("%s: SiGML has no place for the behaviours %s", path, ", ".join(left)[:300])
    with replacing(Path(path)) as file:
        file.write("\n".join([*lines, "</sigml>", ""]).encode())


FORMAT = Format("SiGML", (".sigml",), ("plan", "signs"), _read, _write, _recognises, (".xml",))
