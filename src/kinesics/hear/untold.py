"""Phones where no English alignment is possible: other languages, and speech without a transcript."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kinesics.hear import acoustic, espeak
from kinesics.hear.durations import warp
from kinesics.hear.voice_activity import RATE
from kinesics.performance import Interval, Tier

if TYPE_CHECKING:
    from kinesics.hear.align import Alignment

log = logging.getLogger(__name__)

WARPED_CONFIDENCE = 0.5
"""Confidence of phones that were only laid over the speech: the most it may be."""
GUESSED_CONFIDENCE = 0.4
"""Most that a phone guessed without a transcript is trusted."""


def warp_espeak(transcript: str, language: str, spans: Sequence[tuple[float, float]]) -> Alignment:
    """Lay the phones of espeak-ng's own speech, with its lengths, over the spans of speech.

    Raises
    ------
    MissingExtra
        Without the ``voice`` extra.
    DataError
        For an unknown language.
    """
    from kinesics.hear.align import Alignment

    said = espeak.synthesise(transcript, language=language)
    log.warning(
        "%s: no acoustic model; espeak-ng's phones are laid over the speech, confidence %.1f",
        language,
        WARPED_CONFIDENCE,
    )
    words = []
    for word in said.words:
        inside = [p for p in said.phones if word.start <= p.middle < word.end]
        words.append((word.label, [(p.label, p.duration) for p in inside]))
    words = [(label, phones) for label, phones in words if phones]
    laid = warp([phones for _, phones in words], spans, confidence=WARPED_CONFIDENCE)
    tier = [
        Interval(phones[0].start, phones[-1].end, label, None, WARPED_CONFIDENCE)
        for (label, _), phones in zip(words, laid, strict=True)
        if phones
    ]
    notes: dict[str, Any] = {
        "method": "espeak-ng's phones warped onto the voiced spans",
        "confidence": WARPED_CONFIDENCE,
    }
    after = _punctuation(transcript, [w.label for w in tier])
    return Alignment(
        Tier("words", tuple(tier)), Tier("phones", tuple(p for w in laid for p in w)), after, notes
    )


def _punctuation(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    found, at = [], 0
    for label in labels:
        begin = text.find(label, at)
        at = begin + len(label) if begin >= 0 else at
        tail = re.match(r"[^\w\s]*", text[at:])
        found.append("".join(c for c in (tail[0] if tail else "") if c in ".,;:!?…—–"))
    return tuple(found)


def guess_phones(
    samples: np.ndarray, spans: Sequence[tuple[float, float]], *, progress: bool = False
) -> Alignment:
    """Guess phones without a transcript: the best path through a loop of all phones, span by span.

    The phones are those of English whatever the language is; for lips that is often near enough.
    """
    from tqdm import tqdm

    from kinesics.hear.align import Alignment

    model = acoustic.load()
    sound = acoustic.Conditioned(samples)
    speech = [p for p in range(len(model.phones)) if not model.phones[p].startswith("+")]
    phones: list[Interval] = []
    total = sum(b - a for a, b in spans)
    for start, end in tqdm(spans, desc="guessing phones", disable=not progress or total < 60, leave=False):
        for a in np.arange(start, end, 30.0):
            phones += _loop(model, sound, float(a), min(float(a) + 30.0, end), speech)
    notes: dict[str, Any] = {"method": "phone loop, no transcript", "confidence": GUESSED_CONFIDENCE}
    log.info("no transcript: %d phones guessed, no words", len(phones))
    return Alignment(Tier("words"), Tier("phones", tuple(phones)), (), notes)


def _loop(
    model: acoustic.AcousticModel,
    sound: acoustic.Conditioned,
    start: float,
    end: float,
    speech: Sequence[int],
) -> list[Interval]:
    """Phones of one span by Viterbi over a loop of phones, three states each."""
    lead = 0.3
    first = max(start - lead, 0.0)
    part = sound[int(first * RATE) : int((end + lead) * RATE)]
    if len(part) < RATE // 10:
        return []
    cepstrum = acoustic.cepstra(part)
    features = acoustic.with_slopes(cepstrum - cepstrum.mean(axis=0))
    states, column = np.unique(model.monophones()[speech].ravel(), return_inverse=True)
    emission = acoustic.score(model, features, states)[:, column].reshape(len(features), len(speech), 3)
    price = 14.0  # nats for beginning a phone: about 12 phones a second on clean speech
    value = emission[0].copy()
    value[:, 1:] = -1e30
    kept = np.zeros((len(features), len(speech), 3), bool)
    source = np.zeros(len(features), np.int64)
    for t in range(1, len(features)):
        come = np.empty_like(value)
        source[t] = int(value[:, 2].argmax())
        come[:, 0] = value[source[t], 2] - price
        come[:, 1:] = value[:, :2]
        kept[t] = value >= come
        value = np.maximum(value, come) + emission[t]
    phone, state = int(value[:, 2].argmax()), 2
    found: list[Interval] = []
    stop = len(features)
    best = emission.max(axis=(1, 2))
    for t in range(len(features) - 1, -1, -1):
        if t and kept[t, phone, state]:
            continue
        if state and t:
            state -= 1
            continue
        label = model.phones[speech[phone]]
        if label != "SIL":
            fit = float(np.mean(emission[t:stop, phone].max(axis=1) - best[t:stop]))
            a, b = (min(max(first + k / 100 + acoustic.CENTRE, start), end) for k in (t, stop))
            if b > a:
                found.append(
                    Interval(a, b, label, None, GUESSED_CONFIDENCE * float(np.exp(min(fit, 0.0) / 4)))
                )
        stop, phone, state = t, int(source[t]), 2
    return found[::-1]
