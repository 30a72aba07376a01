"""People who do not exist: whoever is drawn, lips seal, lids close, and nothing is torn."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.metrics.mouth import CLOSED, Mouth
from kinesics.stage.identities import build, identity
from kinesics.stage.traits import draw_traits

MILLIMETRE = 1e-3
REST = np.tile([1.0, 0, 0, 0], (55, 1))
CROWD = 50


@pytest.fixture(scope="module")
def crowd():
    return [build(draw_traits(3, k), name=f"p{k}", number=k, painted=False) for k in range(CROWD)]


def face(**weights: float) -> np.ndarray:
    row = np.zeros(52)
    for name, value in weights.items():
        row[ARKIT.index(name)] = value
    return row


def at(person, landmark: str, **weights: float) -> np.ndarray:
    return skin(person, REST, weights=face(**weights))[person.landmark(landmark)]


def test_lips_seal_wherever_the_jaw_is_and_the_jaw_opens_them(crowd):
    rows = [face(), *(face(jawOpen=w, mouthClose=w) for w in (0.3, 0.7, 1.0)), face(jawOpen=1.0)]
    for k, person in enumerate(crowd):
        rest, *shut, wide = (
            np.subtract(
                *(
                    skin(person, REST, weights=r)[person.landmark(f"{n}_lip_mid")][1]
                    for n in ("upper", "lower")
                )
            )
            for r in rows
        )
        assert np.abs(np.array(shut) - rest).max() < 0.3 * MILLIMETRE, person.title
        assert wide - rest > 18 * MILLIMETRE, person.title
        if k % 5 == 0:  # over the whole width, which takes longer
            shape = Mouth(person).measure(np.array(rows))
            assert shape.gaps[:4].max() <= CLOSED, person.title
            assert shape.gap[4] > 18, person.title


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blinks_close_and_lids_stay_outside_the_eyeball(crowd, side):
    upper, lower = f"upper_lid_mid_{side.lower()}", f"lower_lid_mid_{side.lower()}"
    for person in crowd:
        blink = {f"eyeBlink{side}": 1.0}
        shut = at(person, upper, **blink)[1] - at(person, lower, **blink)[1]
        assert -1.5 * MILLIMETRE < shut < 0.2 * MILLIMETRE, person.title
        assert at(person, upper)[1] - at(person, lower)[1] > 4 * MILLIMETRE
        eyes = next(p for p in person.parts if p.name == "eyes")
        ball = person.vertices[eyes.vertices]
        ball = ball[ball[:, 0] * (1 if side == "Left" else -1) > 0]
        centre = person.joints[INDEX[f"{side.lower()}Eye"]]
        radius = np.linalg.norm(ball - centre, axis=1)
        assert np.ptp(radius) < 0.08 * radius.mean(), "an eyeball is round but for its cornea"
        for half in (0.0, 0.3, 0.6, 1.0):
            lid = at(person, upper, **{f"eyeBlink{side}": half})
            assert np.linalg.norm(lid - centre) > np.median(radius), person.title


def test_meshes_are_whole(crowd):
    for person in crowd:
        assert np.isfinite(person.vertices).all()
        assert abs(person.vertices[:, 1].min()) < 1e-5
        assert np.allclose(np.linalg.norm(person.normals, axis=1), 1, atol=1e-3)
        base = load_avatar("maya" if "woman" in person.title else "theo")
        count = next(p for p in person.parts if p.name == "soles").faces.stop
        old, new = (a.vertices[base.faces[:count]] for a in (base, person))
        stretch = np.linalg.norm(new - np.roll(new, 1, axis=1), axis=-1) / np.maximum(
            np.linalg.norm(old - np.roll(old, 1, axis=1), axis=-1), 2e-3
        )
        assert np.percentile(stretch, 99.9) < 1.8, person.title
        # Nothing is turned inside out.
        area = [np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]) for t in (old, new)]
        large = np.linalg.norm(area[0], axis=1) > 4e-7
        assert np.mean((area[0] * area[1]).sum(axis=1)[large] < 0) < 2e-3, person.title
        for name in ("head", "body"):
            part = next(p for p in base.parts if p.name == name)
            assert len(person.vertices[part.vertices]) == len(base.vertices[part.vertices])


def test_skin_has_no_seam_between_head_and_neck(crowd):
    for person in crowd:
        base = load_avatar("maya" if "woman" in person.title else "theo")
        parts = {p.name: p for p in base.parts}
        key = {
            tuple(v): k
            for k, v in enumerate(np.round(base.vertices[parts["body"].vertices] * 1e5).astype(int).tolist())
        }
        for k, v in enumerate(np.round(base.vertices[parts["head"].vertices] * 1e5).astype(int).tolist()):
            if tuple(v) in key:
                a = person.vertices[parts["head"].vertices][k]
                b = person.vertices[parts["body"].vertices][key[tuple(v)]]
                assert np.linalg.norm(a - b) < 1 * MILLIMETRE, person.title


def test_joints_lie_inside_and_bones_are_mirrored(crowd):
    for person in crowd:
        for name in JOINTS:
            if name.startswith("left"):
                mirror = person.joints[INDEX["right" + name[4:]]] * [-1, 1, 1]
                assert np.allclose(person.joints[INDEX[name]], mirror, atol=1e-3), (person.title, name)
        eye = next(p for p in person.parts if p.name == "eyes").vertices
        ball = person.vertices[eye]
        assert np.allclose(
            ball[ball[:, 0] > 0].mean(axis=0)[:2], person.joints[INDEX["leftEye"]][:2], atol=1e-3
        )


def test_people_differ(crowd):
    stature = [p.vertices[:, 1].max() for p in crowd]
    assert 0.05 < np.std(stature) < 0.14
    assert min(stature) > 1.45
    assert max(stature) < 2.12
    faces = np.array(
        [p.vertices[[i for n, i in p.landmarks.items() if "tip_" not in n]] - p.joints[15] for p in crowd]
    )
    women = faces[::2]
    away = np.linalg.norm(women[:, None] - women[None], axis=-1).mean(axis=-1)
    assert away[~np.eye(len(women), dtype=bool)].min() > 1 * MILLIMETRE


def test_traits_of_one_never_shift_those_of_another():
    assert draw_traits(5, 1) == draw_traits(5, 1)
    assert draw_traits(5, 1) != draw_traits(5, 3)
    assert draw_traits(6, 1) != draw_traits(5, 1)


def test_an_identity_is_the_same_every_time():
    pytest.importorskip("av")
    one = identity(11, 4)
    identity.cache_clear()
    two = identity(11, 4)
    assert np.array_equal(one.vertices, two.vertices)
    assert one.parts == two.parts
    assert one.parts[0].material.texture != load_avatar("maya").parts[0].material.texture


def test_people_are_written_and_read_like_any_other(tmp_path):
    pytest.importorskip("numba")
    from kinesics.render import Painter, view_of

    person = identity(11, 4)
    frame = Painter(person, view_of(person, "bust", width=48, height=48)).paint(REST)
    assert (frame.parts > 0).mean() > 0.2
