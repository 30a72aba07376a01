"""SiGML and HamNoSys: symbols, grammar, what becomes of them, and what hands then do."""

from __future__ import annotations

import contextlib
import json
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.behaviour.body import Body
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.handshapes import shape
from kinesics.behaviour.perform import perform
from kinesics.behaviour.places import orientation, place
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX, LEFT_FINGERS, RIGHT_FINGERS
from kinesics.errors import DataError, FormatError
from kinesics.formats import sigml
from kinesics.formats._hamnosys import GLYPHS, SYMBOLS, vector
from kinesics.formats._hamnosys_form import circle, palm_vector
from kinesics.formats.sigml import read_hamnosys
from kinesics.geometry import rotations as rot
from kinesics.performance import Behaviour, Performance, Plan
from kinesics.performance.gesture import direction, inline_gesture

HAMBURG = (
    "hamceeall hamthumbopenmod hamfingerstraightmod hamextfingerul hampalmdl hamforehead hamlrat hamclose "
    "hamparbegin hammover hamreplace hampinchall hamfingerstraightmod hamparend"
)


def sign(symbols: str):
    """The gesture of symbols written without ``ham``."""
    return read_hamnosys(" ".join(f"ham{s}" for s in symbols.split()))[0]


def document(*signs: str, head: str = "") -> str:
    rows = "".join(
        f'<hns_sign gloss="S{k}"><hamnosys_nonmanual>{head}</hamnosys_nonmanual><hamnosys_manual>'
        + "".join(f"<{s}/>" for s in text.split())
        + "</hamnosys_manual></hns_sign>"
        for k, text in enumerate(signs, 1)
    )
    return f'<?xml version="1.0"?>\n<!DOCTYPE sigml SYSTEM "sigml.dtd">\n<sigml>{rows}</sigml>'


