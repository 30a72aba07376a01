"""Metrics by name over performances, files and folders; the registry; scores."""

from __future__ import annotations

import json
from importlib import import_module

import numpy as np
import pytest

from kinesics import formats, metrics
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot
from kinesics.metrics import beats, gesture, onsets
from kinesics.metrics._gesture_over import OURS, canonical
from kinesics.metrics._registry import ARROWS
from kinesics.metrics.mouth import Mouth
from kinesics.performance import Audio, Face, Interval, Motion, Performance, Tier
from tests.metrics.inputs import noise, walk


def show(
    seed: int = 0, seconds: float = 8.0, *, fps: int = 30, lively: float = 1.0, said: str = "well hello you"
) -> Performance:
    """Someone who moves, speaks and makes faces."""
    frames = round(seconds * fps)
    skeleton = load_avatar("maya").skeleton
    turns = 4 * lively * walk(frames, 55, seed=seed)
    turns[:, [0, INDEX["jaw"]]] = 0
    root = skeleton.offsets[0] + walk(frames, 1, seed=seed + 50)[:, 0] * [1, 0.1, 1]
    weights = np.clip(0.3 + 3 * lively * walk(frames, 18, seed=seed + 60).reshape(frames, 54)[:, :52], 0, 1)
    words = [Interval(i * 0.5, i * 0.5 + 0.4, w) for i, w in enumerate(said.split())]
    sound = (
        0.2
        * noise(round(seconds * 16000), seed=seed + 70)
        * (np.arange(round(seconds * 16000)) % 8000 < 2000)
    )
    return Performance({
        "body": Motion(skeleton, rot.from_rotvec(turns), root, fps),
        "face": Face(weights, ARKIT, fps),
        "speech": Audio(sound, 16000),
        "words": Tier("words", words),
    })  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two folders of two takes each; the estimates are others."""
    out = []
    for side, seed in (("ref", 0), ("est", 3)):
        folder = tmp_path_factory.mktemp(side)
        for i, name in enumerate(("a", "b.take2")):
            formats.save(show(seed + i), folder / f"{name}.kin")
        (folder / "notes.txt").write_text("not a performance")
        out.append(folder)
    return out


def test_every_metric_says_what_it_is():
    found = metrics.available()
    names = [m.name for m in found]
    assert len({n.lower() for n in names}) == len(names)
    assert {
        "FGD",
        "L1div",
        "SRGR",
        "BC-BEAT2022",
        "BC-BEAT2",
        "BC-TED",
        "BAS",
        "LVE",
        "FDD",
        "WER",
        "PSNR",
    } <= set(names)
    for m in found:
        assert m.direction in ARROWS
        assert m.needs
        assert m.paper
        assert callable(m.function)
        assert m in metrics.available(m.task)
        if m.over:
            module, function = m.over.split(":")
            assert callable(getattr(import_module(f"kinesics.metrics.{module}"), function))
    with pytest.raises(DataError, match="choose one of: gesture, face"):
        metrics.available("singing")


def test_every_metric_is_in_the_docstring_that_specifies_it():
    from kinesics.metrics import lip_sync, positions, sharpness

    for m in metrics.available():
        module = import_module(f"kinesics.metrics.{m.task}")
        text = "".join(d.__doc__ for d in (module, beats, lip_sync, positions, sharpness))
        stem = m.name.split("@")[0].split("-root")[0].split("-traj")[0].split("-local")[0].split("-world")[0]
        stem = {"BC-BEAT2022": "bc_beat2022", "BC-BEAT2": "bc_beat2", "BC-TED": "bc_ted", "M-LMD": "LMD", "F-LMD": "LMD",
                "FaceDiversity": "Diversity", "StyleDiversity": "Style diversity", "MVE-weights": "weight_error",
                "LVE-weights": "weight_error", "FDD-weights": "weight_dynamics", "EmotionAccuracy": "Accuracy",
                "TEMOS-score": "TEMOS score", "SeamRatio": "Seam ratio"}.get(m.name, stem)  # fmt: skip
        assert stem in text, m.name


def test_names_are_found_in_any_case_and_with_a_star():
    assert metrics.find("fgd").name == metrics.find("FGD*").name == "FGD"
    with pytest.raises(DataError, match="unknown metric 'FDG'; choose one of: FGD, L1div"):
        metrics.find("FDG")


def test_folders_are_paired_by_name(folders):
    ref, est = folders
    score = metrics.measure("L1div", ref, est)
    assert score.label == "L1div*"
    bodies = [canonical(formats.load(est / f"{n}.kin").body, 30) for n in ("a", "b.take2")]
    assert score.value == pytest.approx(gesture.l1div(bodies))
    assert score.n == sum(map(len, bodies))
    own = metrics.measure("L1div", ref, ref)
    assert f"the reference scores {own.value:.6g}" in score.notes
    for name in ("APE-root", "AVE-local", "LVE", "MVE-weights", "MOD"):
        assert metrics.measure(name, ref, ref).value == pytest.approx(0, abs=1e-6)
        assert metrics.measure(name, ref, est).value > 0
    assert metrics.measure("WER", ref, ref).value == 0


def test_folders_that_do_not_pair(folders, tmp_path):
    ref, _ = folders
    formats.save(show(1), tmp_path / "a.kin")
    with pytest.raises(DataError, match=r"the estimate has no 'b.take2' \(1 missing\)"):
        metrics.measure("APE-root", ref, tmp_path)
    with pytest.raises(DataError, match=r"the reference has no 'b\.take2'"):
        metrics.measure("APE-root", tmp_path, ref)
    # a Fréchet distance needs no pairs
    assert metrics.measure("FGD", ref, tmp_path).value > 0
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no file that can be read"):
        metrics.measure("APE-root", ref, empty)
    with pytest.raises(FormatError):
        metrics.measure("APE-root", ref, tmp_path / "missing.kin")


def test_files_of_one_name_make_one_performance(tmp_path):
    one = show(1)
    formats.save(Performance({"speech": one.speech}), tmp_path / "a.wav")
    formats.save(Performance({"body": one.body, "face": one.face}), tmp_path / "a.kin")
    assert metrics.measure("LVE", tmp_path, tmp_path).value == 0
    from kinesics.metrics._measure import takes

    (found,) = takes(tmp_path, "reference")
    assert set(found) == {"speech", "body", "face"}
    formats.save(one, tmp_path / "a.kin")
    with pytest.raises(DataError, match="two files give the track 'speech'"):
        takes(tmp_path, "reference")


def test_fgd_names_its_extractor_and_its_bias(folders):
    ref, est = folders
    score = metrics.measure("FGD", ref, est)
    assert score.starred
    assert score.extractor == f"posture-pace@{OURS.digest[:12]}"
    assert score.notes == (f"biased: {score.n} samples for 91 dimensions",)
    assert metrics.measure("FGD", ref, ref).value == pytest.approx(0, abs=1e-9)
    # the more the estimate differs, the further
    near = [formats.load(p) for p in sorted(ref.glob("*.kin"))]
    wild = [show(i, lively=3) for i in (3, 4)]
    assert metrics.measure("FGD", near, wild).value > score.value


def test_fgd_with_an_extractor_of_ones_own(folders, tmp_path):
    ref, est = folders

    def speeds(performance):
        return np.linalg.norm(np.diff(performance.body.positions()[:, [20, 21]], axis=0), axis=2)

    loose = metrics.measure("FGD", ref, est, extractor=speeds)
    assert loose.extractor is None
    assert not loose.starred
    assert any("not comparable" in n for n in loose.notes)
    weights = tmp_path / "encoder.bin"
    weights.write_bytes(b"weights")
    pinned = metrics.Extractor.of_weights("speeds", weights, speeds)
    assert pinned.digest.startswith("9a")
    assert (
        metrics.measure("FGD", ref, est, extractor=pinned).extractor
        == str(pinned)
        == f"speeds@{pinned.digest[:12]}"
    )
    with pytest.raises(FormatError, match="fetch the pinned weights"):
        metrics.Extractor.of_weights("speeds", weights, speeds, digest="0" * 64)
    with pytest.raises(FormatError, match="check the path"):
        metrics.Extractor.of_weights("speeds", tmp_path / "none.bin", speeds)
    with pytest.raises(DataError, match=r"reference 'a': features: shape \(3,\); expected \(n, d\)"):
        metrics.measure("FGD", ref, est, extractor=lambda performance: np.zeros(3))
    widths = iter((4, 5, 4, 4))
    with pytest.raises(DataError, match=r"reference 'b.take2': features: shape \(9, 5\); expected \(n, 4\)"):
        metrics.measure("FGD", ref, est, extractor=lambda performance: np.ones((9, next(widths))))


def test_size_of_the_body_is_no_movement():
    tall = load_avatar("theo").skeleton
    a = show(1)
    b = a.with_tracks(body=a.body.on(tall))
    assert metrics.measure("APE-local", a, b).value == pytest.approx(0, abs=1e-5)
    assert np.abs(a.body.positions() - b.body.positions()).max() > 0.01


def test_another_rate_and_a_longer_take_are_brought_together():
    a, b = show(1, fps=30), show(1, seconds=9.0, fps=30)
    score = metrics.measure("APE-root", a, b)
    assert "1.00 s that only one side has were left out" in score.notes
    again = a.with_tracks(body=a.body.resample(60), face=a.face.resample(60))
    assert metrics.measure("APE-local", a, again).value == pytest.approx(0, abs=2e-3)
    assert metrics.measure("LVE-weights", a, again).value == pytest.approx(0, abs=1e-6)
    later = a.with_tracks(body=a.body.shift(100))
    with pytest.raises(DataError, match="no time in common"):
        metrics.measure("APE-root", a, later)


def test_faces_are_matched_by_name_and_in_millimetres():
    a = show(1)
    order = tuple(sorted(ARKIT, key=lambda n: n[::-1]))
    shuffled = a.with_tracks(face=a.face.select(order))
    assert metrics.measure("LVE", a, shuffled).value == 0
    weights = np.zeros((30, 52))
    shut = Performance({"face": Face(weights, ARKIT, 30)})
    weights = weights.copy()
    weights[:, ARKIT.index("jawOpen")] = 0.5
    wide = Performance({"face": Face(weights, ARKIT, 30)})
    score = metrics.measure("LVE", shut, wide)
    assert score.label == "LVE*"
    assert 100 < score.value < 2000  # a lip moves 10 to 45 mm
    mouth = Mouth(load_avatar("maya"))
    move = mouth.lips(wide.face.values) - mouth.lips(shut.face.values)
    assert score.value == pytest.approx((move**2).sum(2).max(1).mean())
    gap = mouth.measure(weights[:1]).gap - mouth.measure(0 * weights[:1]).gap
    assert metrics.measure("MOD", shut, wide).value == pytest.approx(gap[0], rel=1e-5)
    assert metrics.measure("FDD-weights", a, shut).value > 0
    some = Performance({"face": Face(np.zeros((30, 1)), ("jawOpen",), 30)})
    assert any("the estimate lacks 51 weights" in n for n in metrics.measure("LVE", shut, some).notes)
    flame = Performance({"face": Face(np.zeros((30, 52)), ARKIT, 30, basis="flame")})
    with pytest.raises(DataError, match="basis is 'flame'; expected 'arkit'"):
        metrics.measure("LVE", shut, flame)


def test_lips_are_where_the_mouth_is_measured():
    mouth = Mouth(load_avatar("maya"))
    lips = mouth.lips(np.zeros((1, 52)))
    assert np.ptp(lips[0, :, 1]) < 40
    assert lips.shape[1] > 20
    with pytest.raises(DataError, match="expected"):
        mouth.lips(np.zeros((1, 51)))


def test_words():
    a, b = show(1, said="Well, hello you!"), show(1, said="well hello there you")
    assert metrics.measure("WER", a, b).value == pytest.approx(1 / 3)
    assert metrics.measure("WER", a, b, normalise=False).value == 1
    with pytest.raises(DataError, match="no track 'heard'"):
        metrics.measure("CER", a, b, tier="heard")


def test_dance_over_performances():
    a, b = [show(i, 4, fps=60) for i in range(3)], [show(i + 9, 4, fps=60) for i in range(2)]
    score = metrics.measure("FID_k", a, b)
    assert score.starred
    assert score.notes[0] == "biased: 2 samples for 72 dimensions"
    assert metrics.measure("FID_g", a, a).value == pytest.approx(0, abs=1e-6)
    assert "the reference scores" in metrics.measure("Dist_g", a, b).notes[0]
    assert metrics.measure("PFF", a, b).value == 0
    assert metrics.measure("AUC_f", a, b).value == 0
    with pytest.raises(DataError, match="3 reference and 1 estimated dances"):
        metrics.measure("FID_k", a, b[0])
    still = show(1, 4, lively=0)
    still = still.with_tracks(
        body=Motion(still.body.skeleton, still.body.rotations, 0 * still.body.root + 1, 30)
    )
    assert metrics.measure("PFF", a, still).value == 100
    assert metrics.measure("Jitter", a, still).value == pytest.approx(0, abs=1e-6)
    with pytest.raises(DataError, match="neither side has a track 'music'"):
        metrics.measure("BAS", a[0], b[0])


def test_beats_over_performances():
    pytest.importorskip("librosa")
    a = show(1, 12)
    score = metrics.measure("BC-BEAT2", a, a)
    assert score.label == "BC-BEAT2*"
    assert 0 < score.value <= 1
    points = canonical(a.body, 30)
    sound = onsets.onsets(a.speech.samples, 16000, start=2, end=10)
    assert score.value == pytest.approx(
        beats.bc_beat2(points, sound, mean_speed=np.maximum(beats.joint_speed(points).mean(0), 1e-6))
    )
    # without a voice of its own the estimate is heard with the reference's; a later clock moves both
    mute = a.with_tracks(speech=None)
    assert metrics.measure("BC-BEAT2", a, mute).value == score.value
    assert metrics.measure("BC-BEAT2", a, a.shift(3)).value == pytest.approx(score.value)
    given = metrics.measure("BC-BEAT2", a, a, mean_speed=np.maximum(beats.joint_speed(points).mean(0), 1e-6))
    assert given.value == pytest.approx(score.value)
    assert not given.notes
    assert "not BEAT2's file" in score.notes[0]
    with pytest.raises(DataError, match="111 frames at 30 per second; at least 122"):
        metrics.measure("BC-BEAT2", a, a.slice(0, 3.7))
    with pytest.raises(DataError, match="hold nothing from 2 s"):
        metrics.measure("BC-BEAT2", a, a.with_tracks(speech=a.speech.slice(0, 1)))
    with pytest.raises(DataError, match="neither side has a track 'speech'"):
        metrics.measure("BC-BEAT2", mute, mute)
    pulses = np.zeros(16000 * 12)
    pulses[::8000] = 1
    song = a.with_tracks(music=Audio(pulses, 16000), speech=None)
    assert 0 <= metrics.measure("BAS", song, a).value <= 1


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("SRGR", {}, "SRGR cannot be read off performances; give kinesics.metrics.gesture Euler degrees"),
        ("FGD", {"exractor": 1}, "unknown option 'exractor' for FGD; it takes: extractor"),
        ("PFF", {"fps": 1}, "unknown option 'fps' for PFF; it takes: none"),
    ],
)
def test_what_cannot_be_measured_is_said(name, options, words):
    with pytest.raises(DataError, match=words):
        metrics.measure(name, show(1), show(1), **options)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "expected a performance, a file, a folder"),
        (3, "expected a performance, a file, a folder"),
        ([3], "reference 0: expected a performance or a file"),
        (Performance({}), "reference '0': no track 'body'; it has: none"),
        ([show(1), show(2)], "2 references but 1 estimates"),
    ],
)
def test_bad_sources_are_refused(source, words):
    with pytest.raises(DataError, match=words):
        metrics.measure("APE-root", source, show(1))


def test_a_score_can_be_printed_and_written():
    score = metrics.find("PSNR").score(np.inf, 3, settings={"peak": 255}, notes=("", "a note"))
    assert str(score) == "PSNR ↑ inf dB (n=3, peak=255); a note"
    assert json.loads(json.dumps(score.as_dict()))["value"] == "inf"
    starred = metrics.Score(
        1.25, "FGD", "", "lower", 40, "mine@0", notes=("biased: 40 samples for 240 dimensions",), starred=True
    )
    assert str(starred) == "FGD* ↓ 1.25 (n=40, mine@0); biased: 40 samples for 240 dimensions"
    assert starred.as_dict()["metric"] == "FGD*"
    with pytest.raises(DataError, match="choose one of: lower, higher, reference, zero"):
        metrics.Score(1, "x", "", "up", 1)


def test_scott_of_beat2(shared_data):
    take = np.load(shared_data("nc-beat2_scott") / "2_scott_0_1_1_f0-1320.npz")
    skeleton = load_avatar("maya").skeleton
    turns = rot.from_rotvec(take["poses"].reshape(-1, 55, 3).astype(float))
    body = Motion(skeleton, turns, take["trans"], 30)
    speech = Audio.load(shared_data("nc-beat2_scott") / "2_scott_0_1_1_f0-1320.wav")
    real = Performance({"body": body, "speech": speech})
    score = metrics.measure("L1div", real, real)
    # EMAGE prints 13.06 for its generated Scott, on SMPL-X's own bone lengths
    assert 5 < score.value < 25
    still = real.with_tracks(
        body=Motion(skeleton, np.repeat(turns[:1], len(turns), 0), take["trans"] * 0, 30)
    )
    assert metrics.measure("L1div", real, still).value == pytest.approx(0, abs=1e-4)
    assert metrics.measure("FGD", real, still).value > metrics.measure("FGD", real, real).value
    pytest.importorskip("librosa")
    consistency = metrics.measure("BC-BEAT2", real, real)
    assert 0.5 < consistency.value < 1
