"""Clips do what their words say, with the parts of the body that they name; corpora come out the same."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import kinesics
from kinesics import formats
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.stage import actions
from kinesics.stage._action_feet import _solved
from kinesics.stage._action_library import ANKLES, ATTRIBUTION, forward, heading, library, soles
from kinesics.stage._action_text import Telling, sentence
from kinesics.stage._action_words import PARTS, gerund, opposite, third
from kinesics.stage._action_words import actions as vocabulary
from scripts import build_actions

SEED = 5


def world(clip):
    return clip.body.skeleton.forward(clip.body.rotations.astype(float), clip.body.root.astype(float))


def during(clip, label):
    """Frames in which an action is done."""
    found = next(i for i in clip.tier("actions") if i.label == label)
    rate = float(clip.body.fps)
    return slice(round(found.start * rate), round(found.end * rate))


def turned(clip, frames):
    """Degrees by which the person turns to the left in these frames."""
    yaw = heading(world(clip)[1])[frames]
    return np.degrees(yaw[-1] - yaw[0])


def slips(clip):
    """Speed over the floor of every sole point that stands, m/s."""
    places, turns = world(clip)
    points = soles(clip.body.skeleton, places[:, ANKLES], turns[:, ANKLES])
    speed = np.linalg.norm(np.gradient(points, 1 / 60, axis=0)[..., [0, 2]], axis=-1)
    return speed[clip["contacts"].values > 0.8]


# Words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "third_person", "ing"),
    [
        ("*walk forward", "walks forward", "walking forward"),
        ("*squat down and *rise", "squats down and rises", "squatting down and rising"),
        ("*run up and *kick a ball", "runs up and kicks a ball", "running up and kicking a ball"),
        ("*wave the left hand", "waves the left hand", "waving the left hand"),
        ("*do jumping jacks", "does jumping jacks", "doing jumping jacks"),
        ("*push the air", "pushes the air", "pushing the air"),
        ("*nod", "nods", "nodding"),
        ("*hurry forward", "hurries forward", "hurrying forward"),
        ("*stay seated", "stays seated", "staying seated"),
    ],
)
def test_verbs_are_inflected(phrase, third_person, ing):
    assert third(phrase) == third_person
    assert gerund(phrase) == ing


def test_sentences_keep_the_order_of_events():
    tellings = [Telling(["*sit down"]), Telling(["*jump up"])]
    for k in range(60):
        text = sentence(tellings, np.random.default_rng(k)).lower()
        first, second = text.find("sit"), text.find("jump")
        assert min(first, second) >= 0
        if first < second:
            assert any(w in text for w in ("then", "before", "after ", "afterwards", "after that")), text
            assert not text.startswith("before"), text
        else:
            assert text.startswith("before") or " after sitting" in text, text


def test_every_action_has_words_parts_and_a_source():
    known = vocabulary()
    assert len(known) > 100
    for name, a in known.items():
        assert 0 < len(a.parts) == len(set(a.parts) & set(PARTS)), name
        assert all("*" in p and "{" not in p for p in a.phrases), name
        if a.source:
            assert a.source in library(), name
        assert opposite(opposite(name)) == name
        assert opposite(name) in known, name


# Truth ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def waving():
    return actions.act([["walk", "wave right"], "jump up"], seed=SEED)


def test_who_waves_while_walking_walks_and_waves(waving):
    places, _ = world(waving)
    walk, wave = during(waving, "walk forward"), during(waving, "wave with the right hand")
    way = waving.body.root[walk]
    assert np.linalg.norm((way[-1] - way[0])[[0, 2]]) > 1.5
    middle = slice(wave.start + (wave.stop - wave.start) // 3, wave.stop - (wave.stop - wave.start) // 3)
    hand, elbow = places[middle, INDEX["rightHand"]], places[middle, INDEX["rightLowerArm"]]
    assert (hand[:, 1] > elbow[:, 1]).all()
    sway = hand - places[middle, INDEX["rightUpperArm"]]
    assert np.ptp(sway, axis=0).max() > 0.04
    left = places[middle, INDEX["leftHand"], 1]
    assert (left < places[middle, INDEX["leftLowerArm"], 1]).all()


def test_parts_say_who_does_what(waving):
    said = {p: waving.tier(p).labels for p in PARTS}
    assert said["right arm"] == ("wave with the right hand", "jump up")
    assert said["left arm"] == said["torso"] == ("jump up",)
    assert said["left leg"] == said["right leg"] == said["global"] == ("walk forward", "jump up")
    assert waving.meta["actions"]["parts"]["right arm"] == ["wave with the right hand", "jump up"]


def test_events_are_told_in_order(waving):
    about = waving.meta["actions"]
    assert [e["actions"] for e in about["events"]] == [["walk", "wave right"], ["jump up"]]
    assert all(a["start"] <= b["start"] for a, b in pairwise(about["events"]))
    assert about["events"][0]["parts"] == [[1, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0]]
    assert about["kind"] == "then while"
    assert len(about["captions"]) == len(set(about["captions"])) == 4
    assert "acknowledgement" in waving.meta["sources"]
    assert waving.meta["sources"]["acknowledgement"] == ATTRIBUTION


def test_who_jumps_leaves_the_floor(waving):
    places, turns = world(waving)
    low = soles(waving.body.skeleton, places[:, ANKLES], turns[:, ANKLES])[..., 1].min(axis=1)
    jump = during(waving, "jump up")
    assert low[jump].max() > 0.1
    assert low.min() > -0.01
    assert low[during(waving, "walk forward")].max() < 0.02


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("turn left", 75, 105), ("turn right", -105, -75), ("turn around left", 155, 205),
     ("turn slightly right", -60, -30), ("walk in a curve left", 50, 110), ("spin right", -800, -600)],
)  # fmt: skip
def test_turns_go_where_they_say(name, least, most):
    clip = actions.act([name], seed=SEED)
    assert least < turned(clip, slice(None)) < most


@pytest.mark.parametrize(
    ("name", "side"), [("look left", 1), ("look right", -1), ("turn the upper body left", 1)]
)
def test_heads_and_trunks_turn_to_the_side_they_say(name, side):
    clip = actions.act([name], seed=SEED)
    _, turns = world(clip)
    way = rot.rotate(turns[:, INDEX["head" if "look" in name else "upperChest"]], [0.0, 0, 1])
    assert (side * np.degrees(np.arctan2(way[:, 0], way[:, 2]))).max() > 20
    assert clip.tier("left leg").labels == ()


@pytest.mark.parametrize(("name", "axis", "sign"), [
    ("walk backward", 2, -1), ("sidestep left", 0, 1), ("sidestep right", 0, -1), ("run", 2, 1), ("jump forward", 2, 1),
])  # fmt: skip
def test_who_travels_goes_where_they_say(name, axis, sign):
    way = actions.act([name], seed=SEED).body.root
    moved = way[-1] - way[0]
    assert sign * moved[axis] > 0.8
    assert abs(moved[2 - axis]) < 0.35 * abs(moved[axis])


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_named_limb_moves_most(side):
    other = "right" if side == "left" else "left"
    for name, limb in (("kick", "Foot"), ("drink", "Hand"), ("salute", "Hand"), ("raise the arm", "Hand")):
        places, _ = world(actions.act([f"{name} {side}"], seed=SEED))
        top = {s: places[:, INDEX[s + limb], 1].max() for s in (side, other)}
        assert top[side] > top[other] + 0.1, name


def test_mirrored_takes_swap_left_and_right():
    clips = library()
    assert {a for a in clips if "left" in a} == {opposite(a) for a in clips if "right" in a}
    left, right = clips["kick left"][0], clips["kick right"][0]
    swapped = left.mirrored()
    assert swapped.action == "kick right"
    assert np.array_equal(swapped.rotations, right.rotations)
    assert np.array_equal(swapped.contacts, right.contacts)


def test_the_library_is_what_its_script_makes(shared_data, tmp_path):
    takes = shared_data("free-cmu_mocap_bvh") / "bvh30"
    build_actions.main([takes], tmp_path / "actions.npz")
    with np.load(tmp_path / "actions.npz") as made, np.load(build_actions.PATH) as shipped:
        assert made["about"].tobytes() == shipped["about"].tobytes()
        assert np.abs(made["root"].astype(int) - shipped["root"]).max() <= 2
    assert build_actions.PATH.stat().st_size < 1_500_000


def test_excerpts_are_what_was_captured(shared_data):
    """At the middle of a take done once, joints are where the retargeted file has them."""
    take = retarget(formats.load(shared_data("free-cmu_mocap_bvh") / "bvh30/13_39.bvh").body)
    places = take.positions()[:, :22] - take.root[:, None]
    clip = next(c for c in library()["jump up"] if c.take == "13_39")
    ours = forward(take.skeleton, clip.rotations, np.zeros((len(clip.root), 3)))[0]
    span = np.linalg.norm(ours[:, 8] - ours[:, 15], axis=1)
    theirs = np.linalg.norm(places[:, 8] - places[:, 15], axis=1)
    off = [np.abs(theirs[k : k + len(span)] - span).max() for k in range(len(theirs) - len(span) + 1)]
    assert min(off) < 0.02


def test_cycles_go_on_without_a_step():
    for clips in library().values():
        for clip in clips:
            if clip.loop:
                seconds = np.array([clip.seconds - 1e-6, clip.seconds + 1e-6])
                rotations, root, _ = clip.at(seconds)
                assert np.degrees(rot.angle(*rotations)).max() < 0.2
                assert np.linalg.norm(root[1] - root[0]) < 1e-3


# Motion --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [
    ["walk", "walk backward"], ["turn around left", "walk in a curve right"], [["walk", "drink left"], "squat"],
    ["kick right", "run", "wave both"], [["sidestep left", "nod"], "sit down and stand up"],
])  # fmt: skip
def test_feet_stand_still_and_seams_are_smooth(script):
    clip = actions.act(script, seed=SEED)
    slip = slips(clip)
    assert slip.mean() < 0.03
    assert np.percentile(slip, 95) < 0.12
    places, turns = world(clip)
    assert soles(clip.body.skeleton, places[:, ANKLES], turns[:, ANKLES])[..., 1].min() > -0.01
    jerk = np.linalg.norm(np.diff(places[:, :22], n=3, axis=0), axis=-1).mean(axis=1) * 60**3
    seam = np.zeros(len(jerk), bool)
    for start, end in clip.meta["blends"]:
        seam[round(start * 60) : round(end * 60)] = True
    # Nothing pops where motions meet: not more than while a person runs or kicks.
    assert np.percentile(jerk[seam], 90) < 1000
    assert np.degrees(rot.angle(clip.body.rotations[1:], clip.body.rotations[:-1])).max() < 25


def test_what_is_laid_over_ends_with_its_label():
    plain, busy = (actions.act([e], seed=SEED) for e in ("walk", ["walk", "wave right"]))
    label = busy.tier("right arm")[0]
    assert 0.1 < label.start < label.end < busy.duration - 0.1
    places, _ = world(busy)
    before, after = int((label.start - 0.02) * 60), int((label.end + 0.02) * 60)
    for frame in (before, after):
        assert places[frame, INDEX["rightHand"], 1] < places[frame, INDEX["rightUpperArm"], 1]
    assert plain.tier("right arm").labels == ()


def test_bands_are_solved():
    draw = np.random.default_rng(0)
    full = np.zeros((9, 9))
    main, near, far = draw.uniform(6, 8, 9), draw.uniform(-1, 1, 9), draw.uniform(-1, 1, 9)
    near[-1] = far[-2:] = 0
    full += np.diag(main) + np.diag(near[:-1], 1) + np.diag(near[:-1], -1)
    full += np.diag(far[:-2], 2) + np.diag(far[:-2], -2)
    right = draw.normal(size=(9, 2))
    assert np.allclose(_solved(main, near, far, right), np.linalg.solve(full, right))


def test_clips_become_humanml3d(tmp_path, waving):
    formats.save(waving, tmp_path / "clip.humanml3d.npy")
    again = formats.load(tmp_path / "clip.humanml3d.npy")
    assert again.body.fps == 20
    assert abs(again.duration - waving.duration) < 0.11


# Scripts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("script", "why"), [
    ([], "expected 1"), (["fly"], "choose one of"), ([["walk", "run"]], "cannot be done beside"),
    ([["wave right", "salute right"]], "right arm"), ([["squat", "wave left"]], "nothing can be done while"),
    ([["wave left", "punch right"]], "what the legs do first"), (["walk, sadly"], "slowly"), ([[]], "names no action"),
    (["run, slowly"], "cannot be done slowly"),
])  # fmt: skip
def test_what_cannot_be_done_is_told(script, why):
    with pytest.raises(DataError, match=why):
        actions.act(script)


def test_slow_takes_longer_and_is_said():
    slow, quick = (actions.act([f"squat, {tempo}"], seed=SEED) for tempo in ("slowly", "quickly"))
    assert slow.tier("actions")[0].duration > 1.5 * quick.tier("actions")[0].duration
    assert all("slowly" in text for text in slow.meta["actions"]["captions"])
    assert slow.tier("actions").labels == ("squat slowly",)


def test_rates_and_avatars():
    clip = actions.act(["walk"], seed=SEED, fps=20, avatar="theo")
    assert clip.body.fps == clip.face.fps == clip["contacts"].fps == 20
    assert clip.meta["avatar"] == "theo"


# Corpora -------------------------------------------------------------------------------------------------------

COUNT = 10


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("actions")
    actions.make_actions(folder, COUNT, SEED, workers=1, progress=False)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_corpus_lists_its_clips(corpus):
    rows = [json.loads(line) for line in (corpus / "clips.jsonl").read_text().splitlines()]
    assert [r["id"] for r in rows] == [f"{k:06d}" for k in range(COUNT)]
    listed = {i for s in actions.SPLITS for i in (corpus / "splits" / f"{s}.txt").read_text().split()}
    assert listed == {r["id"] for r in rows}
    for row in rows:
        clip = formats.load(corpus / row["path"])
        assert row["captions"] == clip.meta["actions"]["captions"]
        assert abs(clip.body.duration - row["seconds"]) < 1e-3
        assert {label for _, _, label in row["actions"]} == set(clip.tier("actions").labels)


def test_any_number_of_workers_makes_the_same(corpus, tmp_path):
    actions.make_actions(tmp_path, COUNT, SEED, workers=2, progress=False)
    assert contents(tmp_path) == contents(corpus)


def test_a_longer_corpus_keeps_its_clips(corpus, tmp_path):
    actions.make_actions(tmp_path, 3, SEED, workers=1, progress=False)
    first = (tmp_path / "clips/000001.kin").stat().st_mtime_ns
    actions.make_actions(tmp_path, COUNT, SEED, workers=1, progress=False)
    assert (tmp_path / "clips/000001.kin").stat().st_mtime_ns == first
    assert contents(tmp_path) == contents(corpus)


def test_a_killed_run_is_completed(corpus, tmp_path):
    code = (
        "import os; from kinesics.stage import actions as a; save = a._save\n"
        "def killed(folder, k, seed, options):\n"
        "    if k == 4: os.kill(os.getpid(), 9)\n"
        "    return save(folder, k, seed, options)\n"
        f"a._save = killed; a.make_actions({str(tmp_path)!r}, {COUNT}, {SEED}, workers=1, progress=False)"
    )
    source = str(Path(kinesics.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source, "PATH": ""}, check=False)
    assert done.returncode == -9
    assert not (tmp_path / "corpus.json").exists()
    assert len(list((tmp_path / "clips").glob("*.kin"))) == 4
    cut = tmp_path / "clips/000002.kin"
    cut.write_bytes(cut.read_bytes()[:5000])
    actions.make_actions(tmp_path, COUNT, SEED, workers=1, progress=False)
    assert contents(tmp_path) == contents(corpus)


def test_another_corpus_is_not_overwritten(corpus, tmp_path):
    before = contents(corpus)
    with pytest.raises(DataError, match="differs in: seed"):
        actions.make_actions(corpus, COUNT, SEED + 1, progress=False)
    with pytest.raises(DataError, match="options"):
        actions.make_actions(corpus, COUNT, SEED, options=actions.Options(fps=20), progress=False)
    assert contents(corpus) == before
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        actions.make_actions(tmp_path, 1, progress=False)


@pytest.mark.parametrize("options", [
    {"fps": 0}, {"captions": 0}, {"events": 1}, {"avatars": ()}, {"kinds": {"single": 0.0}}, {"kinds": {"all": 1.0}},
    {"facing": 999},
])  # fmt: skip
def test_options_out_of_range_are_refused(options):
    with pytest.raises(DataError):
        actions.Options(**options)


def test_combinations_of_the_test_split_are_not_trained_on():
    splits: dict[str, set[str]] = {}
    for k in range(400):
        draw = actions.seeds.rng(SEED, "actions", k, 0)
        events = actions._invent(draw, actions.Options())
        if actions._kind(events) == "while":
            names = json.dumps(sorted(actions._sideless(a.name) for a in events[0].actions))
            splits.setdefault(names, set()).add(actions._split(events, SEED, k))
    assert all(len(s) == 1 for s in splits.values())
    assert len(set().union(*splits.values())) == 3
