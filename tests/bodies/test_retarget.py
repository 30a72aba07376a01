"""Retargeting: limbs point where they pointed, feet stand on the floor, and one take is one take."""

from __future__ import annotations

import dataclasses
import functools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS, mirror_index
from kinesics.bodies.retarget import recognise, retarget, skeleton, skeletons, table
from kinesics.bodies.skeletons import TABLES, plain_names
from kinesics.errors import DataError
from kinesics.formats import bvh
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion

SIDES = ("left", "right")
ARMS = [("UpperArm", "LowerArm"), ("LowerArm", "Hand")]
LEGS = [("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot")]
HANDS = [
    ("Hand", "MiddleProximal"),
    ("MiddleProximal", "MiddleIntermediate"),
    ("ThumbProximal", "ThumbDistal"),
]
REAL = {
    "daz walk": "free-cmu_mocap_bvh/bvh30/02_01.bvh",
    "daz gestures": "free-cmu_mocap_bvh/bvh30/14_37.bvh",
    "daz with T-pose": "free-cmu_mocap_bvh/raw120/14_17.bvh",
    "cmu walk": "free-cmu_expmap/bvh30/train_walking_1.bvh",
    "cmu traffic": "free-cmu_expmap/bvh30/train_directing_traffic_1.bvh",
    "beat": "nc-beat2_scott/2_scott_0_1_1_beat1_15fps_f0-660.bvh",
    "bandai walk": "nc-bandai_namco/dataset-1_walk_normal_001.bvh",
    "bandai hands": "nc-bandai_namco/dataset-2_raise-up-both-hands_normal_001.bvh",
    "xia": "nc-dance_style/xia_strutting_01_000.bvh",
}
PAIRS = {
    "train_basketball_1": "06_02", "train_basketball_2": "06_03", "train_basketball_3": "06_04",
    "train_basketball_4": "06_05", "train_basketball_5": "06_06", "train_soccer_1": "10_01",
    "train_soccer_2": "10_02", "train_soccer_3": "10_03", "train_soccer_4": "10_05", "train_jumping_1": "13_11",
    "train_jumping_3": "13_19", "train_jumping_4": "13_32", "train_jumping_5": "13_39", "train_walking_1": "02_01",
    "train_walking_2": "05_01", "train_walking_3": "06_01", "test_washwindow_1": "14_12",
}  # fmt: skip


@pytest.fixture(scope="module")
def real(shared_data):
    """``real(name)``: a motion of a corpus."""

    def load(name: str) -> Motion:
        folder, _, file = REAL.get(name, name).partition("/")
        return bvh.read(shared_data(folder) / file).body

    return load


