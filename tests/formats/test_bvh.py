"""BVH: real files of many tools, our own, and what is no BVH."""

from __future__ import annotations

import re
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.export import JAW_DEGREES
from kinesics.errors import DataError, FormatError
from kinesics.formats.bvh import euler_curves
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion, Performance

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
  JOINT Leg
  {
    OFFSET 0 -10 0
    CHANNELS 1 Xrotation
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 100 0 0 0 0 90 0 0 30
10 100 0 90 0 0 0 90 0 -2482
"""


def read(tmp_path, text: str | bytes, **options) -> Performance:
    path = tmp_path / "x.bvh"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return formats.load(path, **options)


def turns(a, b) -> float:
    return float(np.degrees(rot.angle(np.asarray(a, np.float64), np.asarray(b, np.float64)).max()))


def test_the_channels_are_the_law(tmp_path):
    show = read(tmp_path, SMALL, unit="cm")
    body = show.body
    assert body.skeleton.names == ("Hips", "Arm", "Leg")
    assert body.skeleton.parents == (-1, 0, 0)
    assert body.fps == 30
    np.testing.assert_allclose(body.root, [[0, 1, 0], [0.1, 1, 0]], atol=1e-7)
    np.testing.assert_allclose(
        body.skeleton.offsets, [[0.01, 0.02, 0.03], [0, 0.1, 0], [0, -0.1, 0]], atol=1e-7
    )
    assert turns(body.rotations[:, 0], rot.from_axis_angle([[0, 0, 1.0]] * 2, np.radians([0, 90.0]))) < 1e-4
    assert (
        turns(body.rotations[:, 1], rot.from_axis_angle([[0, 1.0, 0], [1.0, 0, 0]], np.radians([90, 90.0])))
        < 1e-4
    )
    assert (
        turns(body.rotations[:, 2], rot.from_axis_angle([[1.0, 0, 0]] * 2, np.radians([30, -2482.0]))) < 1e-4
    )
    assert show.meta["bvh"] == {"unit": "cm", "end_sites": {"Arm": [0.05, 0, 0]}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        ("\n", "\n\n"),
        ("  ", "\t"),
        ("ROOT Hips\n{", "ROOT Hips {"),
        ("End Site\n    {", "End Site {"),
        ("HIERARCHY", "Hierarchy"),
        ("Frames: 2", "Frames:\t2"),
        ("rotation", "Rotation"),
        (" 90 ", "  9.0e1\t"),
    ],
)
def test_ways_of_writing_the_same(tmp_path, old, new):
    one, two = read(tmp_path, SMALL, unit="cm"), read(tmp_path, SMALL.replace(old, new), unit="cm")
    assert one.body.difference(two.body) < 1e-6


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_names_in_any_encoding(tmp_path, encoding):
    show = read(tmp_path, SMALL.replace("Arm", "Ärm links").encode(encoding), unit="cm")
    assert show.body.skeleton.names[1] == "Ärm links"


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("0.0333333", 30),
        ("0.033333", 30),
        ("0.0333667", Fraction(30000, 1001)),
        ("0.01666667", 60),
        ("0.016683", Fraction(60000, 1001)),
        ("0.0083333", 120),
        ("0.008333", 120),
        ("0.0416667", 24),
        ("0.0417083", Fraction(24000, 1001)),
        ("0.01", 100),
        ("0.04", 25),
        ("0.066667", 15),
        ("1", 1),
        ("4.1666666e-02", 24),
        ("0.0031000", Fraction(10000, 31)),
    ],
)
def test_frame_times_mean_exact_rates(tmp_path, text, fps):
    assert read(tmp_path, SMALL.replace("0.0333333", text)).body.fps == fps


@pytest.mark.parametrize(("unit", "metres"), [("m", 1), ("cm", 0.01), ("inch", 0.0254), ("mm", 0.001)])
def test_units_in_and_out(tmp_path, take, unit, metres):
    path = tmp_path / "x.bvh"
    take.save(path, unit=unit)
    text = path.read_text()
    assert float(text.split("OFFSET")[2].split()[0]) * metres == pytest.approx(
        take.body.skeleton.offsets[1, 0], abs=1e-5
    )
    back = formats.load(path)
    assert back.meta["bvh"]["unit"] == unit, "guessed from the size of a person"
    np.testing.assert_allclose(back.body.root, take.body.root, atol=2e-5)


def test_z_up(tmp_path):
    body = read(tmp_path, SMALL, unit="cm", up="Z").body
    straight = read(tmp_path, SMALL, unit="cm").body
    turned = straight.positions() @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0.0]])
    np.testing.assert_allclose(body.positions(), turned, atol=1e-6)


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YXZ", "ZYX", "XZY", "YZX"])
def test_round_trip_in_every_order(tmp_path, take, order):
    path = tmp_path / "x.bvh"
    motion = Performance({"body": take.body})
    motion.save(path, order=order.lower())
    back = formats.load(path).body
    names = back.skeleton.names
    assert set(names) == set(take.body.skeleton.names)
    index = [names.index(n) for n in take.body.skeleton.names]
    assert turns(back.rotations[:, index], take.body.rotations) < 0.002
    np.testing.assert_allclose(back.root, take.body.root, atol=2e-6)
    np.testing.assert_allclose(back.positions()[:, index], take.body.positions(), atol=1e-4)
    assert back.fps == 60
    np.testing.assert_allclose(back.skeleton.offsets[index][1:], take.body.skeleton.offsets[1:], atol=2e-6)
    assert back.skeleton.offsets[0, 1] == pytest.approx(take.body.skeleton.offsets[0, 1], abs=1e-5)
    again = tmp_path / "y.bvh"
    formats.load(path).save(again, order=order)
    assert formats.load(again).body.difference(back) < 1e-4


def test_the_jaw_follows_the_face(tmp_path, take):
    path = tmp_path / "x.bvh"
    face = Face(np.full((60, 1), 0.5), ("jawOpen",), 60)
    take.with_tracks(face=face).save(path)
    jaw = formats.load(path).body.joint("jaw")
    assert turns(jaw, np.tile(rot.from_axis_angle([1.0, 0, 0], np.radians(JAW_DEGREES / 2)), (60, 1))) < 0.01


def test_curves_never_jump():
    t = np.linspace(0, 4 * np.pi, 600)
    # Through gimbal lock of the middle axis, twice around, with others moving.
    q = rot.from_euler(np.stack([0.3 * np.sin(t), t, 0.2 * t], -1), "ZXY")[:, None].astype(np.float32)
    for order in ("ZXY", "XYZ"):
        curves = euler_curves(q, order)
        assert turns(rot.from_euler(curves, order), q) < 1e-3
        if order == "ZXY":
            assert np.abs(np.diff(curves, axis=0)).max() < 0.2
    parts = [euler_curves(q[:250], "ZXY")]
    parts.append(euler_curves(q[250:], "ZXY", previous=parts[0][-1]))
    np.testing.assert_allclose(np.concatenate(parts), euler_curves(q, "ZXY"), atol=1e-9)


def test_any_skeleton_can_be_written(tmp_path):
    chain = Skeleton(
        tuple(f"bone {k}" for k in range(1500)), tuple(range(-1, 1499)), np.full((1500, 3), 0.001)
    )
    show = Performance({"body": Motion(chain, np.tile(rot.IDENTITY, (2, 1500, 1)), np.zeros((2, 3)), 25)})
    show.save(tmp_path / "x.bvh")
    back = formats.load(tmp_path / "x.bvh", unit="cm").body
    assert back.skeleton.names[7] == "bone_7"
    empty = Performance({"body": Motion(chain, np.zeros((0, 1500, 4)), np.zeros((0, 3)), 25)})
    empty.save(tmp_path / "x.bvh")
    assert len(formats.load(tmp_path / "x.bvh").body) == 0


def test_a_travelling_child_becomes_the_root(tmp_path):
    text = SMALL.replace("CHANNELS 3 Y", "CHANNELS 6 Xposition Yposition Zposition Y")
    text = re.sub(r"  JOINT Leg.*?\}\n", "", text, flags=re.S)
    text = text.replace("90 0 0 30\n", "0 90 0 0 0 0\n").replace("0 90 0 -2482\n", "5 95 0 0 0 90\n")
    body = read(tmp_path, text, unit="cm").body
    assert body.skeleton.names == ("Arm",)
    # The old root stands at (10, 100, 0), turned by 90° about Z: the child's (5, 95, 0) becomes (-95, 5, 0).
    np.testing.assert_allclose(body.root, [[0, 1.9, 0], [-0.85, 1.05, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("HIERARCHY", "HIERARCHIE", 1, "HIERARCHY"),
        ("OFFSET 1 2 3", "OFFSET 1 2", 4, "three numbers"),
        ("OFFSET 1 2 3", "OFFSET 1 2 nan", 4, "three numbers"),
        ("OFFSET 1 2 3", "OFFSET 1 2 1e308", 4, "three numbers"),
        ("OFFSET 1 2 3", "OFFSET 1,5 2 3", 4, "comma"),
        ("  OFFSET 1 2 3\n", "", 2, "OFFSET for joint 'Hips'"),
        ("CHANNELS 6", "CHANNELS 5", 5, "agree"),
        ("Zrotation Xrotation Y", "Wrotation Xrotation Y", 5, "none of the six"),
        ("}\nMOTION", "MOTION", 20, "closed hierarchy"),
        ("}\nMOTION", "}\n}\nMOTION", 21, "fewer closing"),
        ("JOINT Leg", "ROOT Leg", 15, "single ROOT"),
        ("JOINT Leg", "BONE Leg", 15, "BONE"),
        ("Frames: 2", "Frames: two", 22, "whole number"),
        ("Frames: 2", "Frames: 99999999999", 23, "too short"),
        ("Frames: 2", "Frames: 3", 25, "3 frames, found 2"),
        ("Frame Time: 0.0333333", "Frame Time: 0", 23, "frame time"),
        ("Frame Time: 0.0333333", "Frame Time: x", 23, "seconds"),
        ("90 0 0 30", "90 0 0", 24, "10 numbers, found 9"),
        ("90 0 0 30", "90 0 0 30 1", 24, "10 numbers, found 11"),
        ("90 0 0 30", "90 0 x 30", 24, "column 9, found 'x'"),
        ("90 0 0 30", "90 0 nan 30", 24, "column 9"),
        ("90 0 0 30", "90 0 1e308 30", 24, "column 9"),
        ("90 0 0 30", "90 0 1e999 30", 24, "column 9"),
        ("90 0 0 30", "90 0 1,5 30", 24, "column 9"),
    ],
)
def test_faults_are_named_by_line(tmp_path, old, new, line, says):
    with pytest.raises(FormatError, match=says) as caught:
        read(tmp_path, SMALL.replace(old, new, 1))
    assert caught.value.where == f"line {line}"


def test_more_frames_than_announced_are_told(tmp_path, caplog):
    assert len(read(tmp_path, SMALL.replace("Frames: 2", "Frames: 1")).body) == 1
    assert "more frames" in caplog.text


def test_repeated_names_are_numbered(tmp_path, caplog):
    assert read(tmp_path, SMALL.replace("Leg", "Arm")).body.skeleton.names == ("Hips", "Arm", "Arm_2")
    assert "repeats" in caplog.text


def test_truncation_and_noise(tmp_path):
    path = tmp_path / "cut.bvh"
    for end in range(len(SMALL) - 1):
        path.write_text(SMALL[:end])
        if end > SMALL.rindex(" ") + 1:  # a cut within the last number cannot be seen
            continue
        with pytest.raises(FormatError, match=r"cut\.bvh"):
            formats.load(path)
    for noise in (
        b"",
        b"\0" * 1000,
        b"\xff" * 1000,
        b"\xff\xfe\0",
        b"HIERARCHY\n" + b"{" * 10_000,
        b"A" * (1 << 23),
    ):
        path.write_bytes(noise)
        with pytest.raises(FormatError, match=r"cut\.bvh"):
            formats.load(path)


@given(st.data())
def test_shuffled_lines_are_read_or_refused(tmp_path_factory, data):
    lines = SMALL.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(lines) - 1))
        lines[i] = data.draw(
            st.sampled_from([*lines, "", "}", "{", "OFFSET 1e308 1e308 1e308", "CHANNELS 99 X"])
            | st.text(max_size=20)
        )
    path = tmp_path_factory.getbasetemp() / "fuzz.bvh"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    with suppress(FormatError), np.errstate(all="ignore"):
        formats.load(path)


def test_options_are_checked(tmp_path, take):
    with pytest.raises(DataError, match="permutation"):
        take.save(tmp_path / "x.bvh", order="XXY")
    with pytest.raises(DataError, match="unknown unit 'ell'"):
        take.save(tmp_path / "x.bvh", unit="ell")
    with pytest.raises(DataError, match="unknown up axis"):
        read(tmp_path, SMALL, up="X")


def test_real_cmu_files(shared_data, tmp_path):
    files = sorted((shared_data("free-cmu_mocap_bvh") / "raw120").glob("*.bvh"))
    assert files
    for path in files[:2]:
        show = formats.load(path)
        body = show.body
        assert (len(body.skeleton), body.fps, show.meta["bvh"]["unit"]) == (43, 120, "cm")
        assert 1.4 < body.skeleton.rest[:, 1].max() < 1.8, "the T-pose stands on the floor"
        heights = body.positions()[..., 1]
        assert heights.min() > -0.1
        assert 1.2 < heights.max() < 2.5
        show.save(tmp_path / "x.bvh")
        back = formats.load(tmp_path / "x.bvh")
        assert back.body.difference(body) < np.radians(0.01)
        assert back.meta == show.meta


@pytest.mark.parametrize(
    ("folder", "joints", "fps", "unit"),
    [("nc-beat2_scott", 75, 15, "cm"), ("nc-bandai_namco", 21, 30, "cm"), ("nc-dance_style", 31, 120, "cmu")],
)
def test_real_files_of_other_corpora(shared_data, folder, joints, fps, unit):
    path = sorted(shared_data(folder).glob("*.bvh"))[0]
    show = formats.load(path)
    assert (len(show.body.skeleton), show.body.fps, show.meta["bvh"]["unit"]) == (joints, fps, unit)
    height = np.ptp(show.body.positions()[:, :, 1], axis=1)
    assert 1.0 < np.median(height) < 2.2
    assert "lost_translation" not in show.meta["bvh"]


def test_names_that_repeat_are_numbered_however_many(tmp_path):
    joint = "JOINT a\n{\nOFFSET 0 1 0\n}\n"
    (tmp_path / "a.bvh").write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 1 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n"
        f"{joint * 5000}}}\nMOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    names = formats.load(tmp_path / "a.bvh").body.skeleton.names
    assert (len(set(names)), names[1], names[-1]) == (5001, "a_2", "a_5001")


def test_makehuman_is_in_decimetres_and_adds_positions_to_offsets(shared_data):
    show = formats.load(shared_data("free-avatars") / "makehuman" / "tpose.bvh", up="Z")
    assert (show.meta["bvh"]["unit"], show.meta["bvh"]["positions"]) == ("dm", "added to OFFSET")
    height, span = np.ptp(show.body.positions()[0][:, [1, 0]], axis=0)
    assert 1.4 < height < 1.9
    assert 1.3 < span < 1.9
