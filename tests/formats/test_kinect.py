"""Kinect CSV and UTKinect: real gestures stand upright, face forward and do what their names say."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.from_joints import KINECT_20, KINECT_25, LAYOUTS
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot

GESTURES = (
    "Ges01_wavehand",
    "Ges02_balancinghands",
    "Ges03_drawlines",
    "Ges04_comehere",
    "Ges06_chickenwing",
)


def standing(names, frames: int = 40, pitch: float = 0.0) -> np.ndarray:
    """(T, N, 3) in the sensor's frame: a person 2.5 m away who lifts the left forearm; sensor 1.2 m up."""
    skeleton = load_avatar("maya").skeleton
    q = np.tile(rot.IDENTITY.astype(float), (frames, 55, 1))
    for side, sign in (("left", 1), ("right", -1)):
        q[:, INDEX[f"{side}UpperArm"]] = rot.from_axis_angle([0, 0, 1.0], -sign * 1.3)
    lift = np.linspace(0.3, 2.0, frames)
    q[:, INDEX["leftLowerArm"]] = rot.from_axis_angle(np.array([0, -1.0, 0]), lift)
    places, _ = skeleton.forward(q, np.tile(skeleton.offsets[0], (frames, 1)))
    table = LAYOUTS["kinect25" if names is KINECT_25 else "kinect20"]
    out = np.zeros((frames, len(names), 3))
    for place, name in table.items():
        if place in INDEX:
            out[:, names.index(name)] = places[:, INDEX[place]]
    out[:, names.index(table["waist"])] = places[:, INDEX["chest"]]
    out[:, names.index("Head")] = places[:, INDEX["neck"]] + [0, 0.2, 0]
    for side in ("Left", "Right"):
        out[:, names.index(f"Hand{side}")] = places[:, INDEX[f"{side.lower()}MiddleProximal"]]
        if names is KINECT_25:
            out[:, names.index(f"HandTip{side}")] = out[:, names.index(f"Thumb{side}")] = out[
                :, names.index(f"Hand{side}")
            ]
    if names is KINECT_25:
        out[:, names.index("Neck")] = places[:, INDEX["head"]]
    sensor = (out + [0, -1.2, -2.5]) * [-1, 1, -1]
    return rot.rotate(rot.from_axis_angle([1.0, 0, 0], np.radians(pitch)), sensor)


def csv(points, *, step: int = 333333, states=None, end: str = ",") -> str:
    states = np.full(points.shape[:2], 2) if states is None else states
    rows = []
    for t, (row, state) in enumerate(zip(points, states, strict=True)):
        cells = [f"{x:.6g},{y:.6g},{z:.6g},{s}" for (x, y, z), s in zip(row, state, strict=True)]
        rows.append(",".join([str(89810293609 + t * step), *cells]) + end)
    return "\n".join(rows) + "\n"


def utk(points, numbers) -> str:
    return "".join(
        f"{n}  " + "  ".join(f"{x:.6f}" for x in row.ravel()) + " \n"
        for n, row in zip(numbers, points, strict=True)
    )