def load(tmp_path, text: str, name: str = "x.sigml", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return formats.load(path, **options)


# --- symbols and directions ------------------------------------------------------------------------------------


def test_the_glyphs_are_those_of_the_font(shared_data):
    """Derived anew from signs that are given both as glyphs and as names."""
    data = json.loads((shared_data("nc-sign_hamnosys") / "hamnosys_signs.json").read_text())
    seen = {}
    for row in data.values():
        names = (row["hamnosys_text"] or "").split(",")
        if len(names) == len(row["hamnosys"]):
            for glyph, name in zip(row["hamnosys"], names, strict=True):
                assert seen.setdefault(glyph, name) == name
    assert len(seen) > 160
    assert {g: "ham" + GLYPHS[g] for g in seen} == {g: n.lower() for g, n in seen.items()}
    assert GLYPHS["\ue000"] == "fist"
    assert GLYPHS["\ue0f1"] == "version40"


def test_palms_turn_with_the_fingers():
    for letters in ("l", "r", "u", "d", "ul", "dr"):
        assert palm_vector("o", letters) == pytest.approx(vector(letters), abs=1e-9)
    # Fingers up: what was down faces away, left stays left.
    assert palm_vector("u", "d") == pytest.approx((0, 0, 1), abs=1e-9)
    assert palm_vector("u", "l") == pytest.approx((1, 0, 0), abs=1e-9)
    # Fingers to the left: what was left faces the signer. Fingers down: what was down does.
    assert palm_vector("l", "l") == pytest.approx((0, 0, -1), abs=1e-9)
    assert palm_vector("d", "d") == pytest.approx((0, 0, -1), abs=1e-9)
    assert palm_vector("i", "r") == pytest.approx((1, 0, 0), abs=1e-9)
    for fingers in "u ur r dr d dl l ul ol o or il i ir ui di do uo".split():
        for palm in "u ur r dr d dl l ul".split():
            assert abs(np.dot(palm_vector(fingers, palm), vector(fingers))) < 1e-9


def test_circles_run_clockwise_along_their_axis():
    assert circle("o") == ((0, 1, 0), (-1, 0, 0))
    assert circle("i")[1] == (1, 0, 0)
    start, toward = circle("d", "r")
    # From above and clockwise, three o'clock is right and goes back.
    assert (start, toward) == (pytest.approx((-1, 0, 0), abs=1e-9), pytest.approx((0, 0, -1), abs=1e-9))


# --- grammar ---------------------------------------------------------------------------------------------------


def test_a_sign_becomes_poses_and_moves():
    made, notes = read_hamnosys(HAMBURG, name="HAMBURG")
    assert notes == ()
    first, last = made.poses
    assert first.shape == "flat+straightbent+thumbopen"
    assert last.shape == "purse+straightbent"
    assert (first.height, first.side, first.distance) == ("forehead", "ipsi", "close")
    # The leading hand's right is "out", and fingers up and left are "in".
    assert direction(first.fingers) == pytest.approx((-(0.5**0.5), 0.5**0.5, 0))
    assert last.offset[0] - first.offset[0] == pytest.approx(0.15)
    glyphs = "".join({n: g for g, n in GLYPHS.items()}[s.removeprefix("ham")] for s in HAMBURG.split())
    assert read_hamnosys(glyphs, name="HAMBURG")[0] == made


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("fist", "fist"),
        ("fist thumboutmod", "fist+thumbout"),
        ("finger2 thumbacrossmod fingerhookmod", "point+hooked+thumbacross"),
        ("finger2 pinky", "fist+out.5"),
        ("fist indexfinger pinky thumboutmod", "fist+out.25+thumbout"),
        ("pinch12 indexfinger middlefinger", "fist+meets.23"),
        ("finger2345 middlefinger fingerstraightmod", "spread+straightbent.3"),
        ("ceeall fingerstraightmod", "flat+straightbent+thumbopen"),
        ("flathand between finger2345", "flat~spread"),
    ],
)
def test_hand_shapes(symbols, expected):
    assert sign(f"{symbols} extfingeru palml").poses[0].shape == expected


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("chest touch", ("chest", "centre", "touch", "")),
        ("lrat shoulders close", ("shoulders", "contra", "close", "")),
        ("ear touch", ("ears", "ipsi", "touch", "")),
        ("chin seqbegin touch thumb fingertip seqend", ("chin", "centre", "touch", "thumb")),
        ("forehead", ("forehead", "centre", "near", "")),
        ("armextended", ("stomach", "ipsi", "far", "")),
    ],
)
def test_places(symbols, expected):
    pose = sign(f"flathand extfingeru palml {symbols}").poses[0]
    assert (pose.height, pose.side, pose.distance, pose.part) == expected


def test_two_hands():
    mirrored = sign("symmlr flathand extfingero palml mover")
    assert (mirrored.hands, mirrored.other) == ("both", ())
    assert mirrored.poses[1].offset[0] - mirrored.poses[0].offset[0] == pytest.approx(0.15)
    parallel = sign("symmpar flathand extfingero palml mover")
    ways = [h[1].offset[0] - h[0].offset[0] for h in (parallel.poses, parallel.other)]
    # Both go to the signer's right: out for the right hand, in for the left.
    assert ways == pytest.approx([0.15, -0.15])
    assert parallel.other[0].palm == "in"
    apart = sign(
        "parbegin finger2 extfingeruo palmd plus flathand extfingeror palmu parend "
        "parbegin indexfinger fingertip plus palm parend touch moveu"
    )
    assert (apart.poses[0].on, apart.poses[0].part, apart.poses[0].distance) == ("palm", "index", "touch")
    # Without symmetry the other hand stays, and its directions are its own: right is in.
    assert apart.other[0] == apart.other[1]
    assert direction(apart.other[0].fingers)[0] < 0
    arm = sign("flathand extfingerl palmd lowerarm touch")
    assert (arm.hands, arm.poses[0].on) == ("both", "forearm")