def in_world(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    return motion.skeleton.forward(motion.rotations.astype(float), motion.root.astype(float))


@functools.cache
def joints(body: Skeleton) -> dict[str, int]:
    """Canonical bone → the joint where it begins, by the skeleton's table."""
    places = {n: i for i, n in enumerate(plain_names(body.names))}
    named = table(recognise(body)).joint_of.items()
    return {bone: places[plain] for bone, j in named if (plain := plain_names((j,))[0]) in places}


def joint(motion: Motion, bone: str) -> int | None:
    return joints(motion.skeleton).get(bone)


def directions(motion: Motion, segments: list[tuple[str, str]]) -> dict[str, np.ndarray]:
    """World direction (T, 3) of every segment that the skeleton has, both sides."""
    places, _ = in_world(motion)
    out = {}
    for side in SIDES:
        for a, b in segments:
            i, j = joint(motion, side + a), joint(motion, side + b)
            if i is not None and j is not None and i != j:
                way = places[:, j] - places[:, i]
                out[side + a] = way / np.linalg.norm(way, axis=-1, keepdims=True)
    return out


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def apart(a: Motion, b: Motion, segments: list[tuple[str, str]]) -> dict[str, np.ndarray]:
    one, two = directions(a, segments), directions(b, segments)
    frames = min(len(a), len(b))
    return {k: degrees(one[k][:frames], two[k][:frames]) for k in one if k in two}


def lowest(motion: Motion) -> np.ndarray:
    """(T, 4) heights of ankles and balls of a canonical body above where they are when it stands."""
    joints = [INDEX[f"{s}{b}"] for s in SIDES for b in ("Foot", "Toes")]
    return in_world(motion)[0][:, joints, 1] - motion.skeleton.rest[joints, 1]


def lively(seed: int = 0, frames: int = 12, size: float = 0.5, body: Skeleton | None = None) -> Motion:
    """A canonical body, every joint turned at random, upright."""
    rng = np.random.default_rng(seed)
    body = body or skeleton("humanoid")
    q = rot.from_rotvec(size * rng.standard_normal((frames, 55, 3)).clip(-2, 2))
    for quiet in ("jaw", "leftEye", "rightEye"):
        q[:, INDEX[quiet]] = [1, 0, 0, 0]
    root = body.offsets[0] + 0.1 * rng.standard_normal((frames, 3))
    return Motion(body, q, root, Fraction(30))


# Real clips


@pytest.mark.parametrize("name", REAL)
def test_limbs_of_a_real_clip_point_where_they_pointed(real, name):
    motion = real(name)
    found = apart(motion, retarget(motion), ARMS + LEGS + HANDS)
    assert len(found) >= 8
    assert {k: v.max() for k, v in found.items() if v.max() > 0.1} == {}


@pytest.mark.parametrize("name", REAL)
def test_the_head_faces_where_it_faced_and_the_hips_too(real, name):
    motion = real(name)
    forward = {"bandai walk": [0, 1.0, 0], "bandai hands": [0, 1.0, 0]}.get(name, [0, 0, 1.0])
    result = retarget(motion)
    for bone, ahead in (("head", forward), ("hips", [0, 0, 1.0])):
        source = rot.rotate(in_world(motion)[1][:, joint(motion, bone)], ahead)
        target = rot.rotate(in_world(result)[1][:, INDEX[bone]], [0, 0, 1.0])
        assert degrees(source, target).max() < 0.1


@pytest.mark.parametrize("name", ["cmu walk", "bandai walk", "xia", "beat", "cmu traffic"])
def test_feet_head_where_they_headed_and_knees_bend_forward(real, name):
    motion = real(name)
    result = retarget(motion)
    one, two = directions(motion, [("Foot", "Toes")]), directions(result, [("Foot", "Toes")])
    for side in SIDES:
        a, b = one[f"{side}Foot"], two[f"{side}Foot"]
        flat = (np.abs(b[:, 1] - np.median(b[:, 1])) < 0.1) & (np.hypot(a[:, 0], a[:, 2]) > 0.5)
        assert flat.any()
        turn = np.degrees(np.arctan2(a[flat, 0], a[flat, 2]) - np.arctan2(b[flat, 0], b[flat, 2]))
        assert np.median(np.abs((turn + 180) % 360 - 180)) < 6
    knees = np.degrees(rot.to_rotvec(result.joint("leftLowerLeg").astype(float)))
    assert np.median(knees[:, 0]) > -3
    assert np.percentile(np.abs(knees[:, 1:]), 90) < 25


@pytest.mark.parametrize("name", [n for n in REAL if n != "daz with T-pose"])
def test_feet_stand_on_the_floor(real, name):
    heights = lowest(retarget(real(name))).min(axis=1)
    # Of these clips the greater part is spent with a foot on the floor.
    assert -0.005 < np.median(heights) < 0.015
    assert np.percentile(heights, 2) > -0.02
    assert np.percentile(heights, 75) < 0.035


@pytest.mark.parametrize("name", ["daz walk", "cmu walk", "bandai walk", "xia"])
def test_standing_feet_slip_no_more_than_they_did(real, name):
    motion = real(name)
    result = retarget(motion)
    a, b = in_world(motion)[0], in_world(result)[0]
    scale = np.linalg.norm(
        result.skeleton.rest[INDEX["leftUpperLeg"]] - result.skeleton.rest[INDEX["leftFoot"]]
    )
    scale /= sum(
        np.linalg.norm(np.diff(a[0, [joint(motion, f"left{x}"), joint(motion, f"left{y}")]], axis=0))
        for x, y in LEGS
    )
    for side in SIDES:
        was = scale * np.gradient(a[:, joint(motion, f"{side}Foot")], axis=0) * float(motion.fps)
        now = np.gradient(b[:, INDEX[f"{side}Foot"]], axis=0) * float(motion.fps)
        speed = np.linalg.norm(was, axis=1)
        stands = speed <= np.percentile(speed, 20)
        slip = np.hypot(now[stands, 0], now[stands, 2]) - np.hypot(was[stands, 0], was[stands, 2])
        assert np.median(slip) < 0.03


@pytest.mark.parametrize("name", ["daz walk", "cmu walk", "bandai walk", "xia"])
def test_hips_do_not_jerk(real, name):
    motion = real(name)
    result = retarget(motion)
    was, now = (np.diff(m.root[:, 1].astype(float), 2) * float(m.fps) ** 2 for m in (motion, result))
    assert np.percentile(np.abs(now), 95) < 2 * np.percentile(np.abs(was), 95) + 1


def test_a_recording_off_the_floor_or_tilted_is_put_on_it(real):
    motion = real("cmu walk")
    plain = retarget(motion)
    lifted = retarget(dataclasses.replace(motion, root=motion.root + np.float32([0, 1.7, 0])))
    np.testing.assert_allclose(lifted.root, plain.root, atol=1e-4)
    tilted = motion.root + motion.root[:, 2:] * np.float32([0, 0.02, 0])
    heights = lowest(retarget(dataclasses.replace(motion, root=tilted))).min(axis=1)
    assert np.percentile(np.abs(heights), 75) < 0.02
    kept = retarget(dataclasses.replace(motion, root=motion.root + np.float32([0, 1.7, 0])), floor=False)
    assert np.median(lowest(kept).min(axis=1)) > 1.5


def test_one_take_as_smplx_and_as_bvh(shared_data):
    """BEAT2's fit and BEAT's own file: upper arms and forearms, world directions, 44 s at 15 fps.

    The legs of BEAT's file stand still, those of the fit do not.
    """
    folder = shared_data("nc-beat2_scott")
    stored = np.load(folder / "2_scott_0_1_1_f0-1320.npz", allow_pickle=False)
    body = skeleton("smplx")
    q = rot.from_rotvec(stored["poses"].reshape(-1, 55, 3).astype(float))
    fit = Motion(body, q, stored["trans"] + body.offsets[0], Fraction(30))
    own = retarget(bvh.read(folder / "2_scott_0_1_1_beat1_15fps_f0-660.bvh").body)
    fit = retarget(
        dataclasses.replace(fit, rotations=fit.rotations[::2], root=fit.root[::2], fps=Fraction(15))
    )
    away = np.concatenate(list(apart(fit, own, ARMS).values()))
    assert len(away) == 4 * 660
    assert np.median(away) < 10  # 8.4
    assert np.percentile(away, 90) < 20  # 17.4


def straight_elbows(motion: Motion) -> Motion:
    """The DAZ skeleton with its forearms in line with the upper arms at rest; every angle as it was."""
    body, offsets = motion.skeleton, motion.skeleton.offsets.copy()
    for side in "lr":
        along, hand = offsets[body.index(f"{side}ForeArm")], body.index(f"{side}Hand")
        offsets[hand] = along / np.linalg.norm(along) * np.linalg.norm(offsets[hand])
    return dataclasses.replace(motion, skeleton=Skeleton(body.names, body.parents, offsets))


def test_one_take_on_both_skeletons_of_cmu(shared_data):
    """World directions of upper arms, forearms, thighs and shins, 17 takes.

    Median 6.0°, 90th percentile 20.2°: a quarter of a degree more than the 20° that were hoped for. The DAZ files
    give the angles of straight arms to arms that are bent by 17° at rest. With these straightened, forearms
    agree like the other limbs.
    """
    away: dict[str, list[np.ndarray]] = {}
    elbows = []
    for one, two in PAIRS.items():
        a = retarget(bvh.read(shared_data("free-cmu_expmap") / f"bvh30/{one}.bvh").body)
        daz = bvh.read(shared_data("free-cmu_mocap_bvh") / f"bvh30/{two}.bvh").body
        for k, v in apart(a, retarget(daz), ARMS + LEGS).items():
            away.setdefault(k, []).append(v)
        straight = apart(a, retarget(straight_elbows(daz)), ARMS)
        elbows += [straight[f"{side}LowerArm"] for side in SIDES]
    each = {k: np.concatenate(v) for k, v in away.items()}
    everything = np.concatenate(list(each.values()))
    assert np.median(everything) < 7
    assert np.percentile(everything, 90) < 20.5
    assert all(np.percentile(v, 90) < 10 for k, v in each.items() if "LowerArm" not in k)
    assert np.median(np.concatenate(elbows)) < 5  # 4.6, for 20.0 as the files are
    assert np.percentile(np.concatenate(elbows), 90) < 10  # 7.7, for 22.0


# Skeletons


def test_every_known_skeleton_recognises_itself():
    for name in TABLES:
        assert recognise(skeleton(name)) == name
    assert {"humanoid", "mixamo", "xia", "humanml3d", "kinect20"} <= set(skeletons())
    assert skeleton("humanml3d").names == skeleton("smpl22").names


def test_the_default_proportions_are_mayas():
    assert skeleton("humanoid") == load_avatar("maya").skeleton
    theo = load_avatar("theo").skeleton
    assert skeleton("smplx", theo).offsets[:25] == pytest.approx(theo.offsets[:25], abs=1e-6)


def test_joints_of_position_skeletons_stand_where_a_person_has_them():
    rest = dict(zip((body := skeleton("kinect25")).names, body.rest, strict=True))
    person = dict(zip(JOINTS, skeleton("humanoid").rest, strict=True))
    for joint_name, bone in (("ElbowLeft", "leftLowerArm"), ("KneeRight", "rightLowerLeg"), ("Head", "head")):
        np.testing.assert_allclose(rest[joint_name], person[bone], atol=1e-6)
    assert rest["SpineMid"][1] < rest["SpineShoulder"][1] < rest["Neck"][1]
    assert table("kinect25").joints[:4] == ("SpineBase", "SpineMid", "Neck", "Head")


@pytest.mark.parametrize(
    "spelled", ["mixamorig:{}", "mixamorig_{}", "mixamorig1:{}", "Armature|mixamorig:{}", "{}"]
)
def test_prefixes_do_not_matter(spelled):
    body = skeleton("mixamo")
    named = Skeleton(tuple(spelled.format(n) for n in body.names), body.parents, body.offsets)
    assert recognise(named) == "mixamo"
    motion = lively(3)
    there = dataclasses.replace(retarget(motion, "mixamo"), skeleton=named)
    assert max(v.max() for v in apart(motion, retarget(there), ARMS + LEGS + HANDS).values()) < 0.1


def test_names_in_other_spellings():
    body = skeleton("smpl22")
    short = [n.replace("left_", "L_").replace("right_", "R_").title() for n in body.names]
    assert recognise(Skeleton(tuple(short), body.parents, body.offsets)) == "smpl22"
    keep = [i for i, n in enumerate(JOINTS) if n not in ("chest", "upperChest", "jaw") and "Toes" not in n]
    parents = []
    for i in keep:
        p = PARENTS[i]
        while p >= 0 and p not in keep:
            p = PARENTS[p]
        parents.append(keep.index(p) if p >= 0 else -1)
    rest = skeleton("humanoid").rest[keep]
    offsets = rest - np.where(np.array(parents)[:, None] >= 0, rest[parents], 0)
    sparse = Skeleton(tuple(JOINTS[i] for i in keep), tuple(parents), offsets)
    assert recognise(sparse) == "humanoid"
    motion = lively(4)
    back = retarget(retarget(motion, sparse))
    assert max(v.max() for v in apart(motion, back, ARMS + LEGS).values()) < 0.1


def test_old_and_new_thumbs_are_told_apart():
    old = skeleton("vrm0")
    assert recognise(old) == "vrm0"
    motion = lively(5)
    there = retarget(motion, "vrm0")
    np.testing.assert_allclose(
        there.joint("leftThumbIntermediate"), motion.joint("leftThumbProximal"), atol=1e-6
    )


def test_what_is_missing_is_said():
    body = skeleton("smpl22")
    keep = Skeleton(tuple("knee" if n == "left_knee" else n for n in body.names), body.parents, body.offsets)
    with pytest.raises(DataError, match=r"known ones \(humanoid, .*'smpl', of which it lacks: left_knee"):
        recognise(keep)
    with pytest.raises(DataError, match="none of the known"):
        retarget(
            Motion(Skeleton(("a",), (-1,), np.zeros((1, 3))), np.ones((1, 1, 4)) / 2, np.zeros((1, 3)), 30)
        )
    with pytest.raises(DataError, match="taken for 'mixamo', but it lacks: LeftUpLeg"):
        retarget(lively(), source="mixamo")
    with pytest.raises(DataError, match="choose one of"):
        retarget(lively(), "mixano")
    with pytest.raises(DataError, match="canonical 55"):
        skeleton("smplx", skeleton("smpl22"))


def test_a_rest_pose_that_is_no_person_is_refused():
    body = skeleton("mixamo")
    along = np.zeros_like(body.offsets)
    along[:, 0] = np.linalg.norm(body.offsets, axis=1)
    lying = Skeleton(body.names, body.parents, along)
    with pytest.raises(DataError, match="head is not above the hips"):
        retarget(Motion(lying, np.tile(rot.IDENTITY, (2, len(body), 1)), np.zeros((2, 3)), 30))


# From the humanoid and back


@pytest.mark.parametrize("name", TABLES)
def test_there_and_back(name):
    motion = lively(7)
    there = retarget(motion, name)
    back = retarget(there, motion.skeleton)
    assert back.skeleton == motion.skeleton
    fingers = name in ("humanoid", "beat", "mixamo", "smplh", "smplx", "vrm0")
    for result in (there, back):
        found = apart(motion, result, ARMS + LEGS + HANDS * fingers)
        assert len(found) == (14 if fingers else 8)
        assert max(v.max() for v in found.values()) < 0.1
    # Not only the directions: hands, forearms and thighs are twisted as they were.
    a, b = in_world(motion)[1], in_world(back)[1]
    for bone in ("Hand", "LowerArm", "UpperArm", "UpperLeg", "LowerLeg", "Foot"):
        for side in SIDES:
            if not (name == "cmu_daz" and bone == "Foot"):
                assert rot.angle(a[:, INDEX[side + bone]], b[:, INDEX[side + bone]]).max() < 2e-3
    for bone in ("hips", "upperChest", "head"):
        assert rot.angle(a[:, INDEX[bone]], b[:, INDEX[bone]]).max() < 2e-3


@pytest.mark.parametrize("name", TABLES)
def test_a_walk_there_and_back_is_where_it_was(real, name):
    walk = retarget(real("cmu walk"))
    back = retarget(retarget(walk, name), "humanoid")
    np.testing.assert_allclose(back.root, walk.root, atol=1e-4)


@pytest.mark.parametrize("name", ["cmu walk", "daz walk", "beat", "bandai walk", "xia"])
def test_onto_a_corpus_own_skeleton_and_back(real, name):
    body = real(name).skeleton
    motion = lively(8)
    there = retarget(motion, body)
    assert there.skeleton == body
    back = retarget(there, motion.skeleton)
    for result in (there, back):
        assert max(v.max() for v in apart(motion, result, ARMS + LEGS).values()) < 0.1


def test_a_walk_between_the_corpora(real):
    walk = real("cmu walk")
    onto = retarget(walk, real("bandai walk").skeleton)
    assert max(v.max() for v in apart(walk, onto, ARMS + LEGS).values()) < 0.1
    assert np.ptp(onto.root[:, 2]) == pytest.approx(np.ptp(retarget(walk).root[:, 2]), abs=0.1)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(TABLES)))