def read(tmp_path, text, name="x.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return formats.load(path, **options)


def test_the_sensors_frame_becomes_the_worlds(tmp_path):
    points = standing(KINECT_25)
    assert points[0, KINECT_25.index("ShoulderLeft"), 0] < 0, "in the sensor's frame the left is at -x"
    show = read(tmp_path, csv(points))
    joints = show["joints"]
    assert (joints.fps, joints.frame, joints.names) == (30, "world", KINECT_25)
    level = rot.from_axis_angle([1.0, 0, 0], np.radians(-show.meta["kinect"]["sensor_pitch"]))
    lifted = rot.rotate(level, points * [-1, 1, -1]) + [0, show.meta["kinect"]["sensor_height"], 0]
    np.testing.assert_allclose(joints.values, lifted, atol=1e-3)
    assert show.meta["kinect"]["sensor_height"] == pytest.approx(1.2, abs=0.06)
    assert abs(show.meta["kinect"]["sensor_pitch"]) < 2
    assert (joints.confidence == 1).all()
    places = show.body.positions()
    assert places[-1, INDEX["leftUpperArm"], 0] > 0.1
    assert places[-1, INDEX["leftHand"], 1] > places[0, INDEX["leftHand"], 1] + 0.2
    assert places[0, INDEX["leftToes"], 2] > places[0, INDEX["leftFoot"], 2] + 0.1, "facing +Z"
    assert np.degrees(rot.angle(show.body.joint("hips"), rot.IDENTITY)).max() < 3


@pytest.mark.parametrize("pitch", [-12.0, 7.0])
def test_a_tilted_sensor_is_levelled(tmp_path, pitch):
    level = read(tmp_path, csv(standing(KINECT_25)))
    tilted = read(tmp_path, csv(standing(KINECT_25, pitch=pitch)))
    difference = tilted.meta["kinect"]["sensor_pitch"] - level.meta["kinect"]["sensor_pitch"]
    assert abs(difference) == pytest.approx(abs(pitch), abs=0.05)
    body = np.degrees(rot.angle(tilted.body.rotations, level.body.rotations))
    assert body.max() < 0.5


def test_states_are_confidence(tmp_path):
    points = standing(KINECT_25)
    states = np.full(points.shape[:2], 2)
    wrist = KINECT_25.index("WristLeft")
    states[:, KINECT_25.index("FootRight")] = 1
    states[10:14, wrist] = 0
    holed = points.copy()
    holed[10:14, wrist] = [7, 7, 7]
    holed[20, wrist] = 0
    show = read(tmp_path, csv(holed, states=states))
    confidence = show["joints"].confidence
    assert (confidence[:, KINECT_25.index("FootRight")] == 0.5).all()
    assert (confidence[[10, 11, 12, 13, 20], wrist] == 0).all()
    assert confidence[:, wrist].sum() == 35
    whole = read(tmp_path, csv(points))
    assert np.abs(show["joints"].values - whole["joints"].values).max() < 0.02, "interpolated, not believed"


def test_dropped_frames_and_repeats(tmp_path):
    points = standing(KINECT_25)
    lines = csv(points).splitlines()
    dropped = [*lines[:8], *lines[11:20], lines[20].replace("2,", "1,"), lines[20], *lines[21:]]
    show = read(tmp_path, "\n".join(dropped))
    assert len(show["joints"]) == 40
    assert show.meta["kinect"]["interpolated_frames"] == 3
    assert (show["joints"].confidence[8:11] == 0).all()
    assert (show["joints"].confidence[20] == 1).all(), "of two rows at one time the last counts"
    assert np.abs(show["joints"].values - read(tmp_path, csv(points))["joints"].values).max() < 0.01


@pytest.mark.parametrize(("step", "unit"), [(333333, "100 ns"), (33333, "us"), (33, "ms")])
def test_units_of_time(tmp_path, step, unit):
    show = read(tmp_path, csv(standing(KINECT_25), step=step, end=""))
    assert show.meta["kinect"]["time_unit"] == unit
    assert abs(len(show.body) - 40) <= 1


def test_utkinect(tmp_path):
    points = standing(KINECT_20, 30)
    numbers = 252 + 2 * np.arange(30)
    show = read(tmp_path, utk(points, numbers), "joints_s01_e01.txt")
    about = show.meta["utkinect"]
    assert (about["first_number"], about["step"], about["interpolated_frames"]) == (252, 2, 0)
    assert (show.body.fps, len(show.body), show["joints"].names) == (15, 30, KINECT_20)
    assert show.body.positions()[-1, INDEX["leftUpperArm"], 0] > 0.1
    keep = [k for k in range(30) if k not in (9, 10)]
    lines = utk(points[keep], numbers[keep]).splitlines()
    lines[4:4] = [lines[3].rsplit("  ", 1)[0] + "  9.0", lines[3]]
    gappy = read(tmp_path, "\n".join(lines), "x.utkinect.txt", fps=Fraction(30, 2))
    assert len(gappy.body) == 30
    assert gappy.meta["utkinect"]["interpolated_frames"] == 2
    assert (gappy["joints"].confidence[9:11] == 0).all()
    assert np.abs(gappy["joints"].values - show["joints"].values).max() < 0.02
    points[5:8, KINECT_20.index("HandLeft")] = 0
    holed = read(tmp_path, utk(points, numbers), "x.utkinect.txt")
    assert (holed["joints"].confidence[5:8, KINECT_20.index("HandLeft")] == 0).all()
    with pytest.raises(DataError, match="rate"):
        read(tmp_path, utk(points, numbers), "x.utkinect.txt", fps=0)


def test_content_decides_where_the_ending_is_shared(tmp_path):
    from kinesics.formats import kinect, utkinect

    kinect_text, utk_text = csv(standing(KINECT_25, 3)), utk(standing(KINECT_20, 3), range(3))
    for form, text, other in ((kinect, kinect_text, utk_text), (utkinect, utk_text, kinect_text)):
        path = tmp_path / "x"
        path.write_text(text)
        assert form.recognises(path)
        for bad in (other, "", "a,b,c\n", "\0" * 200, "," * 500, " ".join(["x"] * 61), "1e400" + " 0" * 60):
            path.write_text(bad)
            assert not form.recognises(path)


def test_faults_are_named(tmp_path):
    lines = csv(standing(KINECT_25, 12)).splitlines()

    def kinect(*rows):
        return read(tmp_path, "\n".join(rows), "x.kinect.csv")

    cells = lines[4].split(",")
    for bad, says in (
        (",".join(cells[:-5]), "101 numbers"),
        (lines[4] + "0,0", "101 numbers"),
        (lines[4].replace(cells[7], "x1"), "found 'x1'"),
        (lines[4].replace(cells[0], "nan"), "a time"),
        (lines[4].replace(cells[0], "inf"), "a time"),
        (lines[4].replace(cells[0], "1e17"), "a time"),
        (lines[4].replace(cells[0], "5"), "do not go back"),
        (",".join([*cells[:4], "3", *cells[5:]]), "tracking state"),
        (",".join([*cells[:4], "nan", *cells[5:]]), "tracking state"),
        ("," * 1_000_000, "101 numbers"),
    ):
        with pytest.raises(FormatError, match=says):
            kinect(*lines[:4], bad, *lines[5:])
    with pytest.raises(FormatError, match="without long breaks"):
        kinect(*lines, lines[-1].replace(lines[-1].split(",")[0], "9000000000000000"))
    with pytest.raises(FormatError, match="found none"):
        kinect("")
    with pytest.raises(FormatError, match="UTF-8"):
        read(tmp_path, b"\xff\xf0" * 99, "x.kinect.csv")
    text = "\n".join(lines)
    for end in range(0, len(text), 97):
        with suppress(FormatError):
            kinect(text[:end])


def test_what_is_no_body_is_still_joints(tmp_path, caplog):
    points = standing(KINECT_25, 12)
    points[:, KINECT_25.index("ElbowLeft")] = 0
    show = read(tmp_path, csv(points), "x.kinect.csv")
    assert "body" not in show
    assert "never seen: ElbowLeft" in show.meta["kinect"]["body"]
    assert "no body" in caplog.text
    points = np.full_like(points, 1e30)
    points[0] = np.nan
    show = read(tmp_path, csv(points), "x.kinect.csv")
    assert (show["joints"].confidence == 0).all()


@given(st.data())
def test_any_rows_are_read_or_refused(tmp_path_factory, data):
    which = data.draw(st.booleans())
    name = "fuzz.kinect.csv" if which else "fuzz.utkinect.txt"
    text = csv(standing(KINECT_25, 4)) if which else utk(standing(KINECT_20, 4), range(4))
    separator = "," if which else "  "
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(data.draw(st.integers(1, 8))):
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(
            st.sampled_from(["nan", "-inf", "1e308", "0", "-1", "", "1e18", "²", "0x1", "1_0", "2"])
            | st.text(max_size=5)
        )
    path = tmp_path_factory.getbasetemp() / name
    path.write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8", errors="surrogatepass")
    with suppress(FormatError), np.errstate(all="ignore"):
        formats.load(path)


def angle(a, b):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


@pytest.mark.parametrize("name", GESTURES)
def test_real_gestures_stand_face_forward_and_do_not_flip(shared_data, name):
    show = formats.load(shared_data("free-labanotation_gestures") / "kinect" / f"{name}.csv")
    body, joints = show.body, show["joints"]
    assert (body.fps, len(body)) == (30, len(joints))
    assert 4 < show.meta["kinect"]["sensor_pitch"] < 6, "one sensor for all five"
    assert 1.31 < show.meta["kinect"]["sensor_height"] < 1.39
    places, world = body.skeleton.forward(body.rotations.astype(float), body.root)
    up = places[:, INDEX["neck"]] - places[:, INDEX["hips"]]
    assert np.median(np.abs(np.degrees(np.arctan2(up[:, 2], up[:, 1])))) < 4
    assert np.median(angle(up, [0, 1.0, 0])) < 8, "in one of them the person leans to the side"
    forward = rot.rotate(world[:, INDEX["hips"]], np.array([0, 0, 1.0]))
    assert np.median(forward[:, 2]) > 0.8
    assert np.median((places[:, INDEX["leftUpperLeg"]] - places[:, INDEX["rightUpperLeg"]])[:, 0]) > 0.1
    assert np.abs(np.median(rot.to_rotvec(body.joint("head")), axis=0)).max() < np.radians(6)
    assert places[..., 1].min() > -0.03
    assert 0.65 < body.skeleton.offsets[0, 1] < 0.85
    table = LAYOUTS["kinect25"]
    sure = (joints.confidence > 0).all(axis=1)

    def at(joint):
        return joints.values[:, KINECT_25.index(table[joint])].astype(float)

    for side in ("left", "right"):
        for kind, end, trunk in (("Arm", "Hand", "upperChest"), ("Leg", "Foot", "hips")):
            upper, lower, tip = f"{side}Upper{kind}", f"{side}Lower{kind}", f"{side}{end}"
            moved = np.degrees(rot.angle(world[1:, INDEX[trunk]], world[:-1, INDEX[trunk]]))
            for a, b in ((upper, lower), (lower, tip)):
                seen, got = at(b) - at(a), places[:, INDEX[b]] - places[:, INDEX[a]]
                assert angle(seen, got)[sure].max() < 0.1, "limbs point exactly where the sensor saw them"
                moved = moved + angle(seen[1:], seen[:-1])
            turned = np.degrees(rot.angle(world[1:, INDEX[upper]], world[:-1, INDEX[upper]]))
            assert (turned - moved).max() < 5, "no limb turns about itself faster than it moves"


def test_real_gestures_are_what_they_are_called(shared_data):
    folder = shared_data("free-labanotation_gestures") / "kinect"
    height = {}
    for name in GESTURES:
        places = formats.load(folder / f"{name}.csv").body.positions()
        shoulders = places[:, [INDEX["leftUpperArm"], INDEX["rightUpperArm"]], 1]
        hands = places[:, [INDEX["leftHand"], INDEX["rightHand"]]]
        elbows = places[:, [INDEX["leftLowerArm"], INDEX["rightLowerArm"]], 1]
        height[name] = hands[..., 1] - shoulders, elbows - shoulders, hands
    left, right = height["Ges01_wavehand"][0].max(axis=0)
    assert right > 0.25 > 0 > left, "waves with the right hand above the head"
    left, right = height["Ges04_comehere"][0].max(axis=0)
    assert left > 0.1 > -0.1 > right, "beckons with the left"
    assert (height["Ges06_chickenwing"][1].max(axis=0) > 0.05).all(), "both elbows up"
    assert (np.ptp(height["Ges02_balancinghands"][0], axis=0) > 0.4).all(), "both hands go up and down"
    assert (
        np.ptp(height["Ges03_drawlines"][2][:, 1], axis=0).max()
        > 3 * np.ptp(height["Ges03_drawlines"][2][:, 0], axis=0).max()
    )
