"""Bodies from the places of joints: what is known comes back, what is not stays calm."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.from_joints import HUMANML3D, KINECT_20, KINECT_25, LAYOUTS, from_joints
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import bend_axis, directions, fill, smooth

BONES = [
    (f"{s}{a}", f"{s}{b}")
    for s in ("left", "right")
    for a, b in (
        ("UpperArm", "LowerArm"),
        ("LowerArm", "Hand"),
        ("UpperLeg", "LowerLeg"),
        ("LowerLeg", "Foot"),
        ("Foot", "Toes"),
    )
]


def moving(frames: int = 90):
    """A person who turns, bends and gestures; elbows and knees only hinge, so that joints tell everything."""
    t = np.linspace(0, 2 * np.pi, frames)
    q = np.tile(rot.IDENTITY.astype(float), (frames, 55, 1))

    def set(name, *vector):
        q[:, INDEX[name]] = rot.from_rotvec(np.stack([np.broadcast_to(v, t.shape) for v in vector], axis=-1))

    set("hips", 0.1 * np.sin(t), 0.8 * np.sin(t), 0.05 * np.cos(t))
    set("spine", 0.1, 0.1 * np.sin(t), 0.0)
    set("upperChest", 0.05, 0.1 * np.sin(t), 0.1 * np.sin(2 * t))
    set("neck", 0.2 * np.sin(2 * t), 0.0, 0.0)
    for side, sign in (("left", 1), ("right", -1)):
        set(f"{side}Shoulder", 0, 0, 0.1 * sign * np.sin(t))
        set(
            f"{side}UpperArm",
            0.5 * np.sin(t + sign),
            0.3 * sign * np.cos(t),
            sign * (-0.9 + 0.5 * np.sin(2 * t)),
        )
        set(f"{side}LowerArm", 0, -sign * (1.2 + 0.4 * np.sin(3 * t)), 0)
        set(f"{side}UpperLeg", -0.5 + 0.2 * sign * np.sin(t), 0.15 * np.cos(t), 0.1 * sign)
        set(f"{side}LowerLeg", 0.9 + 0.2 * np.sin(t), 0, 0)
        set(f"{side}Foot", 0.2 * np.sin(t), 0, 0)
    skeleton = load_avatar("theo").skeleton
    root = skeleton.offsets[0] + 0.2 * np.stack([np.sin(t), 0.1 * np.cos(t), t], axis=-1)
    return skeleton, q, root, *skeleton.forward(q, root)


def kinect(positions, orientation, names):
    """Points in Kinect's layouts from a posed body: what the sensor would see."""
    table = LAYOUTS["kinect25" if names is KINECT_25 else "kinect20"]
    out = np.zeros((len(positions), len(names), 3))
    for place, name in table.items():
        if place in INDEX:
            out[:, names.index(name)] = positions[:, INDEX[place]]
    out[:, names.index(table["waist"])] = 0.5 * (positions[:, INDEX["spine"]] + positions[:, INDEX["chest"]])
    out[:, names.index("Head")] = positions[:, INDEX["head"]] + rot.rotate(
        orientation[:, INDEX["head"]], np.array([0, 0.1, 0.0])
    )
    for side in ("left", "right"):
        out[:, names.index(f"Hand{side.capitalize()}")] = positions[:, INDEX[f"{side}MiddleProximal"]]
    if names is KINECT_25:
        out[:, names.index("Neck")] = positions[:, INDEX["head"]]
    return out


def angle(a, b):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def bone_errors(posed, points, names):
    """Degrees between where limbs point and where the joints have them, worst frame of each bone."""
    layout = next(k for k, v in LAYOUTS.items() if set(v.values()) <= set(names))
    places, _ = posed.skeleton.forward(posed.rotations, posed.root)

    def at(name):
        return points[:, names.index(LAYOUTS[layout][name])]

    return {a: angle(at(b) - at(a), places[:, INDEX[b]] - places[:, INDEX[a]]).max() for a, b in BONES}


