"""Gaze, speech and turns between people who are placed and timed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Audio, Camera, Face, Interval, Performance, Scene, Signal, Tier
from kinesics.see.together import relate
from kinesics.seeds import rng
from kinesics.stage import conversation

FPS, FOCAL = 30, 1200.0
CAMERA = Camera(np.zeros(3), np.array([1.0, 0, 0, 0]), FOCAL, 1280, 720)
PLACES = {
    "ann": np.array([-0.6, 0.05, -2.2]),
    "bob": np.array([0.6, 0.0, -2.4]),
    "cat": np.array([0.0, 0.1, -3.2]),
}


def towards(name: str, target: str | None) -> np.ndarray:
    """Yaw and pitch of a gaze, degrees: to somebody, the camera, or far off to the side and down."""
    to = {
        None: PLACES[name] + np.array([-0.3 * np.sign(PLACES[name][0] + 0.1), -1.0, 0.8]),
        "camera": np.zeros(3),
        **PLACES,
    }[target]
    way = to - PLACES[name]
    way = way / np.linalg.norm(way)
    return np.degrees([np.arctan2(way[0], way[2]), np.arcsin(way[1])])


def person(
    name: str,
    looks: list[tuple[float, str | None]],
    *,
    track: str = "gaze",
    sure: float = 1.0,
    seconds: float = 8.0,
):
    """Somebody whose box is where they are and whose gaze goes where it is told, from second to second."""
    count = round(seconds * FPS)
    x, y, z = PLACES[name]
    width = FOCAL * 0.16 / -z
    box = np.tile(
        [640 + FOCAL * x / -z - width / 2, 360 - FOCAL * y / -z - width / 2, width, width], (count, 1)
    )
    gaze = np.zeros((count, 2))
    for start, target in looks:
        gaze[round(start * FPS) :] = towards(name, target)
    gaze += rng(0, name).normal(0, 1.0, gaze.shape)
    return Performance(
        {
            "face_box": Signal(box, ("x", "y", "width", "height"), ("px",) * 4, FPS),
            track: Signal(
                gaze, ("yaw", "pitch"), ("degrees",) * 2, FPS, confidence=np.full(gaze.shape, sure)
            ),
        }
    )


def spans(tier: Tier, label: str) -> list[tuple[float, float]]:
    return [(round(i.start, 1), round(i.end, 1)) for i in tier if i.label == label]


def test_who_looks_at_whom_and_when_they_share_it():
    people = {
        "ann": person("ann", [(0, "bob"), (4, "camera"), (6, None)]),
        "bob": person("bob", [(0, None), (2, "ann"), (5, "cat")]),
        "cat": person("cat", [(0, "ann")]),
    }
    done = relate(Scene(people), camera=CAMERA)
    ann, bob, cat = (done.people[n] for n in ("ann", "bob", "cat"))
    assert spans(ann.tier("looks_at"), "bob") == [(0.0, 4.0)]
    assert spans(ann.tier("looks_at"), "camera") == [(4.0, 6.0)]
    assert spans(bob.tier("looks_at"), "ann") == [(2.0, 5.0)]
    assert spans(cat.tier("looks_at"), "ann") == [(0.0, 8.0)]
    assert spans(ann.tier("mutual_gaze"), "bob") == [(2.0, 4.0)] == spans(bob.tier("mutual_gaze"), "ann")
    assert len(cat.tier("mutual_gaze")) == 0
    assert set(done.relations) >= {
        ("ann", "looks at", "bob"),
        ("cat", "looks at", "ann"),
        ("bob", "shares gaze with", "ann"),
    }
    assert ("ann", "looks at", "cat") not in done.relations


def test_a_head_alone_is_surer_of_less():
    eyes = relate(
        Scene({"ann": person("ann", [(0, "bob")]), "bob": person("bob", [(0, None)])}), camera=CAMERA
    )
    heads = relate(
        Scene(
            {
                "ann": person("ann", [(0, "bob")], track="head"),
                "bob": person("bob", [(0, None)], track="head"),
            }
        ),
        camera=CAMERA,
    )
    (a,), (b,) = (s.people["ann"].tier("looks_at") for s in (eyes, heads))
    assert a.label == b.label == "bob"
    assert b.confidence < a.confidence


def test_a_gaze_that_is_not_sure_is_unknown():
    done = relate(
        Scene({"ann": person("ann", [(0, "bob")], sure=0.3), "bob": person("bob", [(0, None)])}),
        camera=CAMERA,
    )
    assert done.people["ann"].tier("looks_at").labels == ("unknown",)
    assert done.relations == ()


def test_people_in_one_world_look_at_each_other(take_of):
    from kinesics import perform
    from kinesics.geometry import rotations as rot
    from kinesics.performance import Motion

    body = perform("Hello, how are you today?", seed=1, progress=False).body

    def turned(degrees: float, x: float) -> Performance:
        turn = rot.from_axis_angle(np.array([0.0, 1, 0]), np.radians(degrees)).astype(np.float32)
        rotations = body.rotations.copy()
        rotations[:, 0] = rot.multiply(turn, rotations[:, 0])
        return Performance(
            {"body": Motion(body.skeleton, rotations, body.root + np.array([x, 0, 0], np.float32), 60)}
        )

    facing = relate(Scene({"a": turned(90, -0.8), "b": turned(-90, 0.8)}))
    apart = relate(Scene({"a": turned(-90, -0.8), "b": turned(90, 0.8)}))
    length = sum(i.duration for i in facing.people["a"].tier("mutual_gaze") if i.label == "b")
    assert length > 0.5 * body.duration
    assert len(apart.people["a"].tier("looks_at")) == 0


def test_a_picture_of_unknown_size_is_refused_with_what_to_do():
    with pytest.raises(DataError, match="camera="):
        relate(Scene({"ann": person("ann", [(0, None)]), "bob": person("bob", [(0, None)])}))


# ---- speech


@pytest.fixture(scope="module")
def talk():
    return conversation(11, 0, turns=4)


def faces(scene: Scene) -> dict[str, Performance]:
    return {n: Performance({"face": p.face}) for n, p in scene.people.items()}


def right(done: Scene, truth: Scene) -> float:
    """Share of the frames in which what is told of somebody is so."""
    t = np.arange(round(truth.duration * 30)) / 30
    same = []
    for n, p in truth.people.items():
        told = [i for i in done.people[n].tier("speaking") if i.label == "speaking"]
        a, b = (
            np.any([(t >= i.start) & (t < i.end) for i in x] or [t < 0], axis=0)
            for x in (p.tier("speaking"), told)
        )
        same.append((a == b).mean())
    return float(np.mean(same))


def test_who_speaks_is_found_by_sound_and_lips_and_turns_follow(talk):
    done = relate(Scene(faces(talk), shared={"speech": talk.shared["speech"]}))
    assert right(done, talk) > 0.9
    first, second = talk.people
    assert done.shared["turns"].labels == (first, second, first, second)
    gaps = [i.value for i in done.shared["turns"]]
    assert gaps[0] is None
    assert all(-1.0 < g < 1.3 for g in gaps[1:])


def test_without_sound_lips_alone_are_less_sure(talk):
    heard = relate(Scene(faces(talk), shared={"speech": talk.shared["speech"]}))
    mute = relate(Scene(faces(talk)))
    assert right(mute, talk) > 0.85
    best = [max(i.confidence for p in s.people.values() for i in p.tier("speaking")) for s in (heard, mute)]
    assert best[1] <= 0.7 < best[0]


def test_a_mouth_that_moves_in_silence_does_not_speak(talk):
    quiet = Audio(rng(0, "hiss").normal(0, 1e-4, len(talk.shared["speech"])), talk.shared["speech"].fps)
    silent = Tier("speech spans")
    done = relate(Scene(faces(talk), shared={"speech": quiet, "speech spans": silent}))
    assert all(len(p.tier("speaking")) == 0 for p in done.people.values())


def test_nods_while_another_speaks_are_back_channels(talk):
    first, second = talk.people
    turn = talk.people[first].tier("speaking")[0]
    nods = Tier("head_events", (Interval(turn.start + 0.5, turn.start + 1.0, "nod", 8.0),))
    people = {n: p.with_tracks(head_events=nods) for n, p in faces(talk).items()}
    done = relate(Scene(people, shared={"speech": talk.shared["speech"]}))
    assert done.people[second].tier("backchannels").labels == ("nod",)
    assert len(done.people[first].tier("backchannels")) == 0


def test_a_scene_without_faces_or_people_is_left_as_it_is():
    assert dict(relate(Scene()).people) == {}
    alone = relate(Scene({"a": Performance({"words": Tier("words", (Interval(0, 1, "hi"),))})}))
    assert set(alone.people["a"]) == {"words"}


def test_two_mouths_at_once_overlap():
    t = np.arange(240) / 30
    values = np.zeros((240, len(ARKIT)), np.float32)
    values[:, ARKIT.index("jawOpen")] = 0.25 * (1 + np.sin(2 * np.pi * 4 * t)) * ((t > 2) & (t < 6))
    face = Face(values, ARKIT, 30)
    done = relate(Scene({"a": Performance({"face": face}), "b": Performance({"face": face})}))
    (both,) = done.shared["overlaps"]
    assert both.label == "a + b"
    assert (both.start, both.end) == pytest.approx((2, 6), abs=0.5)
