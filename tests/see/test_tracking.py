"""Who is who from picture to picture."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

from kinesics.bodies.humanoid import INDEX
from kinesics.see import models
from kinesics.see.tracking import LOOK, Tracker
from tests.faces import portrait, scene

pytestmark = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")


def faces(**options) -> Tracker:
    return Tracker(25.0, hands=False, body=False, threads=1, **options)


def one(number: int, share: int = 1) -> np.ndarray:
    image = portrait(number)[2].rgb
    return np.ascontiguousarray(image[::share, ::share])


def test_a_face_is_followed_where_it_goes():
    tracker, middles, ways = faces(), [], []
    for k in range(20):
        x, y = 10 + 9 * k, 20 + (k % 3)
        (who,) = tracker.push(scene([(one(0), x, y)]))
        middles.append(who.face.points[:468, :2].mean(axis=0))
        ways.append((x, y))
    assert who.number == 0
    moved, way = np.diff(middles, axis=0)[5:], np.diff(ways, axis=0)[5:]
    assert np.abs(moved.mean(axis=0) - way.mean(axis=0)).max() < 0.3
    # The filter lets go of what moves: at 9 pixels a picture it is less than two behind.
    offset = np.array(middles) - ways
    assert np.abs(offset[8:, 0] - offset[0, 0]).max() < 2.5


def test_two_people_keep_their_numbers_when_they_come_and_go():
    tracker, seen = faces(), []
    for k in range(4 * LOOK):
        here = [(one(0), 10, 20)] if not LOOK < k < 2 * LOOK else []
        here += [(one(1), 250, 20)] if k >= LOOK // 2 else []
        seen.append({w.number: w.face.points[1, 0] for w in tracker.push(scene(here))})
    assert set(seen[2]) == {0}
    assert set(seen[LOOK + 2]) <= {0, 1}
    assert 1 in seen[LOOK + 2]
    assert set(seen[LOOK + 5]) == {1}
    assert set(seen[-1]) == {0, 1}
    assert seen[-1][0] < 240 < seen[-1][1]


def test_a_cut_to_somebody_else_is_somebody_else_and_back_is_the_first():
    tracker = faces()
    for _ in range(6):
        (first,) = tracker.push(scene([(one(0), 100, 20)]))
    other = 255 - scene([])
    other[20:244, 100:324] = one(1)
    for _ in range(6):
        (second,) = tracker.push(other)
    (third,) = tracker.push(scene([(one(0), 100, 20)]))
    assert (first.number, second.number, third.number) == (0, 1, 0)


def test_no_more_people_than_asked_for():
    tracker = faces(people=1)
    assert len(tracker.push(scene([(one(0), 10, 20), (one(1), 250, 20)]))) == 1


def test_nobody_is_nobody_and_later_somebody_is_seen():
    tracker = faces()
    assert tracker.push(scene([])) == []
    found = [tracker.push(scene([(one(0), 100, 20)])) for _ in range(LOOK + 1)]
    assert len(found[3]) == 1


def test_a_portrait_a_small_face_and_a_large_picture():
    tall = faces().push(scene([(one(0), 20, 90)], width=270, height=480))
    assert len(tall) == 1
    small = faces().push(scene([(one(0, 4), 200, 100)]))
    assert len(small) == 1
    assert small[0].face.points[:468, 1].max() < 160
    tiny = faces().push(scene([(one(0, 12), 200, 100)]))
    assert tiny == []
    big = np.kron(scene([(one(0), 100, 20)], width=480, height=270), np.ones((8, 8, 1), np.uint8))
    (huge,) = faces(smooth=False).push(big)
    (plain,) = faces(smooth=False).push(scene([(one(0), 100, 20)]))
    away = np.linalg.norm(huge.face.points[:468, :2] / 8 - plain.face.points[:468, :2], axis=1)
    assert np.median(away) < 2


def test_who_is_known_is_met_again_in_another_process():
    before = faces()
    for _ in range(3):
        before.push(scene([(one(1), 10, 20), (one(0), 250, 20)]))
    names = {
        w.number: w.face.points[1, 0] < 240 for w in before.push(scene([(one(1), 10, 20), (one(0), 250, 20)]))
    }
    after = faces()
    after.meet_again(before.people())
    again = after.push(scene([(one(1), 10, 20), (one(0), 250, 20)]))
    assert {w.number: w.face.points[1, 0] < 240 for w in again} == names


def test_somebody_whose_face_is_hidden_is_followed_by_the_body_and_hands_are_on_their_sides():
    _, _, shot = portrait(1, "body", 360)
    tracker = Tracker(25.0, threads=1)
    hidden = shot.rgb.copy()
    x, y = shot.joints[INDEX["head"]].astype(int)
    hidden[max(0, y - 30) : y + 6, x - 18 : x + 18] = 120
    for _ in range(4):
        here = tracker.push(shot.rgb)
    assert len(here) == 1
    assert here[0].pose is not None
    for side, wrist in (("left", "leftHand"), ("right", "rightHand")):
        if side in here[0].hands:
            away = np.linalg.norm(here[0].hands[side].points[0, :2] - shot.joints[INDEX[wrist]])
            assert away < 25, side
    for _ in range(6):
        later = tracker.push(hidden)
    assert [w.number for w in later] == [here[0].number]
    assert later[0].pose is not None


def test_several_trackers_may_run_at_once():
    from concurrent.futures import ThreadPoolExecutor

    def follow(number: int) -> np.ndarray:
        tracker = faces()
        return [tracker.push(scene([(one(number), 10 + 4 * k, 20)])) for k in range(8)][-1][0].face.points

    alone = [follow(n) for n in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(follow, (0, 1)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_nobody_jumps_after_the_first_picture():
    image = portrait(1, "body", 360)[2].rgb
    tracker = Tracker(25.0, threads=1, smooth=False)
    seen = [tracker.push(image)[0] for _ in range(7)]
    assert seen[-1].hands
    for part in ("pose", "left", "right"):
        found = [who.pose if part == "pose" else who.hands.get(part) for who in seen]
        found = [f.points[:25, :2] for f in found if f is not None]
        assert all(np.linalg.norm(f - found[0], axis=1).mean() < 1.0 for f in found), part


def test_networks_that_run_side_by_side_see_the_same():
    image = portrait(1, "half", 300)[2].rgb

    def seen(threads: int) -> np.ndarray:
        tracker = Tracker(25.0, threads=threads)
        (who,) = [tracker.push(image) for _ in range(LOOK + 2)][-1]
        return np.concatenate([who.face.points, who.pose.points, *(h.points for h in who.hands.values())])

    assert np.array_equal(seen(1), seen(2))


def test_somebody_who_passes_before_another_does_not_become_the_other():
    tracker, seen = faces(), []
    stays = [(one(0, 2), 190, 60)]
    for x in [*[-200] * LOOK, *range(-60, 400, 7)]:
        seen.append(
            {w.number: w.face.points[1, 0] - x for w in tracker.push(scene([*stays, (one(1, 2), x, 50)]))}
        )
    passed = [s for s in seen[LOOK:] if 1 in s]
    assert len(passed) > 50
    nose = passed[3][1]
    assert max(abs(s[1] - nose) for s in passed) < 15
    assert 0 in seen[-1]
    assert all(len(s) <= 2 and set(s) <= {0, 1} for s in seen)
