"""What was found in each picture, on disk."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("numba")

from kinesics.errors import FormatError
from kinesics.reading._recording import ROW, Recording
from kinesics.see.crops import Region
from kinesics.see.landmarks import FACE_POINTS, Found
from kinesics.see.tracking import Followed

TOLD = {"video": "a.mp4"}
NOBODY = SimpleNamespace(people=lambda: [])


def someone(number: int, value: float) -> Followed:
    points = np.full((FACE_POINTS, 3), value, np.float32)
    return Followed(number, np.zeros(48, np.float32), face=Found(points, 0.9, Region(0, 0, 1)))


def seen(recording: Recording) -> dict[int, tuple[int, list[float]]]:
    return {n: (first, rows["landmarks"][:, 7, 0].tolist()) for n, (first, rows) in recording.rows().items()}


def test_rows_begin_when_somebody_comes_and_end_when_they_were_last_seen(tmp_path):
    recording = Recording(tmp_path, TOLD)
    for here in ([0], [0, 1], [1], [0, 1], [0], []):
        recording.add([someone(n, 10 * n + recording.frames) for n in here])
    assert recording.frames == 6
    assert seen(recording) == {0: (0, [0, 1, 0, 3, 4]), 1: (1, [11, 12, 13])}


def test_somebody_who_is_gone_takes_up_no_more_room_and_no_open_file(tmp_path):
    recording = Recording(tmp_path, TOLD)
    for number in range(300):
        recording.add([someone(number, 1)])
    assert len(recording._files) == 1
    sizes = [p.stat().st_size for p in tmp_path.glob("person-*")]
    recording.keep(NOBODY)
    assert len(sizes) == 300
    assert max(sizes) <= ROW.itemsize


def test_lost_pictures_hold_nobody(tmp_path):
    recording = Recording(tmp_path, TOLD)
    for lost in (False, True, False):
        recording.add([someone(0, 5)], lost=lost)
    assert recording.lost == [1]
    assert seen(recording) == {0: (0, [5, 0, 5])}


def test_a_killed_reading_goes_on_from_what_was_kept(tmp_path):
    before = Recording(tmp_path, TOLD)
    before.add([someone(0, 1)])
    before.add([someone(0, 2), someone(1, 12)], lost=False)
    before.keep(SimpleNamespace(people=lambda: [{"number": 1}]))
    for _ in range(3):  # written, but not kept: as if killed here
        before.add([someone(0, 99), someone(2, 99)])
    for file in before._files.values():
        file.flush()
    after = Recording(tmp_path, TOLD)
    assert after.frames == 2
    assert after.people == [{"number": 1}]
    after.add([])
    after.add([someone(0, 4), someone(2, 24)])
    assert seen(after) == {0: (0, [1, 2, 0, 4]), 1: (1, [12]), 2: (3, [24])}


def test_a_recording_of_something_else_is_begun_anew(tmp_path):
    before = Recording(tmp_path, TOLD)
    for _ in range(3):
        before.add([someone(0, 1)])
    before.keep(NOBODY)
    other = Recording(tmp_path, {"video": "b.mp4"})
    assert other.frames == 0
    other.add([someone(0, 7)])
    assert seen(other) == {0: (0, [7])}


@pytest.mark.parametrize("state", ["no json", "{}", '{"told": {"video": "a.mp4"}, "frames": "x"}'])
def test_a_damaged_state_says_what_to_delete(tmp_path, state):
    (tmp_path / "reading.json").write_text(state)
    with pytest.raises(FormatError, match="delete"):
        Recording(tmp_path, TOLD)


def test_a_state_whose_rows_are_gone_says_so(tmp_path):
    before = Recording(tmp_path, TOLD)
    before.add([someone(0, 1)])
    before.keep(NOBODY)
    (tmp_path / "person-0.rows").unlink()
    with pytest.raises(FormatError, match="delete"):
        Recording(tmp_path, TOLD)
