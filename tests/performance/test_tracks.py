"""Sampled tracks: one clock, half-open spans, rates, faults."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Face, Motion, Points, Signal

BONES = Skeleton(("root", "tip"), (-1, 0), [[0, 1, 0], [0, 0.5, 0]])


def turning(frames: int = 60, fps: object = 60, start: float = 0.0) -> Motion:
    """The tip turns about Z by one degree a frame; the root walks 1 cm a frame along X."""
    t = np.arange(frames)
    q = np.stack(
        [np.tile(rot.IDENTITY, (frames, 1)), rot.from_axis_angle([0, 0, 1.0], np.radians(t * 1.0))], axis=1
    )
    return Motion(BONES, q, np.stack([t * 0.01, t * 0 + 1, t * 0], axis=1), fps, start)


def ramp(samples: int = 100, fps: object = 50, start: float = 0.0) -> Signal:
    return Signal(
        np.arange(samples, dtype=float)[:, None] / float(Fraction(str(fps))), ("t",), ("s",), fps, start
    )


TRACKS = [
    turning(),
    ramp(),
    Face(np.linspace(0, 1, 30)[:, None], ("jawOpen",), 30),
    Points(np.arange(60.0).reshape(10, 3, 2), ("a", "b", "c"), 25, "image", confidence=np.ones((10, 3))),
    Audio(np.linspace(-1, 1, 800), 8000),
    Audio(np.zeros((800, 2)), 8000),
]
ids = [type(t).__name__ for t in TRACKS]


@pytest.mark.parametrize(
    ("given_rate", "exact"),
    [
        (60, Fraction(60)),
        (60.0, Fraction(60)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(120000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (Fraction(2997, 100), Fraction(2997, 100)),
        (14.99, Fraction(1499, 100)),
        (12.5, Fraction(25, 2)),
        (0.004, Fraction(1, 250)),
        (np.float32(29.97), Fraction(30000, 1001)),
        (np.int64(25), Fraction(25)),
    ],
)
def test_rates_are_exact(given_rate, exact):
    assert ramp(fps="1").resample(1) is not None
    assert Signal(np.zeros((3, 1)), ("x",), ("",), given_rate).fps == exact


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, "fast", None, 2e6, "1e999999999", "1/0", [60]])
def test_impossible_rates_are_refused_at_once(bad):
    with pytest.raises(DataError, match="rate"):
        Signal(np.zeros((3, 1)), ("x",), ("",), bad)


@pytest.mark.parametrize("track", TRACKS, ids=ids)
def test_pieces_join_to_the_whole(track):
    for cut in (0.0, 0.0333, 0.05, track.duration / 3, track.duration, track.duration + 1):
        a, b = track.slice(0, cut), track.slice(cut, math.inf)
        assert len(a) + len(b) == len(track), "half-open: no sample twice, none lost"
        whole = a.join(b)
        assert whole.difference(track) <= 1e-7
        assert (whole.fps, whole.start) == (track.fps, track.start)


@given(
    st.integers(0, 200),
    st.sampled_from([1, 7, 24, 25, 29.97, 30, 50, 60, 120, 16000]),
    st.floats(-5, 5),
    st.floats(-6, 10),
    st.floats(0, 5),
)
def test_slices_are_half_open(count, fps, offset, start, length):
    track = ramp(count, fps, offset)
    part = track.slice(start, start + length)
    slack = 2e-3 / float(track.fps)
    assert np.all(part.times >= start - slack)
    assert np.all(part.times < start + length + slack)
    inside = np.count_nonzero((track.times >= start + slack) & (track.times < start + length - slack))
    assert len(part) >= inside
    if len(part):
        row = round((part.start - offset) * float(track.fps))
        np.testing.assert_array_equal(part.values, track.values[row : row + len(part)])
    else:
        assert part.duration == 0


def test_exact_times_cut_at_the_sample():
    track = ramp(600, 60)
    assert [len(track.slice(k / 10, (k + 1) / 10)) for k in range(100)] == [6] * 100
    assert len(track.slice(1.0, 1.0)) == 0


@pytest.mark.parametrize("track", TRACKS, ids=ids)
def test_shift_duration_and_travel(track):
    later = track.shift(2.5)
    assert later.start == track.start + 2.5
    assert later.duration == pytest.approx(len(track) / float(track.fps))
    assert later.end == pytest.approx(2.5 + track.end)
    for other in (pickle.loads(pickle.dumps(track)), copy.deepcopy(track)):
        assert other.difference(track) <= 1e-7
        assert other.fps == track.fps


@pytest.mark.parametrize("fps", [25, 50, 29.97, 60, 120])
def test_resampling_keeps_seconds_and_values(fps):
    track = ramp(200, 50, start=1.0)
    out = track.resample(fps)
    assert out.start == 1.0
    assert out.duration == pytest.approx(4.0, abs=0.5 / float(out.fps))
    inside = out.times < 1 + 199 / 50
    np.testing.assert_allclose(out.column("t")[inside], out.times[inside] - 1, atol=1e-5)


def test_rotations_resample_along_the_arc():
    out = turning(61).resample(90)
    angle = np.degrees(rot.angle(out.joint("tip"), rot.IDENTITY))
    np.testing.assert_allclose(angle[:90], np.arange(90) * 2 / 3, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(out.rotations, axis=-1), 1, atol=1e-6)


def test_sound_resamples_without_moving():
    t = np.arange(16000) / 16000
    tone = Audio(np.sin(2 * np.pi * 440 * t), 16000).resample(22050)
    wanted = np.sin(2 * np.pi * 440 * np.arange(len(tone)) / 22050)
    assert abs(len(tone) - 22050) <= 1
    np.testing.assert_allclose(tone.samples[500:-500], wanted[500 : len(tone) - 500], atol=1e-3)
    with pytest.raises(DataError, match="whole samples"):
        tone.resample(22050.5)


def test_at_holds_the_ends_and_takes_empty_tracks_and_times():
    track = ramp(11, 10, start=1.0)
    np.testing.assert_allclose(track.at([0, 1, 1.55, 2, 9]).column("t"), [0, 0, 0.55, 1, 1], atol=1e-6)
    assert len(track.at([])) == 0
    with pytest.raises(DataError, match="no samples"):
        ramp(0).at([1.0])
    assert len(ramp(0).resample(30)) == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Signal([[1.0], [math.nan]], ("x",), ("",), 1), r"not finite at \(1, 0\)"),
        (lambda: Signal([[1.0], [1e300]], ("x",), ("",), 1), "not finite"),
        (lambda: Signal([[10**400]], ("x",), ("",), 1), "not an array"),
        (lambda: Signal([["a"]], ("x",), ("",), 1), "not an array"),
        (lambda: Signal([1.0], ("x",), ("",), 1), r"expected \(any, 1\)"),
        (lambda: Signal([[1.0, 2]], ("x",), ("",), 1), "expected"),
        (lambda: Signal([[1.0, 2]], ("x", "x"), ("", ""), 1), "repeat"),
        (lambda: Signal([[1.0]], ("x",), ("",), 1, confidence=[[2.0]]), "0 to 1"),
        (lambda: Signal([[1.0]], ("x",), ("",), 1, math.nan), "start"),
        (lambda: Face([[math.inf]], ("jawOpen",), 60), "not finite"),
        (lambda: Audio([0.0, math.nan], 8000), "not finite"),
        (lambda: Audio(np.zeros((2, 2, 2)), 8000), "expected"),
        (lambda: Points(np.zeros((1, 1, 4)), ("a",), 1), "expected"),
        (lambda: Points(np.zeros((1, 1, 2)), ("a",), 1, "mirror"), "choose one of"),
        (lambda: Motion(BONES, np.zeros((1, 2, 4)), np.zeros((1, 3)), 60), "unit quaternions"),
        (lambda: Motion(BONES, np.ones((1, 3, 4)), np.zeros((1, 3)), 60), "expected"),
        (lambda: Motion(BONES, np.tile(rot.IDENTITY, (2, 2, 1)), np.zeros((1, 3)), 60), "root"),
    ],
)
def test_faults_are_named(make, says):
    with pytest.raises(DataError, match=says):
        make()


def test_what_does_not_fit_is_not_joined_or_compared():
    with pytest.raises(DataError, match="rates differ"):
        ramp(fps=50).join(ramp(fps=60))
    with pytest.raises(DataError, match="cannot be joined"):
        ramp().join(turning())
    with pytest.raises(DataError, match="same span"):
        ramp(3).difference(ramp(4))
    with pytest.raises(DataError, match="comes before"):
        ramp().slice(2, 1)


def test_arrays_belong_to_the_track():
    values = np.zeros((3, 1), dtype=np.float32)
    track = Signal(values, ("x",), ("",), 1)
    values[0] = 5
    assert track.values[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        track.values[0] = 1


def test_a_motion_on_other_proportions_keeps_its_angles():
    tall = Skeleton(BONES.names, BONES.parents, BONES.offsets * 2)
    moved = turning().on(tall)
    np.testing.assert_array_equal(moved.rotations, turning().rotations)
    np.testing.assert_allclose(moved.root, turning().root * 2)
    flat = Skeleton(BONES.names, BONES.parents, [[0, 0, 0], [0, 1, 0]])
    # Hips that rest on the floor tell no size: what differs from rest stays as it is.
    np.testing.assert_allclose(turning().on(flat).root, turning().root - BONES.offsets[0])
    with pytest.raises(DataError, match="different joints"):
        turning().on(Skeleton(("a", "b"), BONES.parents, BONES.offsets))


def test_difference_is_the_greatest_angle_or_way():
    a = turning(10)
    q = a.rotations.copy()
    q[3, 1] = rot.multiply(q[3, 1], rot.from_axis_angle([0, 1.0, 0], 0.2).astype(np.float32))
    b = Motion(BONES, q, a.root, 60)
    assert a.difference(b) == pytest.approx(0.2, abs=1e-4)
    assert a.difference(Motion(BONES, a.rotations, a.root + [0, 0, 0.5], 60)) == pytest.approx(0.5)


def test_faces_match_by_name():
    face = Face([[0.1, 0.2]], ("b", "a"), 60)
    np.testing.assert_allclose(face.select(("a", "b", "c")).values, [[0.2, 0.1, 0]])
    with pytest.raises(DataError, match="face has no 'z'"):
        face.column("z")
