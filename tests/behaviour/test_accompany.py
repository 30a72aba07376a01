"""Movement that goes with speaking: on the stress, bounded, gone in silence, the same however it is asked for."""

from __future__ import annotations

import numpy as np

from kinesics.behaviour.accompany import HANDS, HEAD, Accompaniment
from kinesics.performance import Interval

SYLLABLES = [Interval(0.5 + 0.22 * i, 0.7 + 0.22 * i, "B AA", 0.9 if i % 3 == 0 else 0.2) for i in range(40)]
TIMES = np.arange(0, 16, 1 / 60)


def accompaniment(hands: float = 1.0) -> Accompaniment:
    return Accompaniment(5, life=1.0, hands=hands, leading=1)


def fed(hands: float = 1.0) -> Accompaniment:
    going = accompaniment(hands)
    going.hear(SYLLABLES, now=0.0)
    return going


def test_still_without_speech() -> None:
    assert np.abs(accompaniment()(TIMES)).max() == 0


def test_silence_brings_it_to_rest() -> None:
    after = SYLLABLES[-1].end + 1.7 < TIMES
    moved = fed()(TIMES)
    assert np.abs(moved[~after]).max() > 0.02
    assert np.abs(moved[after]).max() < 1e-9


def test_calm_hands_stay_while_the_head_moves() -> None:
    moved = fed(hands=0.0)(TIMES)
    assert np.abs(moved[:, HANDS[1]]).max() == 0
    assert np.ptp(moved[:, HEAD], axis=0).max() > 2


def test_hands_stay_near_and_smooth() -> None:
    hand = fed()(TIMES)[:, HANDS[1]]
    assert np.linalg.norm(hand, axis=1).max() < 0.35
    speed = np.linalg.norm(np.diff(hand, axis=0), axis=1) * 60
    assert 0.05 < speed.mean() < 0.5
    assert speed.max() < 1.8


def test_hearing_in_pieces_and_forgetting_change_nothing() -> None:
    whole, pieces = fed(), accompaniment()
    blocks, heard = [], 0
    for now in np.arange(0, 16, 0.1):
        known = [s for s in SYLLABLES[heard:] if s.end <= now + 2]
        pieces.hear(known, now=0.0)
        heard += len(known)
        times = TIMES[(now - 1e-9 <= TIMES) & (now + 0.1 - 1e-9 > TIMES)]
        blocks.append(pieces(times))
        pieces.forget(now - 0.5)
    np.testing.assert_allclose(np.concatenate(blocks), whole(TIMES), atol=1e-9)


def test_nothing_before_it_was_heard_changes() -> None:
    late = accompaniment()
    late.hear(SYLLABLES[:5], now=0.0)
    before = late(TIMES[TIMES < 1.5])
    late.hear(SYLLABLES[5:], now=1.5)
    np.testing.assert_array_equal(late(TIMES[TIMES < 1.5]), before)
