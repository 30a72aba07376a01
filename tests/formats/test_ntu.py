"""NTU RGB+D skeletons: files made here after the authors' own reader, as no file of the data set may be kept."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.from_joints import KINECT_25, LAYOUTS
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot

NAME = "S001C002P003R002A013.skeleton"
LEFT, RIGHT = "72057594037931101", "72057594037931368"


def sensed(frames: int, sideways: float = 0.0) -> np.ndarray:
    """(T, 25, 3) metres in the sensor's frame: a person 3 m away, facing it, lifting the right arm."""
    skeleton = load_avatar("theo").skeleton
    q = np.tile(rot.IDENTITY.astype(float), (frames, 55, 1))
    q[:, INDEX["leftUpperArm"]] = rot.from_axis_angle([0, 0, 1.0], -1.3)
    q[:, INDEX["rightUpperArm"]] = rot.from_axis_angle(np.array([0, 0, 1.0]), np.linspace(1.3, -0.8, frames))
    q[:, INDEX["rightLowerArm"]] = rot.from_axis_angle([0, 1.0, 0], 0.8)
    places, _ = skeleton.forward(q, np.tile(skeleton.offsets[0], (frames, 1)))
    out = np.zeros((frames, 25, 3))
    for place, name in LAYOUTS["kinect25"].items():
        if place in INDEX:
            out[:, KINECT_25.index(name)] = places[:, INDEX[place]]
    out[:, KINECT_25.index("SpineMid")] = places[:, INDEX["chest"]]
    out[:, KINECT_25.index("Neck")] = places[:, INDEX["head"]]
    out[:, KINECT_25.index("Head")] = places[:, INDEX["neck"]] + [0, 0.2, 0]
    for side in ("Left", "Right"):
        for point in ("Hand", "HandTip", "Thumb"):
            out[:, KINECT_25.index(f"{point}{side}")] = places[:, INDEX[f"{side.lower()}MiddleProximal"]]
    return (out + [sideways, -1.0, -3.0]) * [-1, 1, -1]


def block(points, *, id: str = LEFT, hands=(1, 2, 0, 3), lean=(0.05, -0.1), state=2) -> list[str]:
    lines = [f"{id} 0 {hands[0]} {hands[1]} {hands[2]} {hands[3]} 0 {lean[0]} {lean[1]} 2", "25"]
    for x, y, z in points:
        colour = (960 + 1060 * x / z, 540 - 1060 * y / z)
        lines.append(
            f"{x:.7g} {y:.7g} {z:.7g} {256 + 365 * x / z:.4f} {212 - 365 * y / z:.4f} {colour[0]:.4f} {colour[1]:.4f} "
            f"0.2 0.1 0.9 0.3 {state}"
        )
    return lines


def file_of(frames: list[list[list[str]]]) -> str:
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for body in bodies:
            lines += body
    return "\r\n".join(lines) + "\r\n"


def one(frames: int = 20) -> str:
    return file_of([[block(p)] for p in sensed(frames)])


