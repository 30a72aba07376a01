"""Speech from text by espeak-ng, with exact times of words and phones.

espeak-ng runs in a child process (see ``_espeak_worker``) on the library that the ``voice`` extra brings.
It synthesises by rule, so the times of its phones are truth, not estimates; the one correction is that it
announces a stop at its burst, and the lips close before: the silent closure is given back to the stop.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kinesics.errors import DataError, KinesicsError, MissingExtra, choose
from kinesics.hear.phones import sonority
from kinesics.hear.text import sentences
from kinesics.performance import Interval

log = logging.getLogger(__name__)

RATE = 22050
"""Samples per second of espeak-ng's sound."""
LONGEST_TEXT = 200_000
"""Characters of one text (about four hours of speech)."""
_WORD = 1
_BATCH = 40

_MNEMONIC = {
    "0": "AA", "A": "AA", "aa": "AA", "O": "AO", "oU": "OW", "o": "OW", "U": "UH", "u": "UW", "V": "AH", "3": "ER",
    "@": "AH", "a#": "AH", "a": "AE", "&": "AE", "aI": "AY", "aU": "AW", "E": "EH", "e": "EH", "eI": "EY", "I": "IH", "i": "IY",
    "OI": "OY", "oI": "OY", "A@": "AA R", "o@": "AO R", "O@": "AO R", "U@": "UH R", "e@": "EH R", "i@": "IH R",
    "@L": "AH L", "aI3": "AY ER", "aI@": "AY AH", "aU@": "AW AH", "i@3": "IH R", "I@": "IH R", "VR": "AH R", "IR": "IH R",
    "@r": "ER", "n-": "AH N", "m-": "AH M", "l-": "AH L", "r-": "ER", "p": "P", "b": "B", "t": "T", "d": "D", "k": "K",
    "g": "G", "tS": "CH", "dZ": "JH", "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S", "z": "Z", "S": "SH",
    "Z": "ZH", "h": "HH", "m": "M", "n": "N", "N": "NG", "l": "L", "r": "R", "w": "W", "j": "Y", "?": "T", "x": "K",
    "C": "HH", "Q": "G", "ts": "T S", "ju": "Y UW", "r/": "R", "i@r": "IH R", "y": "IY", "W": "EH", "Y": "ER", "W:": "ER",
}  # fmt: skip
"""espeak-ng's English phoneme mnemonics, without length and variant marks, in ARPAbet."""


@dataclass(frozen=True)
class Spoken:
    """What espeak-ng said: sound and exact times.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        float32 at 22,050 Hz.
    words, phones
        Intervals in seconds; words carry the original spelling.
    """

    samples: np.ndarray
    words: tuple[Interval, ...]
    phones: tuple[Interval, ...]


def available() -> bool:
    """Tell whether the ``voice`` extra is installed."""
    return importlib.util.find_spec("espeakng_loader") is not None