def turning(v):
    return angle(v[1:], v[:-1])


def excess(posed, points, names):
    """How much more a limb turns between two frames than its bones and the trunk move, degrees, worst."""
    layout = next(k for k, v in LAYOUTS.items() if set(v.values()) <= set(names))
    _, world = posed.skeleton.forward(posed.rotations.astype(float), posed.root)
    worst = []
    for side in ("left", "right"):
        for kind, end, trunk in (("Arm", "Hand", "upperChest"), ("Leg", "Foot", "hips")):
            a, b, c = (
                points[:, names.index(LAYOUTS[layout][n])]
                for n in (f"{side}Upper{kind}", f"{side}Lower{kind}", f"{side}{end}")
            )
            turned = np.degrees(
                rot.angle(world[1:, INDEX[f"{side}Upper{kind}"]], world[:-1, INDEX[f"{side}Upper{kind}"]])
            )
            carried = np.degrees(rot.angle(world[1:, INDEX[trunk]], world[:-1, INDEX[trunk]]))
            worst.append((turned - turning(b - a) - turning(c - b) - carried).max())
    return max(worst)


def test_a_body_comes_back_from_its_joints():
    skeleton, q, _, places, _ = moving()
    posed = from_joints(places[:, :22], HUMANML3D, skeleton=skeleton, fps=30)
    assert posed.skeleton is skeleton
    got, _ = skeleton.forward(posed.rotations, posed.root)
    assert np.abs(got[:, :22] - places[:, :22]).max() < 0.005
    off = np.degrees(rot.angle(posed.rotations.astype(float), q))
    for name in ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg", "Foot"):
        for side in ("left", "right"):
            assert off[:, INDEX[side + name]].max() < 6, side + name
    assert off[:, INDEX["hips"]].max() < 1
    own = from_joints(places[:, :22], HUMANML3D, fps=30)
    got, _ = own.skeleton.forward(own.rotations, own.root)
    assert np.abs(got[:, :22] - places[:, :22]).max() < 0.002, "in the person's own proportions"
    lengths = np.linalg.norm(skeleton.offsets[1:22], axis=1)
    np.testing.assert_allclose(np.linalg.norm(own.skeleton.offsets[1:22], axis=1), lengths, atol=0.002)
    assert own.skeleton.offsets[0, 1] == pytest.approx(skeleton.offsets[0, 1], abs=0.02)


@pytest.mark.parametrize("names", [KINECT_25, KINECT_20], ids=["kinect25", "kinect20"])
def test_a_body_comes_back_from_what_a_kinect_sees(names):
    skeleton, _, _, places, orientation = moving()
    points = kinect(places, orientation, names)
    posed = from_joints(points, names, skeleton=skeleton)
    own = from_joints(points, names)
    assert max(bone_errors(own, points, names).values()) < 0.1
    got, world = skeleton.forward(posed.rotations.astype(float), posed.root)
    limbs = [INDEX[f"{s}{b}"] for s in ("left", "right") for b in ("Hand", "LowerArm", "Foot", "LowerLeg")]
    assert np.linalg.norm(got[:, limbs] - places[:, limbs], axis=-1).max() < 0.12
    off = np.degrees(rot.angle(world, orientation))
    assert off[:, INDEX["hips"]].max() < 8
    assert off[:, INDEX["upperChest"]].max() < 12
    assert off[:, INDEX["head"]].max() < 15
    assert off[:, [INDEX["leftUpperArm"], INDEX["rightUpperArm"]]].max() < 8


def test_the_order_of_the_names_is_free():
    _, _, _, places, _ = moving(20)
    order = np.random.default_rng(0).permutation(22)
    one = from_joints(places[:, :22], HUMANML3D)
    two = from_joints(places[:, :22][:, order], tuple(HUMANML3D[i] for i in order))
    np.testing.assert_array_equal(one.rotations, two.rotations)


