"""The best path of a text through a sound: words with several pronunciations, silences, insertions, omissions.

The network of a text is a line of junctions. From one junction to the next lead the pronunciations of a word; at each
junction one may rest in silence, or in a filler that takes any other sound (speech the transcript lacks); a word may
be left out at a price (the transcript has what was not said). All states live at once: no beam, so no search error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kinesics.hear.acoustic import STATES, AcousticModel

SKIP, SKIP_ENTRY = 50.0, 350.0
"""Price (nats) of each word of the transcript that was not said, and of each stretch of them."""
FILLER = 3.0
"""Nats a frame by which the filler is worse than the best of all phones."""
FILLER_ENTRY = 60.0
"""Price (nats) of beginning to fill."""
SILENCE_ENTRY = 5.3
"""Price (nats) of a silence between words: pocketsphinx's own (a probability of 0.005)."""
_NEVER = np.float32(-1e30)


@dataclass(frozen=True)
class Network:
    """A text as a line of states.

    Parameters
    ----------
    tied : np.ndarray [shape=(S,)]
        Tied state of each state; -1 is the filler.
    word : np.ndarray [shape=(S,)]
        Word it belongs to; -1 silence, -2 filler.
    variant : np.ndarray [shape=(S,)]
        Pronunciation of the word.
    first, last
        Indices of the first and last states of all pronunciations, in order of words.
    owner
        Word of each of them.
    silence, filler
        First state of each junction's silence, and its filler state.
    pronunciations
        Phones of each word's variants.
    """

    tied: np.ndarray
    word: np.ndarray
    variant: np.ndarray
    first: np.ndarray
    last: np.ndarray
    owner: np.ndarray
    silence: np.ndarray
    filler: np.ndarray
    pronunciations: Sequence[Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Piece:
    """A stretch of the best path: frames [start, end) in word ``word`` (-1 silence, -2 filler).

    ``entries`` are the first frames of its states.
    """

    start: int
    end: int
    word: int
    variant: int
    entries: tuple[int, ...] = ()


def network(model: AcousticModel, said: Sequence[Sequence[Sequence[str]]]) -> Network:
    """Lay out the pronunciations of all words (word → variants → phones)."""
    silence_states = model.chain(("SIL",))
    tied: list[np.ndarray] = []
    word: list[np.ndarray] = []
    variant: list[np.ndarray] = []
    first, last, owner, silence, filler = [], [], [], [], []
    size = 0

    def add(states: np.ndarray, of: int, which: int) -> int:
        nonlocal size
        tied.append(states)
        word.append(np.full(len(states), of))
        variant.append(np.full(len(states), which))
        size += len(states)
        return size - len(states)

    for k in range(len(said) + 1):
        silence.append(add(silence_states, -1, 0))
        filler.append(add(np.array([-1]), -2, 0))
        if k == len(said):
            break
        before = said[k - 1][0][-1] if k else "SIL"
        after = said[k + 1][0][0] if k + 1 < len(said) else "SIL"
        for v, phones in enumerate(said[k]):
            at = add(model.chain(phones, left=before, right=after), k, v)
            first.append(at)
            last.append(size - 1)
            owner.append(k)
    as_int = [np.array(x, np.int64) for x in (first, last, owner, silence, filler)]
    return Network(np.concatenate(tied), np.concatenate(word), np.concatenate(variant), *as_int, said)


def best_path(
    net: Network, scores: np.ndarray, column: np.ndarray, *, whole: bool
) -> tuple[list[Piece], float]:
    """Find the best path.

    Parameters
    ----------
    net
        From `network`.
    scores : np.ndarray [shape=(T, U)]
        Log likelihoods of the frames in the different tied states, the filler's among them.
    column : np.ndarray [shape=(S,)]
        Column of ``scores`` of each state.
    whole
        All words must be passed by the last frame; else the path may end after any word.

    Returns
    -------
    list of Piece
        In order, covering all frames.
    float
        Log likelihood of the path.
    """
    count, size = len(scores), len(net.tied)
    words = int(net.owner[-1]) + 1 if len(net.owner) else 0
    stay, leave = np.float32(np.log(0.6)), np.float32(np.log(0.4))
    inner = np.ones(size, bool)  # may be entered from the state before
    inner[net.first] = False
    inner[net.silence] = False
    inner[net.filler] = False
    inner_cost = np.where(inner, leave, _NEVER).astype(np.float32)
    group = np.searchsorted(net.owner, np.arange(words))  # first variant of each word
    skips = (np.arange(words + 1) * SKIP).astype(np.float32)
    line = np.arange(words + 1)
    silence_end = net.silence + STATES - 1
    entered = np.zeros((count, size), bool)
    # where each junction's score comes from: state index, or -1 - junction for words left out
    origin_before = np.zeros((count, words + 1), np.int32)
    origin = np.zeros((count, words + 1), np.int32)

    next_junction = net.owner + 1
    previous = np.maximum(line - 1, 0)
    jump = np.full(words + 1, _NEVER, np.float32)
    entry = skips[1:] + np.float32(SKIP_ENTRY)

    def junctions(value: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        before = np.full(words + 1, _NEVER, np.float32)
        ends = value[net.last]
        if words:
            before[1:] = np.maximum.reduceat(ends, group)
            pick = np.flatnonzero(ends >= before[next_junction])
            origin_before[t, next_junction[pick]] = net.last[pick]
        quiet, filled = value[silence_end], value[net.filler]
        rest = np.maximum(quiet, filled)
        after = np.maximum(before, rest)
        source = np.where(
            before >= rest, origin_before[t], np.where(quiet >= filled, silence_end, net.filler)
        )
        # leaving words out: the best junction further left, by a running maximum
        shifted = after + skips
        top = np.maximum.accumulate(shifted)
        index = np.maximum.accumulate(np.where(shifted >= top, line, 0))
        jump[1:] = top[:-1] - entry
        origin[t] = np.where(jump > after, -1 - index[previous], source)
        return before, np.maximum(after, jump)

    value = np.full(size, _NEVER, np.float32)
    opening = np.where(line == 0, 0.0, -skips - SKIP_ENTRY).astype(np.float32)
    value[net.first] = opening[net.owner]
    value[net.silence] = opening
    value[net.filler] = opening - FILLER_ENTRY
    value += scores[0].take(column)
    entered[0] = True
    for t in range(1, count):
        before, after = junctions(value, t)
        coming = np.empty_like(value)
        coming[1:] = value[:-1] + inner_cost[1:]
        coming[0] = _NEVER
        coming[net.first] = after[net.owner] + leave
        coming[net.silence] = before + (leave - np.float32(SILENCE_ENTRY))
        coming[net.filler] = before + leave - np.float32(FILLER_ENTRY)
        kept = value + stay
        entered[t] = coming > kept
        value = np.maximum(kept, coming) + scores[t].take(column)
    final = np.concatenate([value[net.last], value[silence_end], value[net.filler]])
    states = np.concatenate([net.last, silence_end, net.filler])
    if whole:  # words after the last one reached are left out, at their price
        reached = np.concatenate([net.owner + 1, line, line])
        final = final - np.where(reached < words, (words - reached) * SKIP + SKIP_ENTRY, 0.0)
    k = int(final.argmax())
    return _trace(net, int(states[k]), entered, origin_before, origin, count), float(final[k])


def _trace(
    net: Network, state: int, entered: np.ndarray, origin_before: np.ndarray, origin: np.ndarray, count: int
) -> list[Piece]:
    pieces: list[Piece] = []
    end = count
    entries: list[int] = []
    junction_of_silence = {int(s): k for k, s in enumerate(net.silence)}
    junction_of_filler = {int(s): k for k, s in enumerate(net.filler)}
    firsts = {int(s): int(o) for s, o in zip(net.first, net.owner, strict=True)}
    t = count - 1
    while t >= 0:
        while t > 0 and not entered[t, state]:
            t -= 1
        entries.append(t)
        if state in firsts or state in junction_of_silence or state in junction_of_filler:
            pieces.append(Piece(t, end, int(net.word[state]), int(net.variant[state]), tuple(entries[::-1])))
            end, entries = t, []
            if t == 0:
                break
            if state in firsts:
                at = int(origin[t, firsts[state]])
                while at < 0:
                    at = int(origin[t, -1 - at])
                state = at
            else:
                junction = junction_of_silence.get(state, junction_of_filler.get(state, 0))
                state = int(origin_before[t, junction])
        else:
            state -= 1
        t -= 1
    return pieces[::-1]


def line(emission: np.ndarray, *, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the first frame of each state on the best path through a line of states.

    Parameters
    ----------
    emission : np.ndarray [shape=(T, S)]
        Log likelihoods.
    low, high : np.ndarray [shape=(S,)]
        First and last frame in which each state may be.

    Returns
    -------
    np.ndarray [shape=(S,)]
        First frame of each state.
    """
    count, size = emission.shape
    kept = np.zeros((count, size), bool)
    value = np.full(size, _NEVER, np.float32)
    frame = np.arange(count)[:, None]
    emission = np.where((frame >= low) & (frame <= high), emission, _NEVER)
    value[0] = emission[0, 0]
    for t in range(1, count):
        come = np.empty_like(value)
        come[1:] = value[:-1]
        come[0] = _NEVER
        kept[t] = value >= come
        value = np.maximum(value, come) + emission[t]
    starts = np.zeros(size, np.int64)
    state = size - 1
    for t in range(count - 1, 0, -1):
        if not kept[t, state]:
            starts[state] = t
            state -= 1
            if state < 0:
                break
    return starts