def test_movements():
    assert [m.repeats for m in sign("fist extfingero palmd moved repeatfromstart").moves] == [2]
    circled = sign("finger2 extfingero palmd circleo smallmod repeatfromstartseveral").moves[0]
    assert (circled.path, circled.repeats, circled.start, circled.toward) == ("circle", 3, "up", "out")
    assert sign("fist extfingero palmd mover arcu").moves[0].path == "arc-up"
    assert len(sign("fist extfingero palmd mover movel").poses) == 3
    there = sign("fist extfingero palmd moveo repeatreverse").poses
    assert there[0].offset == there[2].offset
    turned = sign("flathand extfingeru palml parbegin moveo replace extfingero parend").poses
    assert turned[1].fingers == "forward"
    assert turned[1].offset[2] > turned[0].offset[2]
    led = sign("flathand extfingeru palml chin touch movedo chest").poses
    assert (led[0].height, led[1].height) == ("chin", "chest")
    assert {p.shape for p in sign("finger2345 extfingeru palmd fingerplay").poses} == {
        "spread",
        "spread+halfbent.24",
        "spread+halfbent.35",
    }
    fast, slow = (sign(f"fist extfingero palmd moveo {m}").seconds for m in ("fast", "slow"))
    assert fast < 0.3 < slow


def test_what_is_not_understood_is_told():
    made, notes = read_hamnosys("hamfist hamnosense hamextfingero hampalmd hammoveo hamtense hamextfingeru")
    assert made.poses
    assert any("hamnosense" in n for n in notes)
    assert any("hamtense" in n for n in notes)
    with pytest.raises(DataError, match="0 symbols"):
        read_hamnosys("hello")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(SYMBOLS)), min_size=1, max_size=60))
def test_any_row_of_symbols_is_a_gesture(symbols):
    made, _ = read_hamnosys(" ".join(f"ham{s}" for s in symbols))
    again = inline_gesture(made.attributes())
    assert again is not None
    assert [str(p) for p in again.poses] == [str(p) for p in made.poses]
    assert again.other_moves == made.other_moves


@pytest.mark.parametrize(
    "row", ["fist between ", "parbegin ", "fist moveo repeatfromstart repeatcontinue ", "seqbegin "]
)
def test_long_rows_end(row):
    made = sign(" ".join((row * 390).split()[:390]))
    assert 1 <= len(made.poses) <= 400


# --- files -----------------------------------------------------------------------------------------------------


def test_signs_follow_each_other(tmp_path):
    show = load(tmp_path, document(HAMBURG, "hamfist hamextfingero hampalmd"), transition=0.5)
    first, second = show.plan.of("gesture")
    assert (first.attributes["lexeme"], second.attributes["lexeme"]) == ("S1", "S2")
    assert second.sync["stroke"].offset - first.sync["relax"].offset == pytest.approx(0.5)
    assert show.tier("signs").labels == ("S1", "S2")
    assert inline_gesture(first.attributes).poses == read_hamnosys(HAMBURG)[0].poses  # type: ignore[union-attr]


def test_face_and_head_become_bml_or_are_kept(tmp_path):
    head = (
        '<hnm_head tag="SH"/><hnm_eyebrows tag="RB"/><hnm_eyegaze tag="UP"/><hnm_body tag="TF"/>'
        '<hnm_mouthpicture picture="hambU6k"/><hnm_shoulder tag="UB"/>'
    )
    show = load(tmp_path, document(HAMBURG, head=head))
    kinds = {b.kind: b.attributes for b in show.plan}
    assert kinds["head"]["lexeme"] == "SHAKE"
    assert kinds["faceLexeme"]["lexeme"] == "RAISE_BROWS"
    assert kinds["gaze"]["target"] == "0,22"
    assert kinds["posture"]["lexeme"] == "FORWARD"
    assert kinds["lips"]["sigml"] == "mouthpicture:hambU6k"
    told = show.meta["sigml"]["notes"]["sign1 S1"]
    assert any("hambU6k" in t for t in told)
    assert any("shoulder:UB" in t for t in told)