def test_limbs_return_from_every_skeleton(seed, name):
    motion = lively(seed, frames=2, size=0.9)
    back = retarget(retarget(motion, name), "humanoid")
    assert max(v.max() for v in apart(motion, back, ARMS + LEGS).values()) < 0.1


def mirrored(motion: Motion) -> Motion:
    other = mirror_index()
    q = motion.rotations[:, other] * np.float32([1, 1, -1, -1])
    return dataclasses.replace(motion, rotations=q, root=motion.root * np.float32([-1, 1, 1]))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(TABLES)))
def test_left_and_right_never_swap(seed, name):
    motion = lively(seed, frames=3)
    one = retarget(retarget(mirrored(motion), name), "humanoid")
    two = mirrored(retarget(retarget(motion, name), "humanoid"))
    assert rot.angle(one.rotations, two.rotations).max() < 3e-3
    np.testing.assert_allclose(one.root, two.root, atol=2e-3)
    there = retarget(motion, name)
    left, right = joint(there, "leftUpperLeg"), joint(there, "rightUpperLeg")
    places, hips = in_world(there)[0], in_world(motion)[1][:, 0]
    across = rot.rotate(rot.conjugate(hips), places[:, left] - places[:, right])
    assert (across[:, 0] > 0).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(TABLES)), yaw=st.floats(-3.1, 3.1))
