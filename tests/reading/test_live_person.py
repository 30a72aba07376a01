"""What a person does, from pictures that come unevenly: told once, in time, and at a cost that does not grow."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("numba")

from kinesics.bodies.arkit import ARKIT
from kinesics.performance import Face, Performance, Signal
from kinesics.reading._live_person import GAP, RATE, LivePerson, between
from kinesics.reading._recording import ROW
from kinesics.see.events import annotate
from kinesics.see.face_network import Neutral
from kinesics.see.head_events import ANGLES
from kinesics.seeds import rng
from tests.see.test_body3d import talking

NOBODY = np.zeros((), ROW)


def moment(time: float, *, sure: float = 1.0) -> Performance:
    """Somebody who blinks every two seconds (at 1, 3, 5 …), smiles from 4 to 6, and nods from 8 to 9."""
    clock = {"fps": Fraction(25), "start": time}
    face = np.zeros((1, 52))
    shut = np.clip(1 - abs((time % 2) - 1) / 0.12, 0, 1)
    face[0, [ARKIT.index("eyeBlinkLeft"), ARKIT.index("eyeBlinkRight")]] = shut
    smile = np.clip(min(time - 4, 6 - time) / 0.3, 0, 1)
    face[0, [ARKIT.index("mouthSmileLeft"), ARKIT.index("mouthSmileRight")]] = 0.7 * smile
    pitch = -6 * (1 - np.cos(4 * np.pi * (time - 8))) if 8 < time < 9 else 0.0
    known = {"confidence": np.full((1, 1), sure)}
    return Performance(
        {
            "face": Face(face, ARKIT, **clock),
            "head": Signal(
                [[pitch, 0, 0]], ANGLES, ("degrees",) * 3, confidence=np.full((1, 3), sure), **clock
            ),
            "face_box": Signal([[9.0]], ("x",), ("px",), **known, **clock),
            "action_units": Signal([[0.0]], ("AU12",), ("",), **known, **clock),
        }
    )


def watched(times, *, sure: float = 1.0, without=lambda time: False):
    """Everything that is told of somebody, by tier, and the person."""
    person = LivePerson(Neutral(), body=False, beside=None)
    found: dict[str, list] = {}
    told = [person.push(moment(t, sure=sure), NOBODY, t) for t in times if not without(t)]
    for known in [*told, person.finish()]:
        for tier, intervals in known.found.items():
            found.setdefault(tier, []).extend(intervals)
    return found, person, told


def uneven(seed: int, seconds: float, low: float = 1 / 40, high: float = 1 / 14) -> list[float]:
    return np.cumsum(rng(seed, "uneven").uniform(low, high, round(2 * seconds / (low + high)))).tolist()


def test_pictures_that_come_evenly_give_the_events_of_the_whole():
    times = (np.arange(300) / RATE).tolist()
    found, _, _ = watched(times)
    whole = [moment(t) for t in times]
    tracks = {
        n: type(whole[0][n])(
            np.concatenate([m[n].values for m in whole]), whole[0][n].names,
            *(() if n == "face" else (whole[0][n].units,)), fps=RATE, start=0.0,
        )
        for n in ("face", "head")
    }  # fmt: skip
    expected = annotate(Performance(tracks))
    for tier in ("blinks", "smile", "head_events"):
        assert [i.label for i in found[tier]] == list(expected.tier(tier).labels)
        for a, b in zip(found[tier], expected.tier(tier), strict=True):
            assert (a.start, a.end) == pytest.approx((b.start, b.end), abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pictures_that_come_unevenly_give_the_same_events_to_a_picture(seed):
    found, _, _ = watched(uneven(seed, 10.5))
    blinks = [i for i in found["blinks"] if i.label == "blink"]
    assert [round((i.start + i.end) / 2) for i in blinks] == [1, 3, 5, 7, 9]
    assert all(abs((i.start + i.end) / 2 - round(i.start + i.end) / 2) < 0.08 for i in blinks)
    (smile,) = found["smile"]
    assert (smile.start, smile.end) == pytest.approx((4.1, 5.9), abs=0.15)
    (nod,) = [i for i in found["head_events"] if i.label == "nod"]
    assert (nod.start, nod.end) == pytest.approx((8, 9), abs=0.35)


def test_every_event_is_told_once_and_soon():
    times = uneven(4, 10.5)
    _, _, told = watched(times)
    late = [
        (i.label, now - i.end)
        for now, known in zip(times, told, strict=True)
        for tier in ("blinks", "smile", "head_events")
        for i in known.found.get(tier, ())
    ]
    assert len(late) == 7
    assert all(0.2 < seconds < 1.6 for _, seconds in late), late


def test_what_is_not_sure_is_told_as_unknown():
    found, _, _ = watched(uneven(5, 10.5), sure=0.3)
    assert {i.label for i in found["blinks"]} == {i.label for i in found["smile"]} == {"unknown"}
    assert max(i.confidence for i in found["smile"]) < 0.5


def test_somebody_who_leaves_and_comes_back_did_nothing_in_between():
    # They leave with a smile on the lips, and it is told when it is certain that they have gone.
    found, _, _ = watched(uneven(6, 14), without=lambda t: 5 < t < 5.4 + GAP)
    first = found["smile"][0]
    assert (first.start, first.end) == pytest.approx((4.1, 5.0), abs=0.2)
    assert not any(i.start < 5.3 and i.end > 5.7 for tier in found.values() for i in tier)
    assert {7, 9, 11, 13} <= {round((i.start + i.end) / 2) for i in found["blinks"]}


def test_a_long_stream_keeps_no_more_than_a_short_one():
    person = LivePerson(Neutral(), body=False, beside=None)
    kept = []
    for k in range(20 * 12):  # pictures of a slow camera
        person.push(moment(k / 12), NOBODY, k / 12)
        kept.append((len(person._faces), len(person._rows), sum(map(len, person._known.found.values()))))
    assert kept[100][0] == kept[-1][0] == 3 * RATE
    assert all(rows == 0 and waiting == 0 for _, rows, waiting in kept)


def seen(points: np.ndarray, k: int) -> np.ndarray:
    """A row of somebody whose body is seen at (33, 3) metres."""
    row = np.zeros((), ROW)
    known = np.isfinite(points[k]).all(axis=1)
    row["pose_3d"] = np.nan_to_num(points[k])
    row["pose"] = np.nan_to_num(points[k]) * [200, -200, -200] + [320, 180, 0]
    row["pose_sure"] = known
    return row


def test_a_body_is_fitted_as_it_moves_and_its_window_does_not_grow():
    _, _, points = talking(90)
    person = LivePerson(Neutral(), body=True, beside=None)
    poses, kept = [], []
    for k in range(90):
        known = person.push(Performance(), seen(points, k), k / RATE)
        kept.append(len(person._rows))
        if known.body is not None:
            poses.append(known.body)
    assert max(kept) < 30
    assert poses[-1].end == pytest.approx(89 / RATE, abs=0.3)
    arms = [p.joint("rightLowerArm")[0] for p in poses[::4]]
    away = [np.degrees(2 * np.arccos(min(1.0, abs(float(a @ b))))) for a, b in pairwise(arms)]
    assert max(away) > 5


def test_between_two_pictures_points_go_straight_and_what_is_in_one_alone_is_the_nearer_ones():
    a, b = np.zeros((), ROW), np.zeros((), ROW)
    a["face_box"], a["face_score"] = [0, 0, 10, 10], 0.8
    b["face_box"], b["face_score"] = [10, 4, 10, 10], 1.0
    b["hand_left"], b["hand_left_score"] = 7.0, 0.9
    early, late = between(a, b, 0.25), between(a, b, 0.75)
    np.testing.assert_allclose(early["face_box"], [2.5, 1, 10, 10])
    assert early["face_score"] == pytest.approx(0.85)
    assert (early["hand_left_score"], late["hand_left_score"]) == (0, np.float32(0.9))
    assert (late["hand_left"] == 7).all()