def test_gestural_sigml_is_read_through_its_symbols(tmp_path):
    text = """<sigml><hamgestural_sign gloss="I"><sign_manual>
      <handconfig handshape="finger2" thumbpos="across"/><handconfig extfidir="il"/><handconfig palmor="r"/>
      <location_bodyarm location="chest" contact="touch" side="right_at"/>
      <rpt_motion repetition="fromstart"><directedmotion direction="i" size="small"/></rpt_motion>
    </sign_manual><sign_nonmanual><head_tier><head_movement movement="NO"/></head_tier></sign_nonmanual>
    </hamgestural_sign></sigml>"""
    show = load(tmp_path, text)
    gesture = show.plan.of("gesture")[0]
    assert gesture.attributes["hamnosys"] == (
        "hamfinger2 hamthumbacrossmod hamextfingeril hampalmr hamchest hamlrat hamtouch hammovei hamsmallmod "
        "hamrepeatfromstart"
    )
    assert show.plan.of("head")[0].attributes["lexeme"] == "NOD"


def test_written_and_read_again(tmp_path):
    head = '<hnm_head tag="SH"/><hnm_mouthpicture picture="a&amp;b"/>'
    show = load(tmp_path, document(HAMBURG, "hamfist hamextfingero hampalmd hammoveo", head=head))
    show.save(tmp_path / "again.sigml")
    again = formats.load(tmp_path / "again.sigml")
    assert again.plan.behaviours == show.plan.behaviours
    bml = tmp_path / "x.bml"
    show.save(bml)
    assert formats.load(bml).plan.behaviours == show.plan.behaviours
    with pytest.raises(DataError, match="HamNoSys"):
        Performance({"plan": Plan((Behaviour("g", "gesture", {}, {"lexeme": "WAVE"}),))}).save(
            tmp_path / "no.sigml"
        )
    assert not (tmp_path / "no.sigml").exists()