def test_a_turn_of_the_whole_is_a_turn_of_the_result(seed, name, yaw):
    motion = lively(seed, frames=4)
    turn = rot.from_axis_angle([0, 1.0, 0], yaw)
    q = motion.rotations.astype(float)
    q[:, 0] = rot.multiply(turn, q[:, 0])
    turned = dataclasses.replace(motion, rotations=q, root=rot.rotate(turn, motion.root.astype(float)))
    plain, result = retarget(motion, name), retarget(turned, name)
    expected = plain.rotations.astype(float)
    expected[:, 0] = rot.multiply(turn, expected[:, 0])
    assert rot.angle(result.rotations.astype(float), expected).max() < 2e-3
    np.testing.assert_allclose(result.root, rot.rotate(turn, plain.root.astype(float)), atol=2e-3)


@pytest.mark.parametrize("name", TABLES)
def test_a_t_pose_stays_a_t_pose(name):
    for body in (load_avatar("maya").skeleton, load_avatar("theo").skeleton):
        still = Motion(body, np.tile(rot.IDENTITY, (4, 55, 1)), np.tile(body.offsets[0], (4, 1)), 30)
        there = retarget(still, name)
        assert rot.angle(there.rotations, rot.IDENTITY).max() < 1e-3
        np.testing.assert_allclose(there.root, np.tile(there.skeleton.offsets[0], (4, 1)), atol=2e-3)
        back = retarget(there, body)
        assert rot.angle(back.rotations, rot.IDENTITY).max() < 1e-3


