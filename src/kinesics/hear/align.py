"""Find the times of words and phones: the transcript laid on the sound.

English is aligned with pocketsphinx's acoustic model in windows that end in pauses, so that an hour costs an hour's worth
of time and a window's worth of memory. In each window two passes are made: a network of all pronunciations, silences,
insertions and omissions at 10 ms, then the chosen phones in their true contexts at 5 ms. What could not be aligned is
said: in the log, in ``notes["unaligned"]`` and by low confidence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kinesics.hear import acoustic, dictionary, viterbi
from kinesics.hear.durations import usual, warp
from kinesics.hear.text import Token, tokenize
from kinesics.hear.voice_activity import RATE, speech_spans
from kinesics.performance import Interval, Tier

log = logging.getLogger(__name__)

PAD = 0.3
"""Seconds of faint noise put at both ends: the model expects to begin and end in silence."""
SHORTEST_WINDOW, LONGEST_WINDOW = 16.0, 30.0
"""Seconds of sound aligned at once."""
SHORTEST_SILENCE = 5
"""Frames of 10 ms that a silence between words lasts at least."""
CLEAR = 0.0
"""Median fit of words above which speech is so clear that its network is searched only once."""
FASTEST = 6.0
"""Words a second that nobody exceeds for long."""
_HOP = 80
_FRAME = _HOP / RATE
_STOPS = frozenset("P B T D K G".split())
_STOP, _LONGEST_STOP = 0.07, 0.16
_REACH = 24  # 5 ms frames by which the second pass may move a state


@dataclass(frozen=True)
class Alignment:
    """Words and phones in time.

    Parameters
    ----------
    words, phones
        Tiers in seconds; confidence 0..1.
    after
        Punctuation after each word of the tier.
    notes
        ``method``; where it applies ``guessed`` (word → how), ``unaligned`` (list of words), ``warning``.
    """

    words: Tier
    phones: Tier
    after: tuple[str, ...]
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Found:
    """Phones of one spoken word; empty if it was not found."""

    phones: list[Interval]


def align(
    samples: np.ndarray,
    transcript: str | None,
    *,
    language: str = "en",
    spans: Sequence[tuple[float, float]] | None = None,
    progress: bool = False,
) -> Alignment:
    """Lay a transcript on a sound.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz, -1..1.
    transcript
        What is said; None for "not known".
    language
        Language code.
    spans
        Speech in seconds, from `voice_activity.speech_spans`; found if not given.
    progress
        Show a bar on long sounds.

    Returns
    -------
    Alignment
        Never fails whole: without speech it is empty, and ``notes["warning"]`` says so.
    """
    if spans is None:
        spans = speech_spans(samples)
    if not spans:
        warning = "no speech was found in the sound"
        log.warning(warning)
        missing = (transcript or "").split()
        return Alignment(
            Tier("words"), Tier("phones"), (), {"method": "none", "warning": warning, "unaligned": missing}
        )
    if transcript is None or not any(c.isalnum() for c in transcript):
        from kinesics.hear import untold

        return untold.guess_phones(samples, spans, progress=progress)
    if not language.lower().startswith("en"):
        from kinesics.hear import untold

        return untold.warp_espeak(transcript, language, spans)
    return _english(samples, transcript, spans, progress=progress)


def _english(
    samples: np.ndarray, transcript: str, spans: Sequence[tuple[float, float]], *, progress: bool
) -> Alignment:
    tokens = tokenize(transcript, known=dictionary.known)
    spoken = [(k, word) for k, token in enumerate(tokens) for word in token.spoken]
    said = dictionary.pronunciations(word for _, word in spoken)
    notes: dict[str, Any] = {"method": "acoustic model"}
    if said.guessed:
        notes["guessed"] = dict(said.guessed)
        log.info("pronunciations guessed: %s", ", ".join(f"{w} ({how})" for w, how in said.guessed.items()))
    found = windows(samples, [said.phones[w] for _, w in spoken], progress=progress)
    _trusted(found)
    for word in found:  # the padding may have been taken for speech
        word.phones[:] = _inside(word.phones, len(samples) / RATE)
    _without_pauses(found)
    _spread_lost(found, [said.phones[w][0] for _, w in spoken], spans)
    result = _tiers(tokens, spoken, found, notes)
    return _untranscribed(samples, result, spans)


def _untranscribed(samples: np.ndarray, result: Alignment, spans: Sequence[tuple[float, float]]) -> Alignment:
    """Guess the phones of loud speech that the transcript lacks, so that the lips move there too; there are no words."""
    from kinesics.hear import untold

    level = _level(samples)
    covered = [level[int(p.start * 100) : int(p.end * 100) + 1] for p in result.phones]
    floor = float(np.median(np.concatenate(covered))) - 12.0 if covered else -50.0
    free = []
    for start, end in spans:
        clock = start
        spoken = [(p.start, p.end) for p in result.phones.slice(start, end)]
        for a, b in [*spoken, (end, end)]:
            if a - clock >= 0.7 and float(np.median(level[int(clock * 100) : int(a * 100)])) > floor:
                free.append((clock + 0.05, a - 0.05))
            clock = max(clock, b)
    if not free:
        return result
    guessed = untold.guess_phones(samples, free).phones
    extra = tuple(replace(p, confidence=min(p.confidence, 0.3)) for p in guessed)
    notes = {**result.notes, "untranscribed": [(round(a, 2), round(b, 2)) for a, b in free]}
    seconds = sum(b - a for a, b in free)
    log.warning("%.1f s of speech are not in the transcript; their phones are guessed", seconds)
    return replace(result, phones=result.phones.join(extra), notes=notes)


def windows(
    samples: np.ndarray,
    said: Sequence[Sequence[tuple[str, ...]]],
    *,
    progress: bool = False,
) -> list[_Found]:
    """Align words window by window; words that were not found have no phones."""
    from tqdm import tqdm

    sound = acoustic.Conditioned(samples, pad=PAD)
    found: list[_Found] = [_Found([]) for _ in said]
    level = _level(sound)
    duration = len(sound) / RATE
    start, word, done = 0.0, 0, 0.0
    with tqdm(
        total=round(duration, 1),
        desc="aligning",
        unit="s",
        disable=not progress or duration < 60,
        leave=False,
    ) as bar:
        while start < duration - 0.2 and word < len(said):
            end, last = _window_end(level, start, duration)
            upto = len(said) if last else min(word + int((end - start) * FASTEST) + 5, len(said))
            upto = min(upto, word + int((end - start) * 2 * FASTEST) + 10)
            whole = last and upto == len(said)
            part = sound[int(start * RATE) : int(end * RATE)]
            heard, stop = _window(part, said[word:upto], whole=whole)
            for k, phones in heard.items():
                found[word + k] = _Found([p.shift(start - PAD + acoustic.CENTRE) for p in phones])
            if last:
                break
            word += max(heard) + 1 if heard else 0
            start = start + stop
            bar.update(round(start - done, 1))
            done = start
    return found


def _inside(phones: Sequence[Interval], end: float) -> list[Interval]:
    return [
        replace(p, start=max(p.start, 0.0), end=min(p.end, end))
        for p in phones
        if p.end > 0.0 and p.start < end
    ]


def _level(sound: np.ndarray | acoustic.Conditioned) -> np.ndarray:
    """Smoothed energy of each 10 ms in dB."""
    step, count = RATE // 100, len(sound) // (RATE // 100)
    power = np.empty(count, np.float32)
    for a in range(0, count, 6000):  # a minute at a time: the sound is never copied whole
        b = min(a + 6000, count)
        power[a:b] = np.mean(sound[a * step : b * step].reshape(-1, step) ** 2, axis=1)
    smooth = np.convolve(power, np.ones(25) / 25, "same")
    return 10 * np.log10(smooth + 1e-10)


def _window_end(level: np.ndarray, start: float, duration: float) -> tuple[float, bool]:
    """Second at which the next window ends (the quietest place), and whether it is the last."""
    if duration - start <= LONGEST_WINDOW:
        return duration, True
    a, b = int((start + SHORTEST_WINDOW) * 100), int((start + LONGEST_WINDOW) * 100)
    return (a + int(np.argmin(level[a:b]))) / 100, False


def _window(
    sound: np.ndarray, said: Sequence[Sequence[tuple[str, ...]]], *, whole: bool
) -> tuple[dict[int, list[Interval]], float]:
    """Align one window: phones of the words found (seconds in the window), and where the next one may begin."""
    model = acoustic.load()
    if not said:
        return {}, len(sound) / RATE
    coarse, fine = _features(sound)
    stop = len(sound) / RATE
    pieces, fits, best = _first_pass(model, coarse, said, whole=whole)
    model = acoustic.adapted(model, coarse, _labels(model, pieces, said, len(coarse)))
    fitting = bool(fits) and len(fits) == max(fits) + 1 and float(np.median(list(fits.values()))) > CLEAR
    if not fitting or any(p.word == -2 for p in pieces):
        # once more with the model moved towards this voice: in noise a tenth of the wrong frames come right
        pieces, _, _ = _first_pass(model, coarse, said, whole=whole, near=(pieces, best))
        model = acoustic.adapted(model, coarse, _labels(model, pieces, said, len(coarse)))
    if not whole:
        pieces, stop = _settled(pieces, len(coarse))
    heard = _second_pass(model, fine, pieces, said)
    # trust is judged by the model as it was: moved towards a wrong text, it would begin to believe it
    return {k: [replace(p, value=fits.get(k, -9.0)) for p in phones] for k, phones in heard.items()}, stop


def _first_pass(
    model: acoustic.AcousticModel,
    coarse: np.ndarray,
    said: Sequence[Sequence[tuple[str, ...]]],
    *,
    whole: bool,
    near: tuple[Sequence[viterbi.Piece], np.ndarray] | None = None,
) -> tuple[list[viterbi.Piece], dict[int, float], np.ndarray]:
    """Pronunciations, silences and fillers at 10 ms, each word's mean margin over the best of all phones, and that best.

    With ``near`` (a path and the best of all phones), words are scored only within a second of where the path had them.
    """
    net = viterbi.network(model, said)
    states, inverse = np.unique(
        np.concatenate([np.maximum(net.tied, 0), model.monophones().ravel()]), return_inverse=True
    )
    column, plain = inverse[: len(net.tied)].copy(), inverse[len(net.tied) :]
    needed = None
    if near is not None:
        needed = np.zeros((len(coarse), len(states)), bool)
        needed[:, column[net.silence[0] : net.silence[0] + acoustic.STATES]] = True
        low, high = _vicinity(near[0], len(said), len(coarse))
        first = np.flatnonzero((net.word >= 0) & np.append(True, net.word[1:] != net.word[:-1]))
        for a, b in zip(first, [*first[1:], len(net.word)], strict=True):
            word = int(net.word[a])
            needed[low[word] : high[word], column[a:b]] = True
    scores = acoustic.score(model, coarse, states, needed=needed)
    best = scores[:, plain].max(axis=1) if near is None else near[1]
    column[net.filler] = len(states)
    scores = np.concatenate([scores, (best - viterbi.FILLER)[:, None]], axis=1)
    pieces, _ = viterbi.best_path(net, scores, column, whole=whole)
    fits = {}
    starts = {(int(net.word[f]), int(net.variant[f])): int(f) for f in net.first}
    for piece in pieces:
        if piece.word >= 0:
            state = starts[piece.word, piece.variant] + np.arange(len(piece.entries))
            own = np.repeat(column[state], np.diff([*piece.entries, piece.end]))
            frames = np.arange(piece.start, piece.end)
            fits[piece.word] = float(np.mean(scores[frames, own] - best[frames]))
    return pieces, fits, best


def _vicinity(near: Sequence[viterbi.Piece], words: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last frame in which each word is looked for again: about where it was, or between its neighbours."""
    start, end = np.full(words, -1), np.full(words, -1)
    for p in near:
        if p.word >= 0:
            start[p.word], end[p.word] = p.start, p.end
    low, high = np.zeros(words, np.int64), np.full(words, count)
    clock = 0
    for k in range(words):
        clock = start[k] if start[k] >= 0 else clock
        low[k] = max(clock - 100, 0)
    clock = count
    for k in range(words - 1, -1, -1):
        clock = end[k] if end[k] >= 0 else clock
        high[k] = min(clock + 100, count)
    return low, high


