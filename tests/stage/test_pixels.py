"""Pictures whose labels are true: landmarks, depth, masks and flow agree with one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

import itertools

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.ibug import VERTICES
from kinesics.errors import DataError
from kinesics.performance import Face, Motion, Performance
from kinesics.stage.identities import identity
from kinesics.stage.pixels import GROUPS, Studio, draw_set, render_clip

SIZE = 96
REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))


@pytest.fixture(scope="module")
def clip():
    person = identity(11, 4)
    count = 12
    rotations = np.tile(REST, (count, 1, 1))
    root = np.tile(person.joints[0], (count, 1))
    root[:, 0] += np.linspace(0, 0.06, count)  # a step to the left: everything moves alike
    values = np.zeros((count, 52), np.float32)
    values[:, ARKIT.index("jawOpen")] = np.linspace(0, 0.6, count)
    show = Performance(
        {"body": Motion(person.skeleton, rotations, root, 60), "face": Face(values, ARKIT, 60)}
    )
    return person, list(render_clip(show, person, SIZE, view="face", fps=30, seed=2, turn=0)), show


def test_a_clip_has_a_shot_per_picture(clip):
    _, shots, _ = clip
    assert len(shots) == 6
    assert [s.flow is None for s in shots] == [False] * 5 + [True]
    first = shots[0]
    assert first.rgb.shape == (SIZE, SIZE, 3)
    assert first.landmarks.shape == (68, 2)
    assert first.joints_3d.shape == (55, 3)
    assert first.face.shape == (52,)


def test_masks_show_what_is_there(clip):
    _, shots, _ = clip
    shown = {GROUPS[k] for k in np.unique(shots[-1].mask)}
    assert {"background", "face", "hair", "mouth", "eyes", "neck"} <= shown
    assert np.array_equal(shots[0].mask == 0, ~np.isfinite(shots[0].depth))
    mouth = [(s.mask == GROUPS.index("mouth")).sum() + (s.mask == GROUPS.index("teeth")).sum() for s in shots]
    assert mouth[-1] > mouth[0] + 10


def test_landmarks_lie_where_their_names_say(clip):
    _, shots, _ = clip
    p = shots[0].landmarks
    assert p[0, 0] < p[8, 0] < p[16, 0], "the person's right ear is left in the picture"
    assert p[8, 1] > p[57, 1] > p[51, 1] > p[33, 1] > p[27, 1] > p[19, 1]
    assert (p[36:40, 0].min(), p[42:46, 0].max()) == (p[36, 0], p[45, 0])
    assert p[37, 1] < p[41, 1] and p[44, 1] < p[46, 1]  # noqa: PT018 - both upper lids over the lower
    assert shots[0].visible[27:36].all()
    gap = [s.landmarks[66, 1] - s.landmarks[62, 1] for s in shots]
    assert gap[-1] > gap[0] + 3
    eye = shots[0].landmarks[36:42].mean(axis=0)
    row, column = eye[::-1].astype(int)
    assert shots[0].mask[row, column] == GROUPS.index("eyes")


def test_the_mesh_agrees_with_the_landmarks_and_knows_what_is_hidden(clip):
    person, shots, show = clip
    p, mesh = shots[0].landmarks, shots[0].mesh
    assert mesh.shape == (478, 3)
    for here, there in ((33, 36), (263, 45), (61, 48), (291, 54), (4, 30)):
        assert np.linalg.norm(mesh[here, :2] - p[there]) < 3
    assert mesh[4, 2] < mesh[234, 2] - 8, "the tip of the nose is nearer than the cheek"
    assert shots[0].mesh_visible[[4, 10, 151, 50, 280, 468, 473]].all()
    lids = np.zeros((2, 52), np.float32)
    lids[:, [ARKIT.index("eyeBlinkLeft"), ARKIT.index("eyeBlinkRight")]] = 1
    closed = Performance({"body": show.body.slice(0, 2 / 60), "face": Face(lids, ARKIT, 60)})
    shot = next(render_clip(closed, person, SIZE, view="face", fps=30, seed=2, turn=0))
    assert not shot.mesh_visible[[468, 473]].any()


def test_depth_is_that_of_the_landmarks(clip):
    _, shots, _ = clip
    shot = shots[0]
    nose = shot.landmarks[30].astype(int)
    camera = Studio(clip[0], draw_set(2, "clip", turn=0), view="face", size=SIZE).camera
    assert shot.depth[nose[1], nose[0]] == pytest.approx(camera.project(shot.landmarks_3d[30])[1], abs=0.004)


def test_flow_carries_landmarks_to_the_next_picture(clip):
    _, shots, _ = clip
    for now, after in itertools.pairwise(shots):
        for k in (27, 28, 30, 33, 19, 24):
            x, y = now.landmarks[k].astype(int)
            moved = after.landmarks[k] - now.landmarks[k]
            assert np.allclose(now.flow[y, x], moved, atol=0.25)
        assert not now.flow[now.mask == 0].any()


def test_sets_vary_by_seed_and_repeat(clip):
    person, shots, show = clip
    again = next(render_clip(show, person, SIZE, view="face", fps=30, seed=2, turn=0))
    assert np.array_equal(again.rgb, shots[0].rgb)
    other = next(render_clip(show, person, SIZE, view="face", fps=30, seed=3, turn=0))
    assert np.abs(other.rgb.astype(int) - shots[0].rgb).mean() > 4
    assert {draw_set(k).pattern for k in range(40)} == {"plain", "blinds", "shelves", "bokeh"}
    for pattern in ("plain", "blinds", "shelves", "bokeh"):
        stage = replace(draw_set(4), pattern=pattern)
        frame = Studio(person, stage, view="bust", size=32).shoot(REST, None, None)
        assert frame.rgb.std() > 3


def test_landmarks_are_the_same_spots_on_everybody():
    for name in ("maya", "theo"):
        person = load_avatar(name)
        head = next(p for p in person.parts if p.name == "head")
        assert len(set(VERTICES)) == 68
        assert all(head.vertices.start <= i < head.vertices.stop for i in VERTICES)
        p = person.vertices[list(VERTICES)]
        right = [*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50]
        assert (p[right, 0] < 0).all()


def test_what_cannot_be_painted_is_refused(clip):
    person, _, show = clip
    with pytest.raises(DataError, match="body and a face"):
        next(render_clip(Performance({"face": show.face}), person))
    with pytest.raises(DataError, match="pixels"):
        next(render_clip(show, person, 4))
    foreign = show.with_tracks(face=replace(show.face, basis="flame"))
    with pytest.raises(DataError, match="basis"):
        next(render_clip(foreign, person))