@pytest.mark.parametrize("name", ["cmu", "beat", "mixamo", "smplx"])
def test_other_people_get_the_same_directions(name):
    motion = lively(9)
    theo = load_avatar("theo").skeleton
    there = retarget(retarget(motion, name), theo)
    assert there.skeleton == theo
    assert max(v.max() for v in apart(motion, there, ARMS + LEGS).values()) < 0.1


def test_what_is_there_already_is_left_alone():
    motion = lively()
    assert retarget(motion) is motion
    assert retarget(motion, motion.skeleton) is motion


def test_time_is_kept():
    motion = dataclasses.replace(lively(), fps=Fraction(30000, 1001), start=2.5)
    there = retarget(motion, "beat")
    assert (there.fps, there.start, len(there)) == (motion.fps, 2.5, len(motion))
    for frames in (0, 1, 2):
        short = dataclasses.replace(motion, rotations=motion.rotations[:frames], root=motion.root[:frames])
        assert len(retarget(short, "mixamo")) == frames


def reposed(body: Skeleton, world: dict[str, np.ndarray]) -> tuple[Skeleton, np.ndarray]:
    """The same rig bound in another pose: joints turned by ``world`` at rest; and what each had to turn."""
    turn = np.tile([1.0, 0, 0, 0], (len(body), 1))
    for i, (name, p) in enumerate(zip(body.names, body.parents, strict=True)):
        above = turn[p] if p >= 0 else turn[i]
        turn[i] = rot.multiply(world[name], above) if name in world else above
    offsets = np.array(
        [rot.rotate(turn[p], o) if p >= 0 else o for o, p in zip(body.offsets, body.parents, strict=True)]
    )
    return Skeleton(body.names, body.parents, offsets), turn