def test_other_xml_is_not_taken_for_it(tmp_path):
    path = tmp_path / "x.xml"
    for text in ("<bml/>", "", "\x00\xff", "<recording/>"):
        path.write_text(text, encoding="latin-1")
        assert not sigml.FORMAT.recognises(path)
    path.write_text(document(HAMBURG))
    assert sigml.FORMAT.recognises(path)
    assert not sigml.FORMAT.recognises(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "XML"),
        ("<sigml>", "XML"),
        ("<bml/>", "sigml"),
        ("<sigml/>", "signs"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><sigml/>', "entities"),
        (document("hamfist " * 500), "400"),
        ("<sigml>" + "<hns_sign/>" * 5001 + "</sigml>", "5000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, complaint):
    with pytest.raises(FormatError, match=complaint):
        load(tmp_path, text)


TAGS = ["hns_sign", "hamnosys_manual", "hamgestural_sign", "sign_manual", "handconfig", "rpt_motion", "par_motion",
        "directedmotion", "hamfist", "hammoveo", "hamparbegin", "hnm_head", "hamnosys_nonmanual", "tgt_motion", "x"]  # fmt: skip
NODES = st.recursive(
    st.sampled_from([f'<{t} tag="NO" direction="o" handshape="flat" digits="19x"/>' for t in TAGS]),
    lambda x: st.builds(
        lambda t, inner: f"<{t}>{''.join(inner)}</{t}>", st.sampled_from(TAGS), st.lists(x, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NODES, max_size=4), st.integers(0, 60))
def test_whatever_is_in_the_file_it_is_read_or_refused(tmp_path, nodes, cut):
    text = f"<sigml>{''.join(nodes)}</sigml>"
    with contextlib.suppress(FormatError):
        assert len(load(tmp_path, text[:-cut] if 0 < cut < 20 else text).tier("signs")) > 0


# --- performed -------------------------------------------------------------------------------------------------


def test_a_file_is_performed_without_speech(tmp_path):
    show = load(tmp_path, document(HAMBURG, "hamsymmlr hamflathand hamextfingero hampalml"))
    made = perform(plan=show.plan, progress=False)
    assert {f.status for f in made.plan.feedback if f.id.startswith("sign")} <= {"realised", "shifted"}
    assert "speech" not in made
    labels = [i.label for i in made.tier("gestures") if i.label.startswith("stroke")]
    assert sorted(labels) == ["stroke S1_R", "stroke S2_L", "stroke S2_R"]


def test_dictionaries_are_understood_and_performed(shared_data):
    """All 5,352 signs are read; a hundred drawn by lot are performed and their first posture measured."""
    data = json.loads((shared_data("nc-sign_hamnosys") / "hamnosys_signs.json").read_text())
    made = {k: read_hamnosys(row["hamnosys"], name="S") for k, row in data.items()}
    assert sum(not notes for _, notes in made.values()) > 0.78 * len(data)
    skeleton = load_avatar("maya").skeleton
    off = []
    dropped = 0
    for key in random.Random(5).sample(sorted(data), 100):
        gesture = made[key][0]
        body = Body(skeleton, Controls(seed=1))
        told = body.add([Behaviour("s", "gesture", {"strokeStart": "2"}, gesture.attributes())], 0.0)[0]
        dropped += told.status == "dropped"
        if told.status != "dropped":
            at = told.times["strokeStart" if len(gesture.poses) > 1 else "stroke"]
            off.append(_measured(body, skeleton, gesture.poses[0], round(at * 60)))
    assert dropped <= 1
    metres, fingers, palm, shapes = (np.array(c, dtype=float) for c in zip(*off, strict=True))
    assert np.nanmedian(metres) < 0.02
    assert np.nanpercentile(metres, 90) < 0.05
    assert np.median(fingers) < 5
    assert np.median(palm) < 5
    assert np.percentile(palm, 90) < 25
    assert np.percentile(shapes, 90) < 5


def _measured(body, skeleton, pose, frame: int) -> tuple[float, float, float, float]:
    """How far the right hand is from its pose: metres, degrees of fingers, palm and finger joints."""
    mirror, flip = np.array([-1.0, 1, 1]), np.array([1.0, 1, -1, -1])
    rotations, root = (a.astype(float) for a in body.frames(frame, frame + 1))
    places, world = (a[0] for a in skeleton.forward(rotations, root))
    hand, marks = body.figure.hand["right"], body.figure.marks["right"]
    near = pose.distance in ("touch", "close") and not pose.on
    face = ("crown", "forehead", "brows", "eyes", "ears", "nose", "cheeks", "mouth", "chin", "underchin")
    joint = INDEX["head" if near and pose.height in face else "upperChest"]
    frame_turn = rot.conjugate(world[joint] * flip)
    turn = rot.multiply(frame_turn, world[INDEX["rightHand"]] * flip)

    def degrees(a, b) -> float:
        return float(np.degrees(np.arccos(np.clip(a @ np.array(b), -1, 1))))

    fingers = degrees(rot.rotate(turn, hand.fingers), direction(pose.fingers))
    palm = degrees(rot.rotate(turn, hand.palm), direction(pose.palm))
    metres = np.nan
    if not pose.on:
        asked = place(pose, marks, hand)
        pivot = hand.centre if asked.pivot is None else asked.pivot
        goal = asked.wrist + rot.rotate(orientation(hand, asked.palm, asked.fingers), pivot)
        wrist = rot.rotate(frame_turn, (places[INDEX["rightHand"]] - places[joint]) * mirror)
        seen = wrist + skeleton.rest[joint] * mirror + rot.rotate(turn, pivot)
        metres = float(np.linalg.norm(goal - seen))
    joints = rotations[0, RIGHT_FINGERS] * flip
    assert len(joints) == len(LEFT_FINGERS)
    wanted = rot.normalise(hand.rotations(shape(pose.shape).ravel()))
    return metres, fingers, palm, float(np.degrees(rot.angle(rot.normalise(joints), wanted)).mean())