def _labels(
    model: acoustic.AcousticModel,
    pieces: Sequence[viterbi.Piece],
    said: Sequence[Sequence[tuple[str, ...]]],
    count: int,
) -> np.ndarray:
    """Phone of each 10 ms frame of a path, -1 in silence and fillers."""
    labels = np.full(count, -1)
    for piece in pieces:
        if piece.word >= 0:
            phones = said[piece.word][piece.variant]
            bounds = [*piece.entries[:: acoustic.STATES], piece.end]
            for phone, a, b in zip(phones, bounds, bounds[1:], strict=False):
                labels[a:b] = model.phones.index(phone)
    return labels


def _features(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features at 10 ms and at 5 ms, mean removed."""
    cepstrum = acoustic.cepstra(sound, hop=_HOP)
    # the mean of what is not far below the loudest, so that long silence does not pull it
    heard = cepstrum[:, 0] > np.percentile(cepstrum[:, 0], 95) - 40.0
    cepstrum = cepstrum - cepstrum[heard].mean(axis=0)
    fine = acoustic.with_slopes(cepstrum, hop=_HOP)
    return fine[::2], fine


def _settled(pieces: list[viterbi.Piece], count: int) -> tuple[list[viterbi.Piece], float]:
    """Keep what a longer window would hardly change: up to the last silence of its second half."""
    for k in range(len(pieces) - 1, 0, -1):
        p = pieces[k]
        if p.word == -1 and p.end - p.start >= 15 and 0.4 * count < p.start and p.end < count - 150:
            return pieces[: k + 1], 0.5 * (p.start + p.end) / 100
    keep = [p for p in pieces if p.end <= 0.85 * count]
    if not keep:
        return [], count / 100
    return keep, keep[-1].end / 100


def _second_pass(
    model: acoustic.AcousticModel,
    fine: np.ndarray,
    pieces: Sequence[viterbi.Piece],
    said: Sequence[Sequence[tuple[str, ...]]],
) -> dict[int, list[Interval]]:
    """Refine the boundaries of the chosen pronunciations at 5 ms, between fillers."""
    heard: dict[int, list[Interval]] = {}
    run: list[viterbi.Piece] = []
    for piece in [*pieces, viterbi.Piece(0, 0, -2, 0)]:
        if piece.word == -1 and piece.end - piece.start < SHORTEST_SILENCE and len(run) > 0:
            run[-1] = replace(run[-1], end=piece.end)  # a closure or a breath of a consonant, no pause
            continue
        if piece.word != -2:
            run.append(piece)
            continue
        if any(p.word >= 0 for p in run):
            heard.update(_refine(model, fine, run, said))
        run = []
    return heard


def _refine(
    model: acoustic.AcousticModel,
    fine: np.ndarray,
    run: Sequence[viterbi.Piece],
    said: Sequence[Sequence[tuple[str, ...]]],
) -> dict[int, list[Interval]]:
    first, last = 2 * run[0].start, min(2 * run[-1].end, len(fine))
    tied: list[np.ndarray] = []
    low: list[int] = []
    high: list[int] = []
    owner: list[tuple[int, str]] = []
    for k, piece in enumerate(run):
        phones = said[piece.word][piece.variant] if piece.word >= 0 else ("SIL",)
        before = run[k - 1] if k else None
        after = run[k + 1] if k + 1 < len(run) else None
        left = said[before.word][before.variant][-1] if before and before.word >= 0 else "SIL"
        right = said[after.word][after.variant][0] if after and after.word >= 0 else "SIL"
        tied.append(model.chain(phones, left=left, right=right))
        owner += [(piece.word, p) for p in phones]
        low += [2 * piece.start - _REACH - first] * (acoustic.STATES * len(phones))
        high += [2 * piece.end + _REACH - first] * (acoustic.STATES * len(phones))
    chain = np.concatenate(tied)
    if last - first < len(chain):
        return {}
    states, column = np.unique(chain, return_inverse=True)
    lows, highs = np.array(low), np.array(high)
    needed = np.zeros((last - first, len(states)), bool)
    for s in range(len(chain)):
        needed[max(lows[s], 0) : max(highs[s] + 1, 0), column[s]] = True
    scores = acoustic.score(model, fine[first:last], states, needed=needed)
    emission = scores[:, column]
    starts = viterbi.line(emission, low=lows, high=highs)
    bounds = np.append(starts[:: acoustic.STATES], last - first)
    heard: dict[int, list[Interval]] = {}
    for k, (word, phone) in enumerate(owner):
        if word >= 0:
            a, b = (first + int(bounds[k])) * _FRAME, (first + int(bounds[k + 1])) * _FRAME
            heard.setdefault(word, []).append(Interval(a, b, phone, None, 0.0))
    return heard


def _trusted(found: Sequence[_Found]) -> None:
    """Turn each phone's fit into its confidence, looking at the phones within about a second too.

    The fit is the mean margin over the best of all phones (nats a frame): about 0 where the text is right, under -2.6 where
    it is wrong. Neighbours tell a wrong text from a slurred phone. Both constants are from the clips of free-speech
    under their own and each other's transcripts: 99 % of right phones lie above -2.4, most wrong ones below -3.
    """
    flat = [p for word in found for p in word.phones]
    if not flat:
        return
    fit = np.array([p.value if p.value is not None else -9.0 for p in flat])
    length = np.array([max(p.duration, 0.005) for p in flat])
    middle = np.array([p.middle for p in flat])
    around = np.empty(len(flat))
    reach = 40
    for a in range(0, len(flat), 1000):
        b = min(a + 1000, len(flat))
        low, high = max(a - reach, 0), min(b + reach, len(flat))
        weight = np.exp(-0.5 * ((middle[a:b, None] - middle[None, low:high]) / 0.7) ** 2) * length[low:high]
        around[a:b] = weight @ fit[low:high] / weight.sum(axis=1)
    own = 0.6 + 0.4 / (1.0 + np.exp(-np.clip(fit + 4.0, -30, 30)))
    confidence = own / (1.0 + np.exp(-np.clip(2.2 * (around + 2.8), -30, 30)))
    k = 0
    for word in found:
        for i, p in enumerate(word.phones):
            word.phones[i] = Interval(p.start, p.end, p.label, None, float(confidence[k]))
            k += 1


def _without_pauses(found: Sequence[_Found]) -> None:
    """Cut pauses out of stops at the edges of words.

    A closed mouth sounds like a pause, so the model may lay a pause into the stop beside it. No stop of
    running speech is that long (Crystal & House 1988: 54 ms of closure and 25 ms of release on average).
    """
    for word in found:
        if word.phones and _overlong(word.phones[0]):
            word.phones[0] = replace(word.phones[0], start=word.phones[0].end - _STOP)
        if len(word.phones) > 1 and _overlong(word.phones[-1]):
            word.phones[-1] = replace(word.phones[-1], end=word.phones[-1].start + _STOP)


def _overlong(phone: Interval) -> bool:
    return phone.label in _STOPS and phone.duration > _LONGEST_STOP


def _spread_lost(
    found: list[_Found], said: Sequence[tuple[str, ...]], spans: Sequence[tuple[float, float]]
) -> None:
    """Give words that were not found the speech that lies unused between their neighbours, if there is any."""
    k = 0
    while k < len(found):
        if found[k].phones:
            k += 1
            continue
        first = k
        while k < len(found) and not found[k].phones:
            k += 1
        left = found[first - 1].phones[-1].end if first else 0.0
        right = found[k].phones[0].start if k < len(found) else float("inf")
        free = [(max(a, left), min(b, right)) for a, b in spans if min(b, right) - max(a, left) > 0.08]
        room, need = sum(b - a for a, b in free), sum(usual(p) for w in said[first:k] for p in w)
        if room < 0.3 * need or not free:
            continue
        if room > 3.0 * need:  # far more speech than words: they stay near what was found
            continue
        laid = warp([[(p, usual(p)) for p in w] for w in said[first:k]], free, confidence=0.2)
        for offset, phones in enumerate(laid):
            found[first + offset] = _Found(phones)


def _tiers(
    tokens: Sequence[Token], spoken: Sequence[tuple[int, str]], found: Sequence[_Found], notes: dict[str, Any]
) -> Alignment:
    """Words (in their original spelling) and phones from the phones of the spoken words."""
    phones: list[Interval] = []
    parts: dict[int, list[Interval]] = {}
    for (token, _), word in zip(spoken, found, strict=True):
        phones += word.phones
        parts.setdefault(token, []).extend(word.phones)
    words, after, lost = [], [], []
    for k, token in enumerate(tokens):
        inside = parts.get(k, [])
        if not inside:
            lost.append(token.written)
            continue
        weight = sum(p.duration for p in inside) or 1.0
        confidence = sum(p.confidence * p.duration for p in inside) / weight
        if confidence <= 0.2:
            lost.append(token.written)
        words.append(
            Interval(inside[0].start, inside[-1].end, token.written, None, min(max(confidence, 0.0), 1.0))
        )
        after.append(token.after)
    if lost:
        notes["unaligned"] = lost
        shown = " ".join(lost[:12]) + (" …" if len(lost) > 12 else "")
        log.warning("%d of %d words could not be aligned: %s", len(lost), len(tokens), shown)
    doubtful = len(tokens) - sum(w.confidence >= 0.35 for w in words)
    if tokens and doubtful > 0.4 * len(tokens):
        notes["warning"] = "the transcript does not match the sound"
        log.warning(
            "the transcript does not match the sound: %d of %d words fit badly or nowhere",
            doubtful,
            len(tokens),
        )
        # where most of a text is wrong, what seems to fit may be chance
        share = 1.0 - doubtful / len(tokens)
        words = [replace(w, confidence=w.confidence * share) for w in words]
        phones = [replace(p, confidence=p.confidence * share) for p in phones]
    return Alignment(Tier("words", tuple(words)), Tier("phones", tuple(phones)), tuple(after), notes)