@pytest.mark.parametrize("drop", [45, 85])
def test_a_rig_bound_with_arms_down_and_legs_spread_moves_the_same(drop):
    motion = retarget(lively(11), "mixamo")
    lower = {
        side: rot.from_axis_angle([0, 0, 1.0], np.radians(k * drop))
        for side, k in (("Left", -1), ("Right", 1))
    }
    spread = {
        side: rot.from_axis_angle([0, 0, 1.0], np.radians(k * 12)) for side, k in (("Left", 1), ("Right", -1))
    }
    pose = {f"{s}Arm": lower[s] for s in lower} | {f"{s}UpLeg": spread[s] for s in spread}
    body, turn = reposed(motion.skeleton, pose)
    world = rot.multiply(in_world(motion)[1], rot.conjugate(turn))
    same = Motion(body, body.local(world), motion.root, motion.fps)
    np.testing.assert_allclose(in_world(same)[0], in_world(motion)[0], atol=1e-5)
    one, two = retarget(motion), retarget(same)
    assert rot.angle(one.rotations, two.rotations).max() < 2e-3
    np.testing.assert_allclose(one.root, two.root, atol=1e-3)


def test_a_rig_bound_facing_backwards_below_another_joint():
    motion = lively(12)
    body, _ = reposed(motion.skeleton, {"hips": rot.from_axis_angle([0, 1.0, 0], np.pi)})
    body = Skeleton(
        ("Armature", *body.names),
        (-1, *(p + 1 for p in body.parents)),
        np.vstack([np.zeros((1, 3)), body.offsets]),
    )
    world = rot.multiply(
        in_world(motion)[1], rot.conjugate(np.tile(rot.from_axis_angle([0, 1.0, 0], np.pi), (55, 1)))
    )
    world = np.concatenate([np.tile([1.0, 0, 0, 0], (len(world), 1, 1)), world], axis=1)
    back = Motion(body, body.local(world), motion.root - motion.skeleton.offsets[0], motion.fps)
    result = retarget(back, motion.skeleton)
    assert rot.angle(result.rotations, motion.rotations).max() < 2e-3
    again = retarget(motion, body)
    assert rot.angle(again.joint("Armature"), rot.IDENTITY).max() < 1e-3
    assert rot.angle(in_world(again)[1][:, 1:], world[:, 1:]).max() < 2e-3
    assert np.isfinite(again.root).all()