def test_a_turn_of_the_world_turns_the_hips_alone():
    _, _, _, places, _ = moving(30)
    turn = rot.from_axis_angle([0, 1.0, 0], 2.5)
    one = from_joints(places[:, :22], HUMANML3D)
    two = from_joints(rot.rotate(turn, places[:, :22]), HUMANML3D)
    assert np.degrees(rot.angle(one.rotations[:, 1:], two.rotations[:, 1:])).max() < 0.1
    wanted = rot.multiply(turn, one.rotations[:, 0].astype(float))
    assert np.degrees(rot.angle(wanted, two.rotations[:, 0])).max() < 0.1


def test_a_mirrored_body_is_the_mirror_image():
    _, _, _, places, _ = moving(30)
    mirror = [
        HUMANML3D.index(n.replace("left", "x").replace("right", "left").replace("x", "right"))
        for n in HUMANML3D
    ]
    one = from_joints(places[:, :22], HUMANML3D)
    two = from_joints(places[:, mirror] * [-1, 1, 1], HUMANML3D)
    back = two.rotations[:, mirror] * np.array([1, 1, -1, -1], np.float32)
    assert np.degrees(rot.angle(one.rotations[:, :22], back)).max() < 0.1


def test_straight_limbs_do_not_flip():
    rng = np.random.default_rng(3)
    skeleton, q, root, _, _ = moving(240)
    t = np.linspace(0, 4 * np.pi, 240)
    for side, sign in (("left", 1), ("right", -1)):
        q[:, INDEX[f"{side}LowerArm"]] = q[:, INDEX[f"{side}LowerLeg"]] = rot.IDENTITY
        swing = np.stack(
            [0.2 * np.sin(t), -sign * (0.6 + 0.5 * np.sin(t)), sign * (1.1 * np.cos(t) - 0.2)], axis=-1
        )
        q[:, INDEX[f"{side}UpperArm"]] = rot.from_rotvec(swing)
    places = skeleton.forward(q, root)[0][:, :22]
    noisy = places + 0.004 * rng.standard_normal(places.shape)
    for points, most in ((places, 1.0), (noisy, 8.0)):
        posed = from_joints(points, HUMANML3D)
        assert max(bone_errors(posed, points, HUMANML3D).values()) < 0.1
        assert excess(posed, points, HUMANML3D) < most
    dot = np.sum(posed.rotations[1:] * posed.rotations[:-1], axis=-1)
    assert dot.min() > 0, "neighbouring quaternions have one sign"


def test_a_straight_arm_remembers_how_it_was_turned():
    upper = np.tile([0, -1.0, 0], (120, 1))
    bend = np.where(np.arange(120) < 60, 1.2, 0.0)
    side = np.array([np.sin(0.7), 0, np.cos(0.7)])
    lower = np.cos(bend)[:, None] * upper + np.sin(bend)[:, None] * side
    spare = np.tile([-1.0, 0, 0], (120, 1))
    hinge = bend_axis(upper, lower, spare, fps=30, freedom=0.75)
    wanted = np.cross(upper[0], side)
    assert angle(hinge[:60], wanted).max() < 1
    assert angle(hinge[62], wanted) < 25
    assert angle(hinge[-1], spare[-1]) < 1, "in the long run what is natural"
    assert turning(hinge).max() < 10


def test_missing_joints_are_held_and_interpolated():
    _, _, _, places, orientation = moving()
    points = kinect(places, orientation, KINECT_25)
    whole = from_joints(points, KINECT_25)
    elbow = KINECT_25.index("ElbowLeft")
    for gap in (0.0, np.nan):
        holed = points.copy()
        holed[40:46, elbow] = gap
        posed = from_joints(holed, KINECT_25)
        off = np.degrees(rot.angle(whole.rotations, posed.rotations))
        assert off[:, INDEX["rightUpperArm"]].max() < 1
        assert 0.1 < off[40:46, INDEX["leftUpperArm"]].max() < 15
    confidence = np.ones(points.shape[:2])
    confidence[40:46, elbow] = 0
    junk = points.copy()
    junk[40:46, elbow] = 9
    np.testing.assert_array_equal(
        from_joints(junk, KINECT_25, confidence=confidence).rotations, posed.rotations
    )
    never = points.copy()
    never[:, [KINECT_25.index(n) for n in ("WristLeft", "HandLeft", "FootRight", "AnkleRight")]] = 0
    posed = from_joints(never, KINECT_25)
    for name in ("leftLowerArm", "leftHand", "rightLowerLeg", "rightFoot"):
        assert rot.angle(posed.rotations[:, INDEX[name]], rot.IDENTITY).max() < 1e-3, name
    holed[:, elbow] = np.nan
    with pytest.raises(DataError, match="never seen: ElbowLeft"):
        from_joints(holed, KINECT_25)


