"""ExpLLM: sizes, stages, and what it says of faces over time."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from kinesics.bodies.action_units import UNITS, feafa_of_arkit, from_arkit, from_feafa
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Face, Performance, Signal, Video
from kinesics.ports.language import Rules
from kinesics.stage.expressions import expressive
from kinesics.systems import load_system
from kinesics.systems.read import _expressions as over_time
from kinesics.systems.read import _plans as plans
from kinesics.systems.read._grounding import named
from kinesics.systems.read.expllm.spec import EMOTIONS, ExpLLM, ExpLLMConfig

FPS = 30
SMALL = {"width": 16, "layers": 1, "heads": 2, "hidden": 24, "whole": 16}


def smiling(*, units, ids):
    """A network of one rule: smiles are happy, and what is active is seen."""
    usual = units[:, :, [1, 4]].max(axis=2)
    scores = np.zeros((len(units), len(plans.TOKENS)), np.float32)
    smile = usual[:, UNITS.index("AU12")]
    scores[:, plans.NUMBER["happy"]] = 20 * (smile - 0.3)
    scores[:, plans.NUMBER["neutral"]] = 20 * (0.3 - smile)
    scores[:, [plans.NUMBER[u] for u in UNITS]] = 5 * usual
    scores[:, plans.NUMBER["end"]] = 9
    return {"scores": scores, "affect": np.stack([smile, 0 * smile, smile], axis=1).astype(np.float32)}


NETWORK = {"next": smiling}


def face(smile, *, start=0.0, **others):
    values = np.zeros((len(smile), len(ARKIT)), np.float32)
    for side in ("Left", "Right"):
        values[:, ARKIT.index(f"mouthSmile{side}")] = smile
    for name, column in others.items():
        values[:, ARKIT.index(name)] = column
    return Performance({"face": Face(values, ARKIT, FPS, start=start)})


def labels(show):
    return [i.label for i in show.tier("expression")]


def test_a_smile_has_its_span_its_strength_and_its_reasons():
    smile = np.zeros(240)
    smile[90:180] = 0.8
    seen = ExpLLM().read(face(smile, start=2.0), NETWORK)
    tier = seen.tier("expression")
    assert labels(seen) == ["neutral", "happy", "neutral"]
    assert [tier.start, tier.end] == [2.0, 10.0]
    assert abs(tier[1].start - 5.0) < 0.45
    assert abs(tier[1].end - 8.0) < 0.45
    assert tier[1].value > 0.5 > tier[0].value
    reasons = seen.tier("reasons")
    assert [(i.start, i.end) for i in reasons] == [(i.start, i.end) for i in tier]
    assert named(reasons[1].label) == {"AU12"}
    affect = seen.get("affect")
    assert (len(affect), affect.fps, affect.start) == (240, FPS, 2.0)
    assert (
        affect.slice(6.0, 7.0).column("valence").min()
        > 0.6
        > 0.1
        > affect.slice(2.0, 4.0).column("valence").max()
    )


def test_labels_do_not_flicker():
    smile = 0.3 + 0.12 * np.sign(np.sin(np.arange(300) / 2.5))
    assert len(labels(ExpLLM().read(face(smile), NETWORK))) == 1
    brief = np.zeros(240)
    brief[120:126] = 0.9  # a fifth of a second
    assert labels(ExpLLM().read(face(brief), NETWORK)) == ["neutral"]


def test_what_is_not_sure_is_unknown_and_has_no_reasons():
    seen = ExpLLM().read(face(np.full(120, 0.3)), NETWORK)
    (only,) = seen.tier("expression")
    assert (only.label, only.value) == ("unknown", None)
    assert only.confidence < 0.5
    assert len(seen.tier("reasons")) == 0
    assert labels(ExpLLM().read(face(np.full(120, 0.3)), NETWORK, least=0.1)) != ["unknown"]


def test_labels_that_take_turns_are_no_label():
    shares = np.full((40, 8), 0.01, np.float32)
    shares[::2, 1] = shares[1::2, 6] = 0.9
    (only,) = over_time.steady(shares, np.ones(40), least=0.5)
    assert only.label == "unknown"
    assert only.confidence == pytest.approx(0.455, abs=0.01)


def test_where_nobody_is_seen_nothing_is_known():
    show = face(np.full(240, 0.8))
    sure = np.ones((240, 1), np.float32)
    sure[120:] = 0
    units = Signal(np.full((240, 1), 0.8, np.float32), ("AU12",), ("",), FPS, confidence=sure)
    for given in (show.with_tracks(action_units=units), Performance({"action_units": units})):
        seen = ExpLLM().read(given, NETWORK)
        assert labels(seen) == ["happy", "unknown"]
        assert seen.get("affect").confidence[200, 0] < 0.05


def test_more_cost_of_change_makes_fewer_labels():
    stream = np.random.Generator(np.random.Philox(3))
    shares = stream.dirichlet(np.ones(8), 300).astype(np.float32)
    counts = [len(over_time.steady(shares, np.ones(300), least=0.2, change=c)) for c in (0.0, 1.0, 4.0, 20.0)]
    assert counts == sorted(counts, reverse=True)
    spans = over_time.steady(shares, np.ones(300), least=0.2)
    assert [s.first for s in spans[1:]] == [s.last for s in spans[:-1]]
    assert (spans[0].first, spans[-1].last) == (0, 300)
    assert all(a.label != b.label for a, b in pairwise(spans))


def test_a_moment_is_seen_as_it_is_and_a_second_by_its_range():
    values = np.zeros((25, 39), np.float32)
    values[:5, 0] = 1.0
    known = np.ones(39, bool)
    still = over_time.summary(values[None, :1], known)[0]
    assert still[0].tolist() == [1, 1, 1, 1, 1, 1, 1]
    second = over_time.summary(values[None], known)[0]
    assert second[0, [0, 2]].tolist() == [0, 0]
    assert second[0, 1] == pytest.approx(0.2)
    known[0] = False
    assert over_time.summary(values[None], known)[0, 0].tolist() == [0] * 7


@pytest.mark.parametrize("frames", [1, 2, 7, 31])
def test_short_faces_have_one_reading_or_more(frames):
    seen = ExpLLM().read(face(np.full(frames, 0.9)), NETWORK)
    assert seen.tier("expression").end == pytest.approx(frames / FPS)
    assert len(seen.get("affect")) == frames


def test_a_language_model_may_word_the_reasons():
    said = {
        "observations": "A smile is seen. The brows furrow.",
        "interpretation": "It is joy.",
        "conclusion": "Happiness.",
    }
    seen = ExpLLM().read(face(np.full(90, 0.9)), NETWORK, language=Rules(lambda m: said))
    (why,) = seen.tier("reasons")
    assert "A smile is seen." in why.label
    assert "brows" not in why.label
    assert seen.meta["expllm"]["dropped"] == ["The brows furrow."]
    own = ExpLLM().read(face(np.full(90, 0.9)), NETWORK)
    useless = ExpLLM().read(face(np.full(90, 0.9)), NETWORK, language=Rules(lambda m: "no"))
    assert useless.tier("reasons") == own.tier("reasons")
    assert useless.meta["expllm"]["unparsed"] == 1


def test_what_cannot_be_read_is_refused():
    with pytest.raises(DataError, match="'face' or 'action_units'"):
        ExpLLM().read(Performance({}), NETWORK)
    with pytest.raises(DataError, match="nothing to read"):
        ExpLLM().read(face(np.zeros(0)), NETWORK)
    with pytest.raises(DataError, match="expected 0 to 1"):
        ExpLLM().read(face(np.zeros(9)), NETWORK, least=2)


def test_examples_hold_the_truth_that_is_felt():
    rows = list(ExpLLM().examples(expressive(4, 1, emotion="happy", level=3, talking=True)))
    assert len(rows) == 4
    for row in rows:
        assert row["units"].shape == (24, 7)
        assert EMOTIONS[int(row["label"])] == "happy"
        plan = plans.read("happy", [int(t) for t in row["plan"] if t != plans.PAD])
        measured = {u for u, k in zip(UNITS, row["units"][:, -1] > 0, strict=True) if k}
        assert {s.unit for s in plan.seen} <= measured
    with pytest.raises(DataError, match="'emotion'"):
        list(ExpLLM().examples(face(np.zeros(60))))


def test_of_a_moment_all_that_moves_is_told():
    shows = [expressive(4, i, emotion="neutral", talking=True, busy=True) for i in range(6)]
    told = 0
    for row in (row for show in shows for row in ExpLLM().examples(show)):
        three = row["units"][:, :3]
        if np.ptp(three, axis=1).max() > 0:
            continue  # a second
        strength = row["units"][:, [1, 4]].max(axis=1)
        clear = {u for u, s in zip(UNITS, strength, strict=True) if s >= plans.ACTIVE + 0.05}
        plan = plans.read("neutral", [int(t) for t in row["plan"] if t != plans.PAD])
        named_units = {s.unit for s in plan.seen}
        assert clear <= named_units or len(named_units) == plans.MOST
        told += len(clear)
    assert told > 10


def test_instruments_err_on_each_side_but_not_about_what_has_none():
    torch = pytest.importorskip("torch")
    from kinesics.bodies.action_units import PAIRED
    from kinesics.systems.read.expllm.net import _mismeasured

    true = torch.full((64, 24, 7), 0.4)
    true[..., 6] = 1
    true[:, 3] = 0  # not looked for
    with torch.random.fork_rng():
        torch.manual_seed(0)
        seen = _mismeasured(true, 0.3, flip=True)
    assert (seen[:, 3] == 0).all()
    apart = (seen[..., :3] - seen[..., 3:6]).abs().amax(dim=(0, 2))
    for k, unit in enumerate(UNITS):
        assert (apart[k] > 0.05) == (unit in PAIRED and k != 3)


def test_the_published_sizes():
    torch = pytest.importorskip("torch")
    config = ExpLLMConfig.paper()
    with torch.device("meta"):
        net = ExpLLM(config).network()
    sizes = sum(p.numel() for p in net.parameters())
    # Vicuna-7B, DINOv2 ViT-L/14, and two layers between
    published = 6_738_415_616 + 304_368_640 + 1024 * 4096 + 4096 + 4096 * 4096 + 4096
    assert abs(sizes / published - 1) < 0.02
    moved = sum(p.numel() for p in net.trainable("label"))
    assert moved < 0.01 * sizes
    assert config.rows == 256
    with torch.device("meta"):
        known = net.known(torch.empty(2, 3, 224, 224), torch.zeros(2, 260, dtype=torch.long))
    assert known.shape == (2, 260, 4096)


@pytest.mark.parametrize("stage", ["label", "reasons"])
def test_one_step_of_the_published_form_is_finite(stage):
    torch = pytest.importorskip("torch")
    config = ExpLLMConfig.paper().changed(
        width=16, layers=1, heads=2, hidden=24, vocabulary=100, side=28, eye_width=16, eye_layers=1, eye_heads=2, eye_hidden=24
    )  # fmt: skip
    net = ExpLLM(config).network()
    rows = list(ExpLLM().examples(expressive(4, 3)))
    batch = {n: torch.tensor(np.stack([r[n] for r in rows])) for n in ("label", "affect", "plan")}
    losses = net.loss({**batch, "picture": torch.randn(len(rows), 3, 28, 28)}, stage)
    losses["loss"].backward()
    assert all(torch.isfinite(v) for v in losses.values())
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.trainable(stage))


def test_the_published_form_learns_from_and_reads_a_film(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    pytest.importorskip("av")
    from kinesics.lab import networks
    from tests.clips import STEP, make_clip

    config = ExpLLMConfig.paper().changed(
        width=16, layers=1, heads=2, hidden=24, vocabulary=100, side=28, eye_width=16, eye_layers=1, eye_heads=2, eye_hidden=24
    )  # fmt: skip
    system, show = ExpLLM(config), expressive(4, 3, seconds=4.0)
    with pytest.raises(DataError, match="'video' and 'face_box'"):
        list(system.examples(show))
    video = Video.load(make_clip(tmp_path / "film.mp4", range(100), rate=25))
    box = np.tile(np.array([24.0, 18, 16, 12]), (100, 1))
    sure = np.ones((100, 4))
    sure[:50] = 0  # a face is seen from the third second on
    show = show.with_tracks(
        video=video,
        face_box=Signal(box, ("x", "y", "width", "height"), ("px",) * 4, 25, confidence=sure),
    )
    rows = list(system.examples(show))
    assert len(rows) == 2
    assert all(set(r) == {"picture", "label", "affect", "plan"} for r in rows)
    assert all(r["picture"].shape == (3, 28, 28) and np.ptp(r["picture"][0]) < 0.2 for r in rows)
    grey = 255 * (rows[0]["picture"][0].mean() * 0.26862954 + 0.48145466)
    assert 50 <= 40 + (grey - 10) / STEP < 75, "a picture of the third second"
    parts = networks(system.network())
    read = system.read(show, parts, least=0.0)
    labels = read.tier("expression")
    assert labels[0].label == "unknown"
    assert labels[0].end == pytest.approx(2.0, abs=0.25)
    assert labels[-1].label != "unknown"
    assert read.tier("reasons")[0].start >= 1.75


def test_it_learns_and_its_export_does_as_torch_does(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    from kinesics.lab import Arrays, export, fit, networks, restore

    system = ExpLLM(ExpLLMConfig.tiny().changed(**SMALL))
    corpus = Arrays.of_performances(system, (expressive(6, i) for i in range(32)))
    start, losses = None, {}
    for stage, steps in (("label", 60), ("reasons", 30)):
        training = replace(system.training(stage), steps=steps, batch=16, warm_up=5, rate=5e-3, average=0.0)
        done = fit(
            system,
            corpus,
            tmp_path,
            stage=stage,
            start=start,
            training=training,
            every=30,
            progress=False,
            device="cpu",
        )
        start, losses[stage] = done.checkpoint, done.losses
    assert losses["label"]["label"] < 1.6, "it begins near ln 64"
    assert losses["reasons"]["reasons"] < 3.0
    assert max(export(start, tmp_path / "net").values()) < 1e-3
    system, parts = load_system(tmp_path / "net")
    _, net = restore(start)
    show = expressive(8, 1)
    a, b = (system.read(show, p) for p in (parts, networks(net)))
    assert a.tier("expression").labels == b.tier("expression").labels
    assert a.tier("reasons").labels == b.tier("reasons").labels


def test_what_ships_reads_people_it_has_not_seen():
    pytest.importorskip("openvino")
    system, parts = load_system("expllm")
    right = said = true = both = 0
    for i in range(32):
        show = expressive(101, i, level=3, talking=i % 3 == 0)
        seen = system.read(show, parts)
        longest = max(seen.tier("expression"), key=lambda s: s.duration)
        right += longest.label == show.tier("emotion")[0].label
        if len(seen.tier("reasons")):
            names = named(seen.tier("reasons")[0].label)
            strength = over_time.summary(_felt(show), np.ones(39, bool))[0][:, [1, 4]].max(1)
            active = {UNITS[k] for k in np.flatnonzero(strength >= plans.ACTIVE)}
            said, true, both = said + len(names), true + len(active), both + len(names & active)
    assert right >= 24
    assert both / said >= 0.9
    assert both / true >= 0.6


def _felt(show):
    return from_arkit(show.get("felt").values).values[None]


def test_neutral_talk_is_not_taken_for_feeling():
    pytest.importorskip("openvino")
    system, parts = load_system("expllm")
    felt = whole = 0.0
    for i in range(12):
        seen = system.read(
            expressive(102, i, emotion="neutral", talking=True, acted=True, seconds=4.0), parts
        )
        for span in seen.tier("expression"):
            whole += span.duration
            felt += span.duration * (span.label not in ("neutral", "unknown"))
    assert felt / whole < 0.1


def test_errors_on_one_side_are_not_taken_for_contempt():
    pytest.importorskip("openvino")
    system, parts = load_system("expllm")
    stream, seen = np.random.Generator(np.random.Philox(7)), []
    for i in range(40):
        shown = from_arkit(expressive(103, i, emotion="neutral", talking=True, acted=True).face.values[20:50])
        values = shown.values * np.exp(0.3 * stream.standard_normal(39)) + 0.05 * np.abs(
            stream.standard_normal(39)
        )
        seen.append(over_time.summary(values[None].astype(np.float32), shown.known)[0])
    labels = system.labels(seen, parts)[0].argmax(axis=1)
    assert (labels == EMOTIONS.index("neutral")).mean() >= 0.85


def test_what_ships_names_what_busy_faces_on_photographs_do():
    pytest.importorskip("openvino")
    system, parts = load_system("expllm")
    rows, active = [], []
    for i in range(48):
        moment = expressive(104, i, busy=True, talking=False).face.values[30:31]
        measured = from_feafa(feafa_of_arkit(moment))
        rows.append(over_time.summary(measured.values[None], measured.known)[0])
        strength = rows[-1][:, [1, 4]].max(axis=1)
        active.append({UNITS[k] for k in np.flatnonzero(strength >= plans.ACTIVE)})
    labels = [EMOTIONS[k] for k in system.labels(rows, parts)[0].argmax(axis=1)]
    made = [{s.unit for s in p.seen} for p in system.plans(np.stack(rows), labels, parts)]
    both = sum(len(a & b) for a, b in zip(made, active, strict=True))
    assert both / sum(map(len, made)) >= 0.9
    assert both / sum(map(len, active)) >= 0.6


def test_a_temperature_makes_labels_less_sure_and_no_others():
    seen = np.zeros((40, len(UNITS), 7), np.float32)
    seen[:, UNITS.index("AU12")] = np.linspace(0, 0.6, 40)[:, None]
    sharp, _ = ExpLLM().labels(seen, NETWORK)
    calm, _ = ExpLLM(ExpLLMConfig(temperature=4.0)).labels(seen, NETWORK)
    np.testing.assert_array_equal(calm.argmax(1), sharp.argmax(1))
    assert (calm.max(1) < sharp.max(1)).all()
    np.testing.assert_allclose(calm.sum(1), 1, rtol=1e-5)
    with pytest.raises(DataError, match="more than 0"):
        ExpLLMConfig(temperature=0.0)


def test_what_ships_is_about_as_sure_as_it_is_right():
    """The card tells what the temperature did on people kept out."""
    from importlib import resources

    shipped = resources.files("kinesics.systems.read.expllm") / "shipped" / "system.json"
    told = json.loads(shipped.read_text(encoding="utf-8"))["calibration"]
    assert abs(told["after"]["sure"] - told["after"]["right"]) < 0.1
    assert told["after"]["calibration error"] < 0.1 < told["before"]["calibration error"]