def _ask(request: dict[str, Any], *, timeout: float, purpose: str) -> tuple[dict[str, Any], bytes]:
    """Run one request in a child process."""
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or spec.origin is None:
        raise MissingExtra("voice", purpose)
    folder = Path(spec.origin).parent
    library = next(
        (
            folder / n
            for n in ("libespeak-ng.so", "libespeak-ng.dylib", "espeak-ng.dll")
            if (folder / n).exists()
        ),
        None,
    )
    if library is None:
        raise MissingExtra("voice", purpose)
    request = {"library": str(library), "data": str(folder / "espeak-ng-data"), **request}
    worker = Path(__file__).with_name("_espeak_worker.py")
    try:
        done = subprocess.run(
            # isolated and without site-packages: the child starts in 20 ms and imports nothing of ours
            [sys.executable, "-I", "-S", str(worker)],
            input=json.dumps(request).encode() + b"\n",
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KinesicsError(
            f"espeak-ng gave no answer in {timeout:.0f} s; shorten the text or try again"
        ) from None
    head, _, sound = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise KinesicsError(f"espeak-ng stopped with code {done.returncode}: {tail[0]}")
    reply = json.loads(head)
    if "error" in reply:
        raise KinesicsError(f"espeak-ng: {reply['error']}")
    return reply, sound


@cache
def _languages() -> dict[str, tuple[str, str]]:
    reply, _ = _ask({"list": True}, timeout=20, purpose="listing voices")
    return {
        code.lower(): (name, identifier)
        for name, codes, identifier in reversed(reply["voices"])
        for code in reversed(codes)
    }


@cache
def _variants() -> tuple[str, ...]:
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or spec.origin is None:
        raise MissingExtra("voice", "listing voices")
    return tuple(
        sorted(p.name for p in (Path(spec.origin).parent / "espeak-ng-data" / "voices" / "!v").iterdir())
    )


def voices() -> dict[str, str]:
    """Return the voices that `speak` takes: language code to a readable name.

    Any of them can be followed by a variant: ``+m1`` … ``+m8`` (men), ``+f1`` … ``+f5`` (women), or a name.

    Raises
    ------
    MissingExtra
        Without the ``voice`` extra.
    """
    return {code: name for code, (name, _) in sorted(_languages().items())}


def pick_voice(voice: str | None, language: str) -> str:
    """Return espeak-ng's name of a voice; a bare variant (``"+f3"``) goes with the language.

    Raises
    ------
    DataError
        For an unknown language or variant, listing the valid ones.
    MissingExtra
        Without the ``voice`` extra.
    """
    base, plus, variant = (voice or "").strip().partition("+")
    base = (base or language).lower().replace("_", "-")
    base = {"en": "en-us", "en-uk": "en-gb", "fr": "fr-fr", "zh": "cmn"}.get(base, base)
    valid = _languages()
    if base not in valid and base.split("-")[0] in valid:
        log.info("no voice for %s; %s is used", base, base.split("-")[0])
        base = base.split("-")[0]
    choose("voice", base, sorted(valid))
    if plus:
        choose("voice variant", variant, _variants())
    return base + plus + variant


def _identifier(name: str) -> str:
    """espeak-ng's own identifier of a picked voice."""
    base, plus, variant = name.partition("+")
    return _languages()[base][1] + plus + variant


def is_english(voice: str) -> bool:
    """Tell whether a language or voice code is English."""
    return re.match(r"en(?![a-z])", voice.lower()) is not None


def synthesise(
    text: str,
    *,
    voice: str | None = None,
    language: str = "en",
    rate: float = 165.0,
    pitch: float = 50.0,
    pitch_range: float = 50.0,
    progress: bool = False,
) -> Spoken:
    """Speak a text.

    Parameters
    ----------
    text
        What to say, at most `LONGEST_TEXT` characters.
    voice
        A code of `voices`, with or without a variant (``"en-gb+f3"``), or a bare variant (``"+f3"``).
    language
        Language where ``voice`` names none.
    rate
        Words per minute, 80..450.
    pitch, pitch_range
        0..100, 50 is the voice's own.
    progress
        Show a bar on long texts.

    Returns
    -------
    Spoken
        Phones are ARPAbet for English, IPA else; silence is a gap.

    Raises
    ------
    DataError
        For an empty or too long text, or a value out of range.
    MissingExtra
        Without the ``voice`` extra.
    KinesicsError
        If espeak-ng fails or hangs.
    """
    if not any(c.isalnum() for c in text):
        raise DataError("the text is empty: there is nothing to say")
    if len(text) > LONGEST_TEXT:
        raise DataError(f"the text has {len(text)} characters; at most {LONGEST_TEXT} can be spoken at once")
    for name, value, low, high in (
        ("rate", rate, 80, 450),
        ("pitch", pitch, 0, 100),
        ("range", pitch_range, 0, 100),
    ):
        if not low <= value <= high:
            raise DataError(f"{name} must be {low}..{high}, not {value}")
    name = pick_voice(voice, language)
    english = is_english(name)
    clean = "".join(c if c.isprintable() or c.isspace() else " " for c in text)
    pieces = sentences(clean)
    request = {
        "voice": _identifier(name),
        "rate": round(rate),
        "pitch": round(pitch),
        "range": round(pitch_range),
        "ipa": not english,
    }
    sound: list[np.ndarray] = []
    words: list[Interval] = []
    phones: list[Interval] = []
    clock = 0.0
    batches = [pieces[i : i + _BATCH] for i in range(0, len(pieces), _BATCH)]
    from tqdm import tqdm

    for batch in tqdm(batches, desc="speaking", disable=not progress or len(batches) < 5, leave=False):
        length = sum(len(piece) for _, piece in batch)
        reply, pcm = _ask(
            {**request, "texts": [p for _, p in batch]}, timeout=10 + length / 100, purpose="text to speech"
        )
        wave = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        at = 0
        for (_, piece), said in zip(batch, reply["pieces"], strict=True):
            part = wave[at : at + said["samples"]]
            at += said["samples"]
            w, p = _intervals(piece, said["events"], part, english=english)
            words.extend(i.shift(clock) for i in w)
            phones.extend(i.shift(clock) for i in p)
            clock += len(part) / RATE
            sound.append(part)
    return Spoken(np.concatenate(sound), tuple(words), tuple(phones))


def pronounce(text: Sequence[str], *, language: str = "en") -> list[list[str]]:
    """Return the phones of each text (a word or more), as espeak-ng says it.

    English gives ARPAbet, other languages IPA with stress marks; a text without sound gives no phones.

    Raises
    ------
    MissingExtra
        Without the ``voice`` extra.
    """
    if not text:
        return []
    name = pick_voice(None, language)
    english = is_english(name)
    said: list[list[str]] = []
    for i in range(0, len(text), 200):
        texts = [t if t.strip() else " " for t in text[i : i + 200]]
        request = {
            "voice": _identifier(name),
            "ipa": not english,
            "rate": 450,
            "texts": texts,
            "audio": False,
        }
        reply, _ = _ask(request, timeout=10 + sum(map(len, texts)) / 50, purpose="pronunciations")
        for piece in reply["pieces"]:
            labels = [label for kind, _, _, _, label in piece["events"] if kind != _WORD]
            said.append([p for label in labels for p in _labels(label, english)])
    return said


def arpabet(mnemonic: str) -> tuple[str, ...]:
    """Return the ARPAbet phones of an English espeak-ng mnemonic, with stress; pauses give none.

    >>> arpabet("'oU"), arpabet("@L"), arpabet("_:")
    (('OW1',), ('AH0', 'L'), ())
    """
    if not mnemonic or mnemonic[0] in "_|;":
        return ()
    stress = "1" if mnemonic[0] == "'" else "2" if mnemonic[0] in ",%" else "0"
    bare = mnemonic.lstrip("',%=|")
    if bare == "t#":
        return ("T",)
    for candidate in (bare, bare.rstrip("2#:;~^"), re.sub(r"[25#:;~^\".]", "", bare), bare[:2], bare[:1]):
        if candidate in _MNEMONIC:
            found = _MNEMONIC[candidate].split()
            return tuple(p + stress if sonority(p) == 6 else p for p in found)
    log.warning("espeak-ng's phoneme %r has no ARPAbet label; it is left out", mnemonic)
    return ()


def _labels(label: str, english: bool) -> tuple[str, ...]:
    if english:
        return arpabet(label)
    label = label.strip("_:|-‖ ")
    return (label,) if any(c.isalpha() for c in label) else ()


def _intervals(
    text: str, events: list[list[Any]], wave: np.ndarray, *, english: bool
) -> tuple[list[Interval], list[Interval]]:
    """Words and phones of one sentence, in seconds from its start."""
    end = len(wave) / RATE
    marks: list[tuple[float, str]] = []  # times and labels of phones; "" is a pause
    starts: list[tuple[float, int, int]] = []  # words: time, first character, length
    for kind, position, length, sample, label in events:
        at = min(sample / RATE, end)
        if kind == _WORD:
            starts.append((at, position - 1, length))
        else:
            marks.append((at, label))
    level = _level(wave)
    phones: list[Interval] = []
    announced: list[float] = []  # espeak-ng's own time of each phone, which tells the words apart
    onsets = sorted({t for t, _, _ in starts})
    for k, (at, label) in enumerate(marks):
        labels = _labels(label, english)
        stop = marks[k + 1][0] if k + 1 < len(marks) else end
        if not labels or stop <= at:
            continue
        begin = at
        if sonority(labels[0]) == 1:
            begun = max((t for t in onsets if t <= at + 1e-6), default=0.0)
            initial = not announced or begun > announced[-1] + 0.01
            # the word's event marks the closure of its first stop; inside a word the sound shows it
            begin = begun if initial and 0.01 < at - begun < 0.1 else at
            if begin == at:
                begin = _closure(level, at, phones[-1].start + 0.03 if phones else 0.0)
        if begin < at and phones and phones[-1].end > begin:
            last = phones[-1]
            phones[-1] = Interval(last.start, max(begin, last.start + 0.005), last.label)
            begin = phones[-1].end
        cuts = np.linspace(begin, stop, len(labels) + 1)
        phones.extend(
            Interval(float(a), float(b), p) for a, b, p in zip(cuts, cuts[1:], labels, strict=False)
        )
        announced.extend([at] * len(labels))
    return _words(text, starts, phones, announced), phones


def _level(wave: np.ndarray) -> np.ndarray:
    """Energy of each 5 ms in dB."""
    step = RATE // 200
    frames = wave[: len(wave) // step * step].reshape(-1, step)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-9) if len(frames) else np.zeros(1)


def _closure(level: np.ndarray, at: float, floor: float) -> float:
    """Second at which the silence before a burst begins, at most 100 ms before it and not before ``floor``."""
    k = min(int(at * 200), len(level) - 1)
    loud = level[max(k - 40, 0) : k + 20].max(initial=-90.0)
    first = k
    while first > 0 and first > k - 20 and level[first - 1] < loud - 24 and (first - 1) / 200 >= floor:
        first -= 1
    return min(at, first / 200) if first < k else at


def _words(
    text: str, starts: list[tuple[float, int, int]], phones: list[Interval], announced: list[float]
) -> list[Interval]:
    """One interval per written token; espeak-ng may say a token in several words, or two tokens in one."""
    tokens = [m for m in re.finditer(r"\S+", text) if any(c.isalnum() or c in "&%+=@#°$£€" for c in m[0])]
    begun: dict[int, float] = {}
    for at, position, _ in sorted(starts):
        index = next((k for k, m in enumerate(tokens) if position < m.end()), None)
        if index is not None:
            begun.setdefault(index, at)
    heads = sorted(begun)
    said: list[Interval] = []
    for k, head in enumerate(heads):
        limit = begun[heads[k + 1]] if k + 1 < len(heads) else float("inf")
        inside = [
            p for p, at in zip(phones, announced, strict=True) if begun[head] - 1e-4 <= at < limit - 1e-4
        ]
        follow = heads[k + 1] if k + 1 < len(heads) else len(tokens)
        group = [tokens[i][0].strip(_AROUND) or tokens[i][0] for i in range(head, follow)]
        if not inside:
            continue
        if len(group) > len(inside):
            group = [" ".join(group)]
        for label, part in zip(group, _share(group, inside), strict=True):
            said.append(Interval(part[0].start, part[-1].end, label))
    return said


_AROUND = '"“”„«»()[]{}<>*_.,;:!?¡¿…—–'
_SHORT = {"a": 1, "i": 1, "the": 2, "an": 2, "of": 2, "to": 2, "in": 2, "it": 2, "you": 2}


def _share(group: list[str], phones: list[Interval]) -> list[list[Interval]]:
    """Divide phones that were announced as one word ("of the") among its tokens by their likely lengths."""
    if len(group) == 1:
        return [phones]
    weight = np.array([_SHORT.get(w.lower(), max(0.8 * len(w), 1)) for w in group], float)
    cuts = np.round(np.cumsum(weight) / weight.sum() * len(phones)).astype(int)
    for k in range(len(cuts) - 1):  # everyone gets at least one
        cuts[k] = min(max(cuts[k], k + 1, cuts[k - 1] + 1 if k else 1), len(phones) - (len(group) - 1 - k))
    return [phones[a:b] for a, b in zip([0, *cuts[:-1]], [*cuts[:-1], len(phones)], strict=True)]
