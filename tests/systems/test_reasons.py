"""Reasons: plans keep their grammar, English says what the plan says, and what is not measured is dropped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.bodies.action_units import PAIRED, UNITS
from kinesics.errors import DataError
from kinesics.ports.language import Rules
from kinesics.seeds import rng
from kinesics.systems._face_features import EMOTIONS
from kinesics.systems.read import _plans as plans
from kinesics.systems.read import _reasoning
from kinesics.systems.read._grounding import Mention, grounded, mentions, named, sentences
from kinesics.systems.read._prose import HEADINGS, told


@st.composite
def some_plan(draw):
    strength = np.array(
        draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5, 0.7, 0.95]), min_size=24, max_size=24))
    )
    lean = np.array(draw(st.lists(st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0]), min_size=24, max_size=24)))
    label = draw(st.sampled_from(EMOTIONS))
    blend = (
        draw(st.sampled_from(["", *(e for e in EMOTIONS[1:] if e != label)])) if label != "neutral" else ""
    )
    return plans.made(
        strength, lean, label=label, intensity=draw(st.sampled_from([0.2, 0.6, 1.0])), blend=blend, speech=draw(st.booleans())
    )  # fmt: skip


@given(some_plan())
def test_a_plan_survives_its_tokens(plan):
    ids = plans.written(plan)
    assert len(ids) <= plans.LONGEST
    assert plans.read(plan.label, ids) == plan


@given(some_plan(), st.integers(0, 99))
def test_the_english_names_the_units_of_the_plan_and_no_others(plan, seed):
    text = told(plan, rng(seed, "words"))
    assert named(text) == {s.unit for s in plan.seen}
    assert [text.count(f"**{h}:**") for h in HEADINGS] == [1, 1, 1]
    assert text.count(" ,") == text.count("  ") == 0


@given(st.integers(0, 10_000))
def test_whatever_is_drawn_the_grammar_makes_a_plan(seed):
    """Any walk through what is allowed ends in a plan that reads back."""
    stream = rng(seed, "walk")
    may = [u for u in UNITS if stream.random() < 0.4]
    writer, ids = plans.Grammar(str(stream.choice(EMOTIONS)), may), []
    while not writer.done:
        ids.append(int(stream.choice(np.flatnonzero(writer.allowed()))))
        writer.take(ids[-1])
    plan = writer.plan()
    assert {s.unit for s in plan.seen} <= set(may)
    assert set(plan.support) <= plans.SIGNS[plan.label]
    assert all(s.side == "both" for s in plan.seen if s.unit not in PAIRED)
    assert named(told(plan, stream)) == {s.unit for s in plan.seen}
    assert len(ids) <= plans.LONGEST


def test_tokens_out_of_place_are_refused():
    with pytest.raises(DataError, match="'end' out of place"):
        plans.read("happy", [plans.END])
    with pytest.raises(DataError, match="without an end"):
        plans.read("happy", [plans.NUMBER["means"]])


def test_levels_and_sides():
    assert [plans.level(x) for x in (0.1, 0.3, 0.5, 0.7, 0.9)] == list("ABCDE")
    assert [plans.side("AU12", x) for x in (0.1, 0.5, -0.5, 1.0, -1.0)] == [
        "both",
        "left",
        "right",
        "only left",
        "only right",
    ]
    assert plans.side("AU26", 1.0) == "both"


def test_intensity_and_side_are_said():
    strength, lean = np.zeros(24), np.zeros(24)
    strength[UNITS.index("AU12")], lean[UNITS.index("AU12")] = 0.9, 1.0
    texts = {
        told(plans.made(strength, lean, label="contempt", intensity=0.5), rng(i, "x")) for i in range(40)
    }
    assert len(texts) > 30, "worded differently from face to face"
    assert all("left" in t and "right" not in t for t in texts)
    assert all("as far as possible" in t or "with full force" in t for t in texts)


@pytest.mark.parametrize(
    ("sentence", "units"),
    [
        ("The person is smiling broadly.", {"AU12"}),
        ("Both corners of the lips are raised, and crow's feet appear.", {"AU06", "AU12"}),
        ("The eyebrows are furrowed and the lips are tightly pressed.", {"AU04", "AU24"}),
        ("A wide-open mouth and widened eyes suggest astonishment.", {"AU05", "AU26"}),
        ("AU 4 and AU07 are strong, action unit 23 a little.", {"AU04", "AU07", "AU24"}),
        ("The nose is wrinkled, the upper lip curls.", {"AU09", "AU10"}),
        ("The mouth corners turn down while the chin is raised.", {"AU15", "AU17"}),
        ("This points to joy.", set()),
        ("The face is not smiling.", set()),
        ("There is no sign of lowered brows.", set()),
    ],
)
def test_other_peoples_words_are_understood(sentence, units):
    assert named(sentence) == units


def test_words_that_leave_open_which_unit_are_met_by_either():
    assert mentions("The eyebrows are raised.") == [Mention(("AU01", "AU02"), False)]
    assert grounded("The eyebrows are raised.", {"AU02"}).text == "The eyebrows are raised."
    assert grounded("The eyebrows are raised.", {"AU04"}).text == ""


def test_what_is_not_measured_is_dropped_and_told():
    text = "The lip corners rise. The brows furrow deeply. No jaw drop is seen.\n\nIt is joy."
    kept = grounded(text, {"AU12"})
    assert kept.text == "The lip corners rise. No jaw drop is seen.\n\nIt is joy."
    assert kept.dropped == ("The brows furrow deeply.",)
    assert grounded("There is no smile.", {"AU12"}).dropped, "what is there cannot be denied"
    assert grounded("The cheeks rise.", {"AU06"}, known={"AU12"}).dropped, (
        "nothing is said of what was not looked for"
    )


@given(st.text(max_size=300))
def test_any_text_can_be_held_against_a_face(text):
    kept = grounded(text, {"AU12"})
    assert len(kept.text) <= len(text)
    assert named(kept.text) <= {"AU12", "AU14", "AU15"} | named(text)
    assert all(s in text.replace("\n", " ") or "\n" in text for s in sentences(text))


def a_face(**units):
    out = np.zeros((24, 7), np.float32)
    out[:, -1] = 1
    for name, value in units.items():
        out[UNITS.index(name), :6] = value
    return out


def test_a_language_model_is_told_what_was_measured_and_nothing_else():
    face = a_face(AU12=0.7, AU06=0.4)
    face[UNITS.index("AU12"), 3:6] = 0.3
    plan = plans.made(face[:, 1], np.zeros(24), label="happy", intensity=0.8)
    asked = _reasoning.messages(face, "happy", plan)[-1]["content"]
    assert "AU12 lip corner puller: left 0.70, right 0.30" in asked
    assert "AU06 cheek raiser: 0.40" in asked
    assert "AU04" not in asked


def test_its_answer_is_cut_to_what_is_true():
    answer = {
        "observations": "The cheeks are raised and the lip corners are pulled up. The nose wrinkles.",
        "interpretation": "Smile and cheeks show joy.",
        "conclusion": "The person is happy.",
    }
    face = a_face(AU12=0.7, AU06=0.4)
    plan = plans.made(face[:, 1], np.zeros(24), label="happy", intensity=0.8)
    said = _reasoning.ask(Rules(lambda m: answer), face, "happy", plan)
    assert said.dropped == ("The nose wrinkles.",)
    assert said.text.count("**") == 6
    assert named(said.text) == {"AU12", "AU06"}
    assert _reasoning.ask(Rules(lambda m: "I cannot do that."), face, "happy", plan).text == ""
    wrong = {**answer, "observations": "The brows furrow."}
    assert _reasoning.ask(Rules(lambda m: wrong), face, "happy", plan).text == "", (
        "without observations there is nothing left"
    )