def test_a_spine_of_any_length_bends_evenly():
    motion = lively(13, size=0.0)
    q = motion.rotations.copy()
    q[:, [INDEX[b] for b in ("spine", "chest", "upperChest")]] = rot.from_axis_angle(
        [1.0, 0, 0], np.radians(20)
    )
    bent = dataclasses.replace(motion, rotations=q)
    for name, joints in (("beat", 4), ("cmu_daz", 2), ("kinect20", 1), ("mixamo", 3)):
        there = retarget(bent, name)
        each = [np.degrees(rot.angle(there.joint(j), rot.IDENTITY))[0] for j in table(name).spine]
        assert len(each) == joints
        assert each == pytest.approx([60 / joints] * joints, abs=0.1)


def test_a_palm_turns_its_forearm_where_a_joint_turns_it_alone(real):
    motion = real("cmu traffic")
    body, turn = motion.skeleton, motion.rotations.copy()
    turn[:] = rot.IDENTITY
    turn[:, body.index("LeftHand")] = rot.from_axis_angle([1.0, 0, 0], 1.0)
    result = retarget(dataclasses.replace(motion, rotations=turn))
    lower = np.degrees(rot.to_rotvec(in_world(result)[1][0, INDEX["leftLowerArm"]]))
    np.testing.assert_allclose(lower, [np.degrees(0.72), 0, 0], atol=0.1)
    hand = in_world(result)[1][0, INDEX["leftHand"]]
    # The palm itself waits for the joint beyond the wrist, which did not turn against it.
    np.testing.assert_allclose(np.degrees(rot.to_rotvec(hand)), [np.degrees(1.0), 0, 0], atol=1.5)


def test_heads_of_sources_with_two_necks():
    motion = lively(14)
    assert (
        rot.angle(
            in_world(retarget(motion, "cmu"))[1][:, skeleton("cmu").index("Head")],
            in_world(motion)[1][:, INDEX["head"]],
        ).max()
        < 2e-3
    )


def test_a_jump_keeps_its_height():
    body = skeleton("humanoid")
    rise = np.concatenate([np.zeros(20), 0.4 * np.sin(np.linspace(0, np.pi, 15)), np.zeros(20)])
    root = body.offsets[0] + np.outer(rise, [0, 1, 0])
    jump = Motion(body, np.tile(rot.IDENTITY, (len(rise), 55, 1)), root, 30)
    there = retarget(jump, "cmu")
    back = retarget(there, body)
    for result in (there, back):
        assert np.ptp(result.root[:, 1]) == pytest.approx(0.4, abs=0.02)


def test_toes_stay_on_the_floor_where_the_source_has_none():
    body = skeleton("humanoid")
    q = np.tile(rot.IDENTITY, (30, 55, 1)).astype(float)
    tip = np.radians(np.linspace(0, 40, 30))
    # On the balls of the feet, higher and higher: hips stay upright, ankles stretch.
    for side in SIDES:
        q[:, INDEX[f"{side}Foot"]] = rot.from_axis_angle(np.array([1.0, 0, 0]), tip)
    standing = Motion(body, q, np.tile(body.offsets[0], (30, 1)), 30)
    result = retarget(retarget(standing, "cmu_daz"), body)
    places = in_world(result)[0]
    tips = places + rot.rotate(in_world(result)[1], [0, 0, 0.06])
    for side in SIDES:
        ball = places[:, INDEX[f"{side}Toes"], 1]
        assert np.abs(tips[:, INDEX[f"{side}Toes"], 1] - ball).max() < 0.01