def test_what_it_cannot_do_is_named():
    with pytest.raises(DataError, match="fit no layout"):
        from_joints(np.ones((2, 3, 3)), ("a", "b", "c"))
    with pytest.raises(DataError, match=r"positions \(2, 22, 2\)"):
        from_joints(np.ones((2, 22, 2)), HUMANML3D)
    with pytest.raises(DataError, match="one place"):
        from_joints(np.ones((2, 22, 3)), HUMANML3D)
    with pytest.raises(DataError, match="expected kinect25"):
        from_joints(np.ones((2, 22, 3)), HUMANML3D, layout="kinect25")
    with pytest.raises(DataError, match="confidence"):
        from_joints(np.ones((2, 22, 3)), HUMANML3D, confidence=np.ones((2, 21)))
    assert from_joints(np.zeros((0, 22, 3)), HUMANML3D).rotations.shape == (0, 55, 4)


def test_any_points_give_unit_rotations():
    rng = np.random.default_rng(1)
    for names in (HUMANML3D, KINECT_25, KINECT_20):
        for scale in (1e-2, 1.0, 1e4):
            points = scale * rng.standard_normal((8, len(names), 3)).round(1)
            points[3] = 0
            points[4] = points[4, 0]
            posed = from_joints(points, names, confidence=0.1 + 0.9 * rng.random(points.shape[:2]))
            assert np.isfinite(posed.root).all()
            np.testing.assert_allclose(np.linalg.norm(posed.rotations, axis=-1), 1, atol=1e-5)


def test_gaps_and_filters():
    values = np.array([[5.0], [1], [9], [9], [4], [9]])
    known = np.array([False, True, False, False, True, False])
    np.testing.assert_allclose(fill(values, known)[:, 0], [1, 1, 2, 3, 4, 4])
    np.testing.assert_array_equal(fill(values, np.zeros(6, bool)), 0)
    with pytest.raises(DataError, match="fill"):
        fill(values, known[:3])
    unit, ever = directions([[0, 0, 2.0], [0, 0, 0], [0, 0, -2.0]], [True] * 3)
    assert ever
    np.testing.assert_allclose(unit[:, 2], [1, 1, -1])
    scipy = pytest.importorskip("scipy.ndimage")
    noise = np.random.default_rng(0).standard_normal((300, 2))
    np.testing.assert_allclose(
        smooth(noise, 20), scipy.gaussian_filter1d(noise, 20, axis=0, mode="nearest"), atol=1e-12
    )


def test_a_real_clip_of_humanml3d(shared_data):
    joints = np.load(shared_data("nc-text_motion") / "humanml3d_012314_joints.npy").astype(float)
    posed = from_joints(joints, HUMANML3D, fps=20)
    assert max(bone_errors(posed, joints, HUMANML3D).values()) < 0.1
    assert excess(posed, joints, HUMANML3D) < 1
    places, _ = posed.skeleton.forward(posed.rotations, posed.root)
    assert np.abs(places[:, :22] - joints).max() < 0.005


def test_joints_are_the_canonical_ones():
    assert (len(HUMANML3D), len(KINECT_25), len(KINECT_20)) == (22, 25, 20)
    for table in LAYOUTS.values():
        assert set(table) - set(JOINTS) <= {"waist", "crown", "leftPalm", "rightPalm"}