def read(tmp_path, text, name=NAME, **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return formats.load(path, **options)


def test_one_person(tmp_path):
    points = sensed(20)
    show = read(tmp_path, one())
    about = show.meta["ntu"]
    assert [about[k] for k in ("setup", "camera", "performer", "replication", "action")] == [1, 2, 3, 2, 13]
    assert about["bodies"] == [{"id": LEFT, "first_frame": 0, "frames": 20}]
    assert (about["person"], about["missing_frames"]) == (0, 0)
    joints, image = show["joints"], show["joints_image"]
    assert (joints.fps, joints.names, joints.frame, image.frame) == (30, KINECT_25, "world", "image")
    level = rot.from_axis_angle([1.0, 0, 0], np.radians(-about["sensor_pitch"]))
    wanted = rot.rotate(level, points * [-1, 1, -1]) + [0, about["sensor_height"], 0]
    np.testing.assert_allclose(joints.values, wanted, atol=1e-3)
    np.testing.assert_allclose(image.values[..., 0], 960 + 1060 * points[..., 0] / points[..., 2], atol=1e-3)
    np.testing.assert_allclose(image.values[..., 1], 540 - 1060 * points[..., 1] / points[..., 2], atol=1e-3)
    head, hips = (image.values[0, KINECT_25.index(n), 1] for n in ("Head", "SpineBase"))
    assert head < hips, "pixels, y down"
    np.testing.assert_allclose(show["lean"].values, np.tile([0.05, -0.1], (20, 1)), atol=1e-6)
    assert show["lean"].names == ("lean_x", "lean_y")
    (left,), (right,) = show.tier("hand_left"), show.tier("hand_right")
    assert (left.label, left.confidence, left.start, left.end) == ("open", 1, 0, pytest.approx(20 / 30))
    assert (right.label, right.confidence) == ("closed", 0)
    places = show.body.positions()
    assert places[-1, INDEX["rightHand"], 1] - places[0, INDEX["rightHand"], 1] > 0.5
    assert places[0, INDEX["rightUpperArm"], 0] < 0 < places[0, INDEX["leftUpperArm"], 0]
    facing = rot.rotate(show.body.joint("hips"), np.array([0, 0, 1.0], np.float32))
    assert np.abs(facing[:, 0]).max() < 0.02
    assert facing[:, 2].min() > 0.99


def test_several_people(tmp_path):
    a, b = sensed(20, -0.5), sensed(20, 0.6)
    frames = [
        [*([block(a[t], id=RIGHT)] if 4 <= t < 9 or t >= 12 else []), *([block(b[t])] if t < 18 else [])]
        for t in range(20)
    ]
    text = file_of(frames)
    first, second = read(tmp_path, text), read(tmp_path, text, person=1)
    assert [d["id"] for d in first.meta["ntu"]["bodies"]] == [LEFT, RIGHT]
    assert [d["frames"] for d in first.meta["ntu"]["bodies"]] == [18, 13]
    assert first["joints"].values[0, 0, 0] == pytest.approx(0.6, abs=0.01)
    assert second["joints"].values[0, 0, 0] == pytest.approx(-0.5, abs=0.01)
    assert len(first.body) == len(second.body) == 20, "one clock for both"
    assert second.meta["ntu"]["missing_frames"] == 7
    np.testing.assert_array_equal(second["joints"].confidence[:, 0], [0] * 4 + [1] * 5 + [0] * 3 + [1] * 8)
    assert [(round(i.start * 30), round(i.end * 30)) for i in second.tier("hand_left")] == [(4, 9), (12, 20)]
    whole = read(tmp_path, file_of([[block(p)] for p in a]))
    away = second["joints"].values[9:12] - second["joints"].values[9:12, :1]
    held = whole["joints"].values[9:12] - whole["joints"].values[9:12, :1]
    assert np.abs(away - held).max() < 0.03
    for person in (2, -1, True, "0"):
        with pytest.raises(DataError, match="from 0 to 1"):
            read(tmp_path, text, person=person)


def test_states_and_hands(tmp_path):
    points = sensed(12)
    frames = []
    for t, p in enumerate(points):
        state = 0 if t == 3 else 1 if t < 6 else 2
        frames.append([block(p, hands=(t % 2, (0, 1, 2, 2, 3, 3, 4, 4, 4, 2, 2, 1)[t], 1, 0), state=state)])
    show = read(tmp_path, file_of(frames))
    np.testing.assert_array_equal(show["joints"].confidence[:, 5], [0.5, 0.5, 0.5, 0, 0.5, 0.5] + [1] * 6)
    assert show.tier("hand_left").labels == ("open", "closed", "lasso", "open")
    assert [i.confidence for i in show.tier("hand_left")] == [0.5, 0.5, pytest.approx(1 / 3), 0.5]
    assert len(show.tier("hand_right")) == 0


def test_numbers_that_are_none(tmp_path):
    text = one()
    lines = text.split("\r\n")
    cells = lines[4 + 28 * 5].split()
    lines[4 + 28 * 5] = " ".join([*cells[:3], "-1.#IND", "1.#INF", "-inf", "nan", *cells[7:]])
    lines[5 + 28 * 7] = " ".join(["nan"] * 11 + ["0"])
    show = read(tmp_path, "\n".join(lines))
    assert show["joints_image"].confidence.sum() == 20 * 25 - 2
    assert show["joints"].confidence.sum() == 20 * 25 - 1
    whole = read(tmp_path, text)
    assert np.abs(show["joints"].values - whole["joints"].values).max() < 0.02
    assert np.abs(show["joints_image"].values - whole["joints_image"].values).max() < 10


def test_any_name_and_ending(tmp_path):
    show = read(tmp_path, one(), "drinking.SKELETON")
    assert "action" not in show.meta["ntu"]
    assert "body" in show


@pytest.mark.parametrize(
    ("line", "new", "says"),
    [
        (0, "x", "the number of frames, found 'x'"),
        (0, "99999999", "at most"),
        (0, "-3", "the number of frames"),
        (0, "3²", "the number of frames"),
        (1, "one", "the number of bodies in frame 1"),
        (1, "2", "fields of a body"),
        (1, "999999999", "fields of a body"),
        (2, "7205 0 1 2", "10 fields of a body, found 4"),
        (2, LEFT + " 0 1 2 0 3 0 0 x 2", "numbers"),
        (3, "20", "25 joints, found 20"),
        (4, "0 0 0 1", "12 fields of a joint, found 4"),
        (4, "0 0 0 1 1 1 1 1 1 1 1 5", "tracking state"),
        (4, "0 0 0 1 1 1 1 1 1 1 1 nan", "tracking state"),
        (4, "0 0 0 1 1 1 1 1 1 1 1 2 9", "12 fields"),
        (4, "0 0 zero 1 1 1 1 1 1 1 1 2", "numbers"),
    ],
)
def test_faults_are_named(tmp_path, line, new, says):
    lines = one(6).split("\r\n")
    lines[line] = new
    with pytest.raises(FormatError, match=says):
        read(tmp_path, "\n".join(lines))


def test_files_cut_off_and_empty(tmp_path):
    text = one(3)
    lines = text.split("\r\n")
    for end in range(len(lines) - 1):
        with pytest.raises(FormatError, match=r"skeleton"):
            read(tmp_path, "\n".join(lines[:end]))
    for end in range(0, len(text) - 2, 41):
        with pytest.raises(FormatError, match=r"skeleton"):
            read(tmp_path, text[:end])
    with pytest.raises(FormatError, match="a person in one frame"):
        read(tmp_path, "3\n0\n0\n0\n")
    twice = file_of([[block(sensed(1)[0])] * 2])
    with pytest.raises(FormatError, match="once in frame 1"):
        read(tmp_path, twice)
    for noise in (b"", b"\0" * 500, b"\xff" * 500, b"1\n" * 100_000, b"9" * 100_000):
        with pytest.raises(FormatError, match=r"skeleton"):
            read(tmp_path, noise)


def test_more_lines_than_frames_are_told(tmp_path, caplog):
    assert len(read(tmp_path, one() + "0\r\n0\r\n").body) == 20
    assert "2 lines after the last frame" in caplog.text


@given(st.data())
def test_any_lines_are_read_or_refused(tmp_path_factory, data):
    lines = one(3).split("\r\n")
    for _ in range(data.draw(st.integers(1, 5))):
        i = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[i].split()
        if cells and data.draw(st.booleans()):
            cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(
                st.sampled_from(["nan", "inf", "-1e308", "0", "1.#QNAN", "999999999", "-1", "²"])
                | st.text(max_size=4)
            )
            lines[i] = " ".join(cells)
        else:
            lines[i] = data.draw(st.sampled_from([*lines, "", "0", "25"]))
    path = tmp_path_factory.getbasetemp() / "fuzz.skeleton"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    with suppress(FormatError), np.errstate(all="ignore"):
        formats.load(path)
