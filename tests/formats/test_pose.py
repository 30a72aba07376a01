"""Pose files: real ones bit for bit, several people, and counts that lie."""

from __future__ import annotations

import io
import struct
import sys
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError, MissingExtra
from kinesics.performance import Performance, Points

pose_format = pytest.importorskip("pose_format")


def text(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<H", len(raw)) + raw


def header(version: float = 0.2, *components: tuple[str, str, list]) -> bytes:
    out = struct.pack("<fHHHH", version, 640, 480, 0, len(components))
    for name, form, points in components:
        out += text(name) + text(form) + struct.pack("<HHH", len(points), 1, 1)
        out += b"".join(map(text, points)) + struct.pack("<HH", 0, 1) + struct.pack("<HHH", 1, 2, 3)
    return out


HAND = ("HAND", "XYZC", ["WRIST", "TIP"])


def small(frames: int = 3, people: int = 2, fps: float = 25.0, components=(HAND,), values=None) -> bytes:
    points = sum(len(c[2]) for c in components)
    dims = max(len(c[1]) for c in components) - 1
    data = np.arange(frames * people * points * dims, dtype="<f4") if values is None else values
    trust = np.linspace(0, 1, frames * people * points, dtype="<f4")
    return (
        header(0.2, *components) + struct.pack("<fIH", fps, frames, people) + data.tobytes() + trust.tobytes()
    )


def read(tmp_path, raw: bytes, **options) -> Performance:
    path = tmp_path / "x.pose"
    path.write_bytes(raw)
    return formats.load(path, **options)


@pytest.mark.parametrize(
    ("name", "version", "frames", "sizes", "fps"),
    [
        ("example", 0.2, 97, (33, 468, 21, 21, 33), 25),
        ("mediapipe", 0.1, 170, (8, 128, 21, 21), 24),
        ("openpose", 0.0, 93, (25, 70, 21, 21), 24),
    ],
)
def test_real_files(shared_data, tmp_path, name, version, frames, sizes, fps):
    path = shared_data("free-sign_pose") / f"{name}.pose"
    show = formats.load(path)
    assert show.meta["pose"]["version"] == version
    assert tuple(len(show[n].names) for n in show) == sizes
    assert {(len(t), t.fps, t.frame) for t in show.tracks.values()} == {(frames, fps, "image")}
    oracle = pose_format.Pose.read(path.read_bytes())
    values = np.concatenate([show[n].values for n in show], axis=1)
    np.testing.assert_array_equal(values, oracle.body.data.data[:, 0])
    trust = np.concatenate([show[n].confidence for n in show], axis=1)
    np.testing.assert_array_equal(trust, oracle.body.confidence[:, 0].clip(0, 1))
    show.save(tmp_path / "x.pose")
    back = formats.load(tmp_path / "x.pose")
    for track in show:
        assert back[track].names == show[track].names
        np.testing.assert_array_equal(back[track].values, show[track].values)
        np.testing.assert_array_equal(back[track].confidence, show[track].confidence)
    if version == 0.2:
        assert (tmp_path / "x.pose").read_bytes() == path.read_bytes()
    assert ("confidence_cut" in show.meta["pose"]) == (name == "openpose")


def test_people_are_taken_by_number(tmp_path):
    one, two = read(tmp_path, small()), read(tmp_path, small(), person=1)
    np.testing.assert_array_equal(one["HAND"].values[0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(two["HAND"].values[0], [[6, 7, 8], [9, 10, 11]])
    assert (two.meta["pose"]["people"], two.meta["pose"]["person"]) == (2, 1)
    for person in (2, -1, True, "0"):
        with pytest.raises(FormatError, match="people"):
            read(tmp_path, small(), person=person)


def test_rates(tmp_path):
    assert read(tmp_path, small(fps=29.97))["HAND"].fps == Fraction(30000, 1001)
    assert read(tmp_path, small(fps=12.5))["HAND"].fps == Fraction(25, 2)
    assert read(tmp_path, small(fps=0), fps=24)["HAND"].fps == 24
    for fps in (0, -1, np.nan, np.inf):
        with pytest.raises(FormatError, match="fps=25"):
            read(tmp_path, small(fps=fps))
    raw = small(people=1, fps=29.97)
    read(tmp_path, raw).save(tmp_path / "y.pose")
    assert (tmp_path / "y.pose").read_bytes() == raw


def test_names_that_clash(tmp_path, caplog):
    components = [
        ("body", "XYC", ["a", "a", "a_2"]),
        ("HAND", "XYC", ["w", "t"]),
        ("HAND", "XYC", ["w", "t"]),
    ]
    raw = small(people=1, components=components)
    show = read(tmp_path, raw)
    assert tuple(show) == ("body_2", "HAND", "HAND_2")
    assert show["body_2"].names == ("a", "a_3", "a_2")
    assert "repeat" in caplog.text
    show.save(tmp_path / "y.pose")
    assert (tmp_path / "y.pose").read_bytes() == raw


def test_what_is_no_number_is_not_seen(tmp_path, caplog):
    values = np.arange(18, dtype="<f4")
    values[[4, 9]] = np.nan, np.inf
    track = read(tmp_path, small(people=1, values=values))["HAND"]
    np.testing.assert_array_equal(track.values[0, 1], 0)
    np.testing.assert_array_equal(track.confidence.reshape(-1)[[1, 3]], 0)
    assert "2 points are not numbers" in caplog.text


def test_points_of_ones_own(tmp_path, take):
    a = Points(np.ones((4, 2, 2)), ("p", "q"), 30, "image")
    b = Points(np.full((4, 1, 3), 99.5), ("r",), 30, "image", 0.0, np.full((4, 1), 0.5))
    Performance({"a": a, "b": b, **take.tracks}).save(tmp_path / "x.pose", size=(200, 100))
    back = formats.load(tmp_path / "x.pose")
    assert tuple(back) == ("a", "b")
    assert back.meta["pose"]["size"] == [200, 100, 0]
    np.testing.assert_array_equal(
        back["a"].values, np.concatenate([np.ones((4, 2, 2)), np.zeros((4, 2, 1))], 2)
    )
    np.testing.assert_array_equal(back["a"].confidence, 1)
    assert back["b"].difference(b) == 0
    Performance({"a": a, "b": b}).save(tmp_path / "x.pose")
    assert formats.load(tmp_path / "x.pose").meta["pose"]["size"] == [100, 100, 0]


def test_what_cannot_be_written(tmp_path, take):
    a = Points(np.ones((4, 1, 2)), ("p",), 30, "image")
    for tracks, says, options in (
        (take.tracks, "no track of points", {}),
        ({"a": a, "b": a.shift(1)}, "differ", {}),
        ({"a": Points(np.ones((4, 1, 2)), ("ß",), 30, "image")}, "not ASCII", {}),
        ({"a": a}, "size", {"size": (0, 5)}),
        ({"a": a}, "size", {"size": (70_000, 5)}),
    ):
        with pytest.raises(DataError, match=says):
            Performance(tracks).save(tmp_path / "x.pose", **options)
    assert not (tmp_path / "x.pose").exists()
    for about in (
        "x",
        {"components": 3, "size": "x", "fps": "y"},
        {"components": [{"track": "a", "limbs": [[0, 9]]}]},
    ):
        Performance({"a": a}, {"pose": about}).save(tmp_path / "x.pose")
        assert formats.load(tmp_path / "x.pose")["a"].values.tolist() == a.values.tolist()


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pose_format", None)
    with pytest.raises(MissingExtra, match=r"kinesics\[video\]"):
        read(tmp_path, small())


HEAD = len(header(0.2, HAND))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 3,
        b"\0" * 2000,
        b"\xff" * 2000,
        struct.pack("<f", 0.3) + small()[4:],
        struct.pack("<f", np.nan) + small()[4:],
        struct.pack("<f", 1e-9) + small()[4:],
        small().replace(b"XYZC", b"XYZQ"),
        small().replace(b"WRIST", b"\xff\xfe\xfd\xfc\xfb"),
        small()[: HEAD + 4] + struct.pack("<I", 2**32 - 1) + small()[HEAD + 8 :],
        small()[: HEAD + 4] + struct.pack("<I", 2) + small()[HEAD + 8 :],
        small()[: HEAD + 8] + struct.pack("<H", 0) + small()[HEAD + 10 :],
        small()[: HEAD + 8] + struct.pack("<H", 65535) + small()[HEAD + 10 :],
        small() + b"x",
        small()[:-1],
        header(0.2) + struct.pack("<fIH", 25, 1, 1),
        header(0.2, ("a", "XYC", [])) + struct.pack("<fIH", 25, 10**9, 1),
        header(0.1, HAND) + struct.pack("<HHH", 25, 1, 0),
        header(0.0, HAND) + struct.pack("<HH", 25, 0),
        header(0.0, HAND) + struct.pack("<HH", 25, 65535),
        header(0.0, HAND) + struct.pack("<HHH", 25, 1, 65535),
        header(0.0, HAND, ("a", "XYC", ["x"])) + struct.pack("<HHHH", 25, 1, 1, 0) + b"\0" * 44,
    ],
)
def test_counts_that_lie(tmp_path, raw):
    with pytest.raises(FormatError, match=r"x\.pose"):
        read(tmp_path, raw)


def test_the_first_version_with_people_who_come_and_go(tmp_path):
    person = struct.pack("<H", 7) + np.float32([1, 2, 3, 1, 4, 5, 6, 0.5]).tobytes()
    body = struct.pack("<HH", 25, 2) + struct.pack("<H", 2) + person * 2 + struct.pack("<H", 1) + person
    track = read(tmp_path, header(0.0, HAND) + body)["HAND"]
    np.testing.assert_array_equal(track.values, [[[1, 2, 3], [4, 5, 6]]] * 2)
    with pytest.raises(FormatError, match="people"):
        read(tmp_path, header(0.0, HAND) + body, person=1)


def test_truncation(tmp_path):
    raw = small()
    for end in range(len(raw)):
        with pytest.raises(FormatError):
            read(tmp_path, raw[:end])


@given(st.data())
def test_damage_is_read_or_refused(tmp_path_factory, data):
    version = data.draw(st.sampled_from([0.0, 0.1, 0.2]))
    raw = bytearray(struct.pack("<f", version) + small()[4:])
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzz.pose"
    path.write_bytes(raw)
    with suppress(FormatError), np.errstate(all="ignore"):
        formats.load(path)


def test_the_library_reads_what_is_written(tmp_path):
    a = Points(np.full((4, 1, 2), 7.0), ("p",), "30000/1001", "image")
    Performance({"a": a}).save(tmp_path / "x.pose")
    found = pose_format.Pose.read(io.BytesIO((tmp_path / "x.pose").read_bytes()))
    assert found.header.components[0].points == ["p"]
    assert found.body.fps == pytest.approx(29.97, abs=1e-4)
    np.testing.assert_array_equal(found.body.data.data, np.full((4, 1, 1, 2), 7.0))
