"""The lexicon: complete, checked, and clear about what is wrong with an entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinesics.behaviour.lexicon import (
    SCHEMAS,
    apex,
    gesture,
    gesture_table,
    lexicon,
    parse_gesture,
    read_lexicon,
)
from kinesics.errors import DataError
from kinesics.performance.gesture import CATEGORIES, Move, direction

POSE = "flat palm:forward fingers:up @ chest ipsi mid"


def test_at_least_eighty_gestures_of_every_kind() -> None:
    known = lexicon()
    assert len(known) >= 80
    assert {g.category for g in known.values()} == set(CATEGORIES)
    assert {g.schema for g in known.values()} - {""} == set(SCHEMAS)
    assert len({(g.poses, g.other, g.moves, g.extra.get("hand")) for g in known.values()}) == len(known)
    assert sum(g.category == "beat" for g in known.values()) >= 10


@pytest.mark.parametrize(
    "lexeme",
    "WAVE OK THUMBS_UP STOP COME_HERE QUIET SHRUG CLAP SALUTE PRAY FINGERS_CROSSED CALL_ME MONEY SELF YOU HERE THERE "
    "POINT_LEFT POINT_RIGHT POINT_UP POINT_DOWN BEHIND WE_ALL BIG SMALL TALL LONG WIDE ROUND FLAT THIN THICK DEEP BOX BALL "
    "TUBE STAIRS WAVES ZIGZAG ONE TWO THREE FOUR FIVE LIST_FINGERS WIPE_AWAY NO_WAG PALMS_CROSS QUESTION WEIGH CHIN "
    "CHEST_RUB HEAD_SCRATCH HANDS_CLASP THINK_TEMPLE OFFER ON_ONE_HAND ON_OTHER_HAND PAST FUTURE NOW CYCLE PRECISE "
    "ALL_SWEEP TOGETHER BETWEEN".split(),
)
def test_has(lexeme: str) -> None:
    assert gesture(lexeme).lexeme == lexeme


def test_everything_but_beats_means_something() -> None:
    for g in lexicon().values():
        assert bool(g.means) == (g.category != "beat"), g.lexeme


def test_palm_and_fingers_fit_one_hand() -> None:
    for g in lexicon().values():
        for pose in (*g.poses, *g.other):
            dot = sum(a * b for a, b in zip(direction(pose.palm), direction(pose.fingers), strict=True))
            assert abs(dot) < 0.76, (g.lexeme, pose)


def test_strokes_are_as_long_as_arms_can_make_them() -> None:
    for g in lexicon().values():
        repeats = sum(m.repeats for m in g.moves)
        assert g.seconds / max(1, repeats) >= 0.12, g.lexeme
        assert 0 <= apex(g) <= 1


def test_sized_gestures_have_an_axis_and_a_natural_size() -> None:
    sized = [g for g in lexicon().values() if "axis" in g.extra]
    assert {"BIG", "SMALL", "TALL", "LONG", "WIDE", "DEEP", "THICK", "THIN"} <= {g.lexeme for g in sized}
    assert all(0 < float(g.extra["size"]) < 1.5 for g in sized)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({}, "no pose"),
        ({"poses": ["flap palm:forward fingers:up @ chest"]}, "flap"),
        ({"poses": ["flat palm:sideways @ chest"]}, "sideways"),
        ({"poses": ["flat palm:up fingers:up @ chest"]}, "parallel"),
        ({"poses": ["flat palm:out fingers:forward @ chest"]}, "wrist"),
        ({"poses": [POSE, "@ waist"]}, "moves"),
        ({"poses": [POSE, "@ waist"], "moves": ["loop"]}, "loop"),
        ({"poses": [POSE, "@ waist"], "moves": ["straight xx"]}, "move"),
        ({"poses": [POSE], "seconds": 9}, "seconds|stroke"),
        ({"poses": [POSE], "colour": "red"}, "colour"),
        ({"poses": [POSE], "schema": "WALLS"}, "WALLS"),
        ({"poses": [POSE], "hand": "third"}, "third"),
        ({"poses": [POSE], "other": [POSE, POSE]}, "other"),
        ({"poses": "flat"}, "X"),
    ],
)
def test_errors_name_the_entry(entry: dict, complaint: str) -> None:
    with pytest.raises(DataError, match="gesture 'X'") as error:
        parse_gesture("X", entry)
    assert error.match(complaint)


def test_unknown_gesture_lists_near_ones_and_all() -> None:
    with pytest.raises(DataError, match=r"did you mean.*WAVE.*choose one of.*ZIGZAG"):
        gesture("WAVEE")


def test_files_of_ones_own(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'[BOW_ARMS]\nposes = ["{POSE}"]\nmeans = ["your majesty"]\n')
    assert read_lexicon(path)["BOW_ARMS"].means == ("your majesty",)
    path.write_text("[BOW_ARMS]\nposes = [\n")
    with pytest.raises(DataError, match=r"mine\.toml"):
        read_lexicon(path)
    path.write_text("BOW = 3\n")
    with pytest.raises(DataError, match="BOW"):
        read_lexicon(path)
    with pytest.raises(DataError, match=r"gone\.toml"):
        read_lexicon(tmp_path / "gone.toml")


def test_moves_and_table() -> None:
    move = Move.parse("wave x3 0.08 /2")
    assert (move.path, move.repeats, move.size, move.share) == ("wave", 3, 0.08, 2.0)
    assert gesture_table().count("\n") == len(lexicon()) + 1


def test_the_page_of_gestures_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "gestures.md"
    assert gesture_table() in page.read_text(encoding="utf-8")
