"""The torch face does what the avatar's own skinning does, and gradients flow through it."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kinesics.bodies import ibug  # noqa: E402
from kinesics.bodies.arkit import ARKIT  # noqa: E402
from kinesics.bodies.avatar import load_avatar, skin  # noqa: E402
from kinesics.bodies.face_points import COUNTS, REGIONS, face_points  # noqa: E402
from kinesics.geometry import rotations as rot  # noqa: E402
from kinesics.nn.faces import MorphFace  # noqa: E402
from kinesics.seeds import rng  # noqa: E402

T_POSE = np.tile([1.0, 0, 0, 0], (55, 1))


def face_of(name: str, **more) -> tuple[MorphFace, np.ndarray]:
    points = face_points(name)
    return MorphFace(points.neutral, points.offsets, joints=points.joints, **more), points.vertices


@pytest.mark.parametrize("name", ["maya", "theo"])
def test_vertices_are_the_avatars(name):
    face, vertices = face_of(name)
    person = load_avatar(name)
    weights = rng(0, "weights", name).random((6, 52)).astype(np.float32)
    ours = [ARKIT.index(n) for n in person.morph_names]
    wanted = skin(person, np.tile(T_POSE, (6, 1, 1)), weights=weights[:, ours])[:, vertices]
    assert np.abs(face(torch.tensor(weights)).numpy() - wanted).max() < 1e-5
    in_mm = face_of(name, scale=1000.0)[0](torch.tensor(weights)).numpy()
    assert np.abs(in_mm - 1000 * wanted).max() < 1e-2


def test_a_head_that_turns_takes_the_face_along():
    face, vertices = face_of("maya")
    person, stream = load_avatar("maya"), rng(0, "pose")
    weights = stream.random((4, 52)).astype(np.float32)
    axis = stream.standard_normal((4, 55, 3))
    q = rot.from_axis_angle(axis / np.linalg.norm(axis, axis=-1, keepdims=True), 0.4 * stream.random((4, 55)))
    root = person.joints[0] + stream.standard_normal((4, 3)).astype(np.float32)
    wanted = skin(person, q, root=root, weights=weights)[:, vertices]
    position, orientation = person.skeleton.forward(q.astype(np.float32), root)
    matrix = rot.to_matrix(rot.normalise(orientation))
    shift = position - np.einsum("tjab,jb->tja", matrix, person.joints)
    transforms = torch.tensor(np.concatenate([matrix, shift[..., None]], axis=-1), dtype=torch.float32)
    ours = [person.morph_names.index(n) for n in ARKIT]
    made = face(torch.tensor(weights[:, ours]), transforms).numpy()
    assert np.abs(made - wanted).max() < 1e-5
    with pytest.raises(ValueError, match="without joints"):
        MorphFace(np.zeros((2, 3)), np.zeros((52, 2, 3)))(torch.zeros(52), transforms)


def test_gradients_find_the_coefficients():
    face, _ = face_of("maya", scale=1000.0)
    wanted = torch.rand(5, 52)
    with torch.no_grad():
        seen = face(wanted)
    guess = torch.full((5, 52), 0.5, requires_grad=True)
    optimiser = torch.optim.Adam([guess], lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        (face(guess) - seen).square().mean().backward()
        optimiser.step()
    assert (face(guess) - seen).abs().max() < 0.3
    jaw = ARKIT.index("jawOpen")
    assert (guess[:, jaw] - wanted[:, jaw]).abs().max() < 0.05


def test_displacements_of_some_vertices_are_those_of_all():
    face, _ = face_of("maya")
    weights, places = torch.rand(3, 4, 52), torch.tensor(face_points("maya").mouth)
    every = face(weights) - face.neutral
    torch.testing.assert_close(face.moved(weights), every)
    torch.testing.assert_close(face.moved(weights, places), every[..., places, :])


def test_no_checkpoint_holds_the_face():
    assert not face_of("maya")[0].state_dict()


def test_regions_are_where_they_are_called():
    points = face_points("maya")
    assert 300 < len(points.vertices) < 500
    assert np.array_equal(points.vertices[points.landmarks], ibug.VERTICES)
    middle = {name: points.neutral[places].mean(axis=0) for name, places in points.regions.items()}
    assert set(middle) == set(REGIONS)
    assert middle["brows"][1] > middle["lids"][1] > middle["lips"][1] > points.neutral[points.landmarks[8], 1]
    for name, places in points.regions.items():
        assert abs(middle[name][0]) < 0.006, f"{name} leans to one side"
        assert COUNTS[name] <= len(places) <= COUNTS[name] + 40
    # lips: what a closed mouth and an open jaw move most, left and right corner among them
    lips = points.neutral[points.regions["lips"]]
    person = load_avatar("maya")
    corner = abs(person.vertices[person.landmarks["mouth_corner_left"], 0])
    assert np.ptp(lips[:, 0]) > 1.6 * corner
    assert set(points.upper) == {*points.regions["brows"], *points.regions["lids"]}


def test_a_person_without_the_shared_head_is_refused():
    import dataclasses

    from kinesics.errors import DataError

    person = load_avatar("maya")
    with pytest.raises(DataError, match="no points"):
        face_points(dataclasses.replace(person, morph_names=tuple(f"x{n}" for n in person.morph_names)))
