"""The whole way: text or speech in, a performance and its files out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kinesics as kn
from kinesics.behaviour.performer import Performer
from kinesics.bodies.humanoid import INDEX
from kinesics.geometry.rotations import angle

SPEECH = Path(__file__).parent / "data/speech"
TEXT = "We caught a fish this big, honestly. Would you believe it? No, probably not!"


@pytest.fixture(scope="module")
def show() -> kn.Performance:
    return kn.perform(TEXT, emotion="happy", seed=3)


@pytest.fixture(scope="module")
def heard() -> kn.Performance:
    return kn.perform(
        audio=f"{SPEECH}.flac", transcript=SPEECH.with_suffix(".txt").read_text(encoding="utf-8")
    )


def feet_speed(show: kn.Performance) -> np.ndarray:
    feet = show.body.positions()[:, [INDEX["leftFoot"], INDEX["rightFoot"]]]
    return np.linalg.norm(np.diff(feet, axis=0), axis=-1) * 60


def test_one_call_gives_every_track(show: kn.Performance) -> None:
    assert {"speech", "words", "phones", "body", "face", "plan", "gestures"} <= set(show)
    assert show.body.duration == pytest.approx(show.speech.duration, abs=1 / 60)
    assert len(show.body) == len(show.face)
    assert show.tier("words").labels[:4] == ("We", "caught", "a", "fish")


def test_the_same_seed_gives_the_same_bytes(show: kn.Performance, tmp_path: Path) -> None:
    again = kn.perform(TEXT, emotion="happy", seed=3)
    names = [tmp_path / f"x.{e}" for e in ("glb", "bvh", "bml", "kin")]
    show.save(*names)
    first = [n.read_bytes() for n in names]
    again.save(*names)
    assert [n.read_bytes() for n in names] == first


def test_another_seed_moves_otherwise(show: kn.Performance) -> None:
    other = kn.perform(TEXT, emotion="happy", seed=4)
    assert show.body.difference(other.body) > 0.1


def test_calm_has_no_strokes_but_is_alive() -> None:
    calm = kn.perform(TEXT, intensity=0.0)
    assert len(calm.plan.of("gesture", "pointing")) == 0
    assert np.ptp(calm.body.rotations, axis=0).max() > 0.01
    assert calm.face.column("jawOpen").max() > 0.1


def test_strokes_meet_stressed_words(show: kn.Performance) -> None:
    syllables = show.tier("syllables")
    nuclei = np.array([s.middle for s in syllables])
    times = show.plan.times(anchors=None)
    strokes = [times[b.id]["stroke"] for b in show.plan.of("gesture") if "stroke" in times[b.id]]
    assert strokes
    gaps = [np.abs(nuclei - t).min() for t in strokes]
    assert np.median(gaps) < 0.15


def test_feet_stay(show: kn.Performance) -> None:
    assert feet_speed(show).max() < 0.03


def test_no_joint_snaps(heard: kn.Performance) -> None:
    rotations = heard.body.rotations[:, :23].astype(np.float64)  # all but eyes and fingers
    speed = angle(rotations[:-1], rotations[1:]) * 60
    assert speed.max() < 13
    assert np.abs(np.diff(speed, axis=0)).max() < 6  # rad/s from one frame to the next


def test_a_far_reach_does_not_snap_the_elbow() -> None:
    behaviours = tuple(
        kn.Behaviour(
            f"p{i}",
            "pointing",
            {"stroke": str(1.0 + 1.5 * i)},
            {"target": target, "mode": "RIGHT_HAND", "amount": "1.4"},
        )
        for i, target in enumerate(("-60,30", "-20,-20", "-40,40"))
    )
    show = kn.perform(TEXT, plan=kn.Plan(behaviours), intensity=1.0, seed=2)
    elbow = show.body.joint("rightLowerArm").astype(np.float64)
    speed = angle(elbow[:-1], elbow[1:]) * 60
    assert np.abs(np.diff(speed)).max() < 4


def test_recorded_speech_keeps_its_clock(heard: kn.Performance) -> None:
    assert heard.body.duration == pytest.approx(heard.speech.duration, abs=1 / 60)
    phones = [p for p in heard.tier("phones") if p.label in ("P", "B", "M")]
    assert phones
    closed = heard.face.column("mouthClose") + 0.02 >= heard.face.column("jawOpen") * 0.9
    for p in phones:
        frames = slice(int(p.start * 60), int(p.end * 60) + 1)
        assert closed[frames].any(), p


def test_a_saved_plan_performs_the_same(show: kn.Performance, tmp_path: Path) -> None:
    show.save(tmp_path / "plan.bml")
    plan = kn.load(tmp_path / "plan.bml").plan
    again = kn.perform(plan=plan, emotion="happy", seed=3)
    assert again.tier("words").labels == show.tier("words").labels
    lexemes = [b.attributes["lexeme"] for b in show.plan.of("gesture")]
    assert [b.attributes["lexeme"] for b in again.plan.of("gesture")] == lexemes


def test_an_edited_gesture_is_performed(show: kn.Performance) -> None:
    gesture = kn.Behaviour("mine", "gesture", {"stroke": "1.6"}, {"lexeme": "WAVE", "mode": "LEFT_HAND"})
    again = kn.perform(TEXT, plan=kn.Plan((gesture,)), seed=3)
    feedback = {f.id: f for f in again.plan.feedback}
    assert feedback["mine"].status in ("realised", "shifted")
    labels = [i.label for i in again.tier("gestures") if i.start <= 1.6 < i.end]
    assert any("WAVE" in label for label in labels)


def test_a_plan_without_speech_is_performed_in_silence(tmp_path: Path) -> None:
    form = {"poses": "flat palm:forward fingers:up @ shoulders ipsi mid", "hold": "0.5"}
    plan = kn.Plan(
        (
            kn.Behaviour("mine", "gesture", {"stroke": "1.5"}, form),
            kn.Behaviour("nod", "head", {"start": "mine:stroke + 1"}, {"lexeme": "NOD"}),
        )
    )
    made = kn.perform(plan=plan, progress=False)
    assert {f.status for f in made.plan.feedback if f.id in ("mine", "nod")} == {"realised"}
    assert 2.5 < made.duration < 6
    assert "speech" not in made
    made.save(tmp_path / "x.glb")
    assert kn.load(tmp_path / "x.glb").plan["mine"].attributes["poses"] == form["poses"]
    # What is said with a form of one's own beside it is performed with it.
    spoken = kn.perform("Hello there!", plan=plan, progress=False)
    assert {f.id: f.status for f in spoken.plan.feedback}["mine"] in ("realised", "shifted")


def test_unknown_behaviours_are_reported() -> None:
    plan = kn.Plan(
        (
            kn.Behaviour("x", "juggle", {"start": "0.5"}),
            kn.Behaviour("l", "lips", {"start": "0.6"}, {"viseme": "PP"}),
            kn.Behaviour("y", "gesture", {"stroke": "0.5"}, {"lexeme": "NOSUCH"}),
        )
    )
    feedback = {f.id: f for f in kn.perform("Hello there.", plan=plan).plan.feedback}
    assert feedback["x"].status == "unknown"
    assert feedback["l"].status == "unknown"
    assert feedback["y"].status in ("unknown", "dropped")
    assert "NOSUCH" in feedback["y"].reason


def test_a_cycle_is_refused() -> None:
    a = kn.Behaviour("a", "gesture", {"stroke": "b:stroke"}, {"lexeme": "WAVE"})
    b = kn.Behaviour("b", "gesture", {"stroke": "a:stroke"}, {"lexeme": "WAVE"})
    with pytest.raises(kn.PlanError, match="cycle"):
        kn.perform("Hello there.", plan=kn.Plan((a, b)))


def test_how_many_steps_at_once_does_not_matter(heard: kn.Performance) -> None:
    avatar = kn.load_avatar("maya")
    bare = kn.Performance({n: heard[n] for n in heard if n not in ("body", "face", "plan", "gestures")})
    whole = Performer(avatar).run(bare)
    pieces = Performer(avatar)
    blocks = []
    now = 0.0
    for step in (0.1, 0.7, 0.3, 1.9, 0.1, 2.5):
        now = round(now + step, 1)
        blocks.append(pieces.advance(bare, until=now))
    joined = blocks[0]
    for block in blocks[1:]:
        joined = joined.join(block, at=0.0)
    n = len(joined.body)
    assert n == 336
    np.testing.assert_array_equal(joined.body.rotations, whole.body.rotations[:n])
    np.testing.assert_array_equal(joined.face.values, whole.face.values[:n])


@pytest.mark.parametrize(
    ("text", "match"), [("", "nothing to say"), ("   ", "nothing to say"), ("...", "nothing to say")]
)
def test_nothing_to_say(text: str, match: str) -> None:
    with pytest.raises(kn.DataError, match=match):
        kn.perform(text)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt"])
def test_languages(language: str) -> None:
    text = {"en": "Hello, my friend.", "de": "Guten Tag, Freunde.", "fr": "Bonjour, mon ami.", "es": "Hola, amigo mío.",
            "it": "Ciao, amico mio.", "pt": "Olá, meu amigo."}[language]  # fmt: skip
    show = kn.perform(text, language=language)
    assert len(show.tier("words")) == 3
    assert show.face.column("jawOpen").max() > 0.1


def test_the_voice_suits_the_avatar() -> None:
    heights = {}
    for avatar in kn.avatars():
        f0 = kn.perform("Hello, how are you?", avatar=avatar)["f0"].values[:, 0]
        heights[avatar] = np.median(f0[f0 > 0])
    assert heights["maya"] > 1.4 * heights["theo"]


def test_silence_is_performed_alive() -> None:
    show = kn.perform(audio=kn.Audio(np.zeros(32000), 16000), transcript="")
    assert show.duration == pytest.approx(2.0)
    assert show.face.column("jawOpen").max() < 0.1


def cli(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kinesics", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )


def test_the_command_line(tmp_path: Path) -> None:
    done = cli("perform", "Hello!", "-o", "a.glb", "-o", "b.bvh", "-o", "p.bml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"a.glb", "b.bvh", "p.bml"}
    assert "gesture strokes" in done.stdout


def test_the_command_line_takes_any_file_with_a_plan(tmp_path: Path) -> None:
    limbs = {f"{s} {j}": ["Place", "Low"] for s in ("left", "right") for j in ("elbow", "wrist")}
    frames = {"Position0": limbs | {"start time": ["1"]}, "Position1": limbs | {"start time": ["900"]}}
    frames["Position1"] |= {"right elbow": ["Right", "Normal"], "right wrist": ["Place", "High"]}
    (tmp_path / "up.laban.json").write_text(json.dumps({"up": frames}))
    done = cli("perform", "--plan", "up.laban.json", "-o", "up.glb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "up.glb").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Hello", "-o", "x.docx"], "choose one of"),
        (["Hello", "-o", "x.glb", "-o", "x.glb"], "x.glb"),
        (["Hello", "-o", "x.glb", "--avatar", "nobody"], "maya"),
        (["Hello", "-o", "x.glb", "--intensity", "2"], "intensity"),
        (["Hello"], "-o"),
        (["-o", "x.glb"], "nothing to say"),
        (["--audio", "none.wav", "-o", "x.glb"], "none.wav"),
        (["Hello", "-o", "x.glb", "--voice", "klingonese"], "voice"),
        (["Hello", "-o", "x.glb", "--plan", "none.bml"], "none.bml"),
    ],
)
def test_user_errors_are_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = cli("perform", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_sound(tmp_path: Path) -> None:
    (tmp_path / "talk.wav").write_bytes(b"RIFF this is no sound at all")
    done = cli("perform", "--audio", "talk.wav", "-o", "x.glb", cwd=tmp_path)
    assert done.returncode == 2
    assert "talk.wav" in done.stderr
