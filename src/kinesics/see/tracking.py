"""Following people from picture to picture: whose face, hands and body each found thing is.

Detectors look only for what is not followed yet: for faces every :data:`LOOK` pictures, and at once when one is lost. What is
followed is looked for where it was. A face that comes back is taken for the same person if its place, size and colours
fit; nobody is identified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.see import landmarks as lm
from kinesics.see.crops import Region, kernels
from kinesics.see.detectors import Detector, overlap
from kinesics.see.landmarks import Found
from kinesics.see.smoothing import OneEuro

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

LOOK = 12
"""Pictures between looks for newcomers."""
FACE_SCORE, HAND_SCORE, POSE_SCORE = 0.5, 0.5, 0.5
LARGEST = 1280
"""Pixels of the longer side beyond which detectors and networks see a smaller picture (by a whole factor)."""
SMALLEST = 20
"""Pixels between the ears of the smallest face that is followed."""
_FORGET = 250
"""Pictures after which somebody who is gone is somebody else when they come back."""

# What must not lag: lids and lips; the rest of a face is calmer.
_QUICK = np.zeros(lm.FACE_POINTS, bool)
_QUICK[468:] = True
_QUICK[[
    0, 11, 12, 13, 14, 15, 16, 17, 37, 38, 39, 40, 41, 42, 61, 62, 72, 73, 74, 76, 77, 78, 80, 81, 82, 84, 85, 86, 87, 88,
    89, 90, 91, 95, 96, 146, 178, 179, 180, 181, 183, 184, 185, 191, 267, 268, 269, 270, 271, 272, 291, 292, 302, 303, 304,
    306, 307, 308, 310, 311, 312, 314, 315, 316, 317, 318, 319, 320, 321, 324, 325, 375, 402, 403, 404, 405, 407, 408, 409,
    415, 33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 263, 249, 390, 373, 374, 380, 381,
    382, 362, 398, 384, 385, 386, 387, 388, 466, 200, 199, 175, 152,
]] = True  # fmt: skip


@dataclass
class Followed:
    """Somebody who is followed.

    Parameters
    ----------
    number
        Who, counted from 0.
    look
        (d,) colours about the face.
    face, pose
        As last found; None: not in this picture.
    hands
        The person's left and right hand.
    seen, place
        Number of the picture in which the face was last seen, and where it was, pixels.
    smooth
        Filters of what is followed.
    """

    number: int
    look: Array
    face: Found | None = None
    pose: Found | None = None
    hands: dict[str, Found] = field(default_factory=dict)
    seen: int = 0
    place: Array = field(default_factory=lambda: np.zeros(2, np.float32))
    smooth: dict[str, OneEuro] = field(default_factory=dict)

    def calm(self, what: str, points: Array, size: float, rate: float, *, quick: bool = False) -> Array:
        """Points smoothed in units of ``size``, with no lag on what is quick."""
        if what not in self.smooth:
            beta: Any = np.where(_QUICK, 30.0, 6.0)[:, None].astype(np.float32) if quick else 3.0
            rest = np.where(_QUICK, 6.0, 2.5)[:, None].astype(np.float32) if quick else 2.0
            self.smooth[what] = OneEuro(rate, rest=rest, beta=beta, speed=4.0)  # type: ignore[arg-type]
        return self.smooth[what](points / size) * size


class Tracker:
    """Finds and follows everybody in a stream of pictures of one size.

    Parameters
    ----------
    rate
        Pictures a second.
    hands, body
        Whether these are looked for.
    people
        How many at most.
    smooth
        Whether points are calmed.
    threads
        Of the networks; all by default.

    Examples
    --------
    >>> tracker = Tracker(25.0)  # doctest: +SKIP
    >>> [(who.number, who.face.points.shape) for who in tracker.push(rgb)]  # doctest: +SKIP
    [(0, (478, 3))]
    """

    def __init__(
        self,
        rate: float,
        *,
        hands: bool = True,
        body: bool = True,
        people: int = 8,
        smooth: bool = True,
        threads: int | None = None,
    ) -> None:
        self.rate, self._most, self._smooth = rate, people, smooth
        self._near, self._far = (Detector(k, threads=threads) for k in ("face", "far_face"))
        self._mesh = lm.FaceMesh(threads=threads)
        self._palm = Detector("palm", threads=threads) if hands else None
        self._hand = lm.HandMesh(threads=threads) if hands else None
        self._person = Detector("pose", threads=threads) if body else None
        self._pose = lm.PoseMesh(threads=threads) if body else None
        self._bodies: list[Followed] = []
        self._count = self._met = 0
        self._retry: dict[str, int] = {}

    def push(self, image: Image) -> list[Followed]:
        """Who is in the next picture (H, W, 3) uint8; points are in its pixels. The same objects come back each time."""
        small, times = _reduced(image)
        self._follow_faces(small)
        lost = any(b.face is None and self._count - b.seen < LOOK for b in self._bodies)
        none = not any(b.face for b in self._bodies)
        if (none and self._due("face", 3)) or (lost and self._due("face", 2)) or self._count % LOOK == 0:
            self._find_faces(small)
        here = [b for b in self._bodies if b.face]
        self._follow_bodies(small, here)
        self._follow_hands(small, here)
        self._bodies = [b for b in self._bodies if self._count - b.seen < _FORGET]
        self._count += 1
        return [self._shown(b, times) for b in here]

    def people(self) -> list[dict[str, Any]]:
        """Who is known, in plain values: :meth:`meet_again` takes them in another process."""
        return [
            {
                "number": b.number,
                "look": b.look.tolist(),
                "place": b.place.tolist(),
                "seen": b.seen - self._count,
            }
            for b in self._bodies
        ]

    def meet_again(self, people: list[dict[str, Any]]) -> None:
        """Know those again whom :meth:`people` told of; their faces are looked for at once."""
        self._bodies = [
            Followed(
                int(p["number"]), np.float32(p["look"]), seen=int(p["seen"]), place=np.float32(p["place"])
            )
            for p in people
        ]
        self._met = max((b.number for b in self._bodies), default=-1) + 1

    def _due(self, what: str, every: int) -> bool:
        """Whether it is time to look again for what was not found."""
        if self._count >= self._retry.get(what, 0):
            self._retry[what] = self._count + every
            return True
        return False

    def _follow_faces(self, image: Image) -> None:
        for body in self._bodies:
            if body.face is None:
                continue
            found = self._mesh(image, body.face.region)
            body.face = found if found.score >= FACE_SCORE and _possible(found, image) else None
            if body.face is None:
                body.pose, body.hands = None, {}
                body.smooth.clear()
        # Two who have come to follow one face: the newer one was wrong.
        for body in self._bodies[1:]:
            if body.face is not None and any(
                other.face and _same(other.face, body.face)
                for other in self._bodies[: self._bodies.index(body)]
            ):
                body.face = None
                body.smooth.clear()

    def _find_faces(self, image: Image) -> None:
        found = self._near(image)
        if not len(found):
            found = self._far(image)
        for box, points in zip(found.boxes, found.points, strict=True):
            taken = [b.face for b in self._bodies if b.face]
            if any(overlap(_box(f.points)[None], box)[0] > 0.2 for f in taken) or len(taken) >= self._most:
                continue
            if np.linalg.norm(points[4] - points[5]) < SMALLEST:
                continue
            face = self._mesh(image, lm.face_region(box, points))
            if face.score < FACE_SCORE or not _possible(face, image) or any(_same(f, face) for f in taken):
                continue
            self._meet(image, face)

    def _meet(self, image: Image, face: Found) -> None:
        """Somebody's face is back, or somebody new is here."""
        look = _colours(image, face)
        size = face.region.size
        away = [b for b in self._bodies if b.face is None]
        best, least = None, 0.5
        for body in away:
            gone = (self._count - body.seen) / _FORGET
            place = float(np.linalg.norm(_middle(face) - body.place)) / size
            cost = float(np.abs(look - body.look).sum()) / 2 + 0.15 * min(place, 4.0) * (1 - 0.7 * gone)
            if cost < least:
                best, least = body, cost
        if best is None:
            best = Followed(self._met, look)
            self._met += 1
            self._bodies.append(best)
        best.face, best.look = face, look

    def _follow_bodies(self, image: Image, here: list[Followed]) -> None:
        if self._pose is None or self._person is None:
            return
        for body in here:
            if body.pose is not None:
                found = self._pose(image, body.pose.region)
                body.pose = found if found.score >= POSE_SCORE and _belongs(found, body) else None
        if any(b.pose is None for b in here) and self._due("pose", 5):
            seen = self._person(image)
            for points in seen.points:
                found = self._pose(image, lm.pose_region(points))
                for body in here:
                    if body.pose is None and found.score >= POSE_SCORE and _belongs(found, body):
                        body.pose = found
                        break
            for body in here:
                # With several people the detector takes the largest: the others are looked for below their faces.
                if body.pose is None and body.face is not None:
                    found = self._pose(image, _below(body.face))
                    if found.score >= POSE_SCORE and _belongs(found, body):
                        body.pose = found

    def _follow_hands(self, image: Image, here: list[Followed]) -> None:
        if self._hand is None or self._palm is None:
            return
        for body in here:
            for side, hand in list(body.hands.items()):
                found = self._hand(image, hand.region)
                if found.score >= HAND_SCORE and _inside(found, image):
                    body.hands[side] = found
                else:
                    del body.hands[side]
                    body.smooth.pop(side, None)
            if len(body.hands) == 2 and _crowded(*body.hands.values()):
                worse = min(body.hands, key=lambda s: body.hands[s].score)
                del body.hands[worse]
                body.smooth.pop(worse, None)
        if all(len(b.hands) == 2 for b in here) or not here or not self._due("hands", 6):
            return
        seen = self._palm(image)
        for box, points in zip(seen.boxes, seen.points, strict=True):
            known = [h for b in here for h in b.hands.values()]
            if any(_covers(h, box) for h in known):
                continue
            hand = self._hand(image, lm.hand_region(box, points))
            if hand.score >= HAND_SCORE:
                self._give(hand, here)

    def _give(self, hand: Found, here: list[Followed]) -> None:
        """A new hand goes to whose wrist is nearest, else to whose face is, on the side that it is of."""
        options: list[tuple[float, Followed, str]] = []
        for body in here:
            for side, wrist in (("left", 15), ("right", 16)):
                if side in body.hands:
                    continue
                doubt = 1 - hand.left if side == "left" else hand.left
                if body.pose is not None and body.pose.sure is not None and body.pose.sure[wrist] > 0.3:
                    away = np.linalg.norm((hand.points[0] - body.pose.points[wrist])[:2]) / hand.region.size
                    options.append((float(away) + 0.5 * doubt, body, side))
                elif body.face is not None:
                    away = np.linalg.norm(hand.points[0, :2] - _middle(body.face)) / (
                        4 * body.face.region.size
                    )
                    options.append((1.0 + float(away) + doubt, body, side))
        if options:
            cost, body, side = min(options, key=lambda o: o[0])
            if cost < 3:
                body.hands[side] = hand

    def _shown(self, body: Followed, times: int) -> Followed:
        """In the pixels of the picture that came, calmed."""
        assert body.face is not None
        body.seen = self._count
        body.place = _middle(body.face)
        shown = Followed(body.number, body.look, seen=body.seen)
        size = body.face.region.size / 1.5
        calm = body.calm if self._smooth else (lambda what, points, size, rate, quick=False: points)
        shown.face = _scaled(body.face, calm("face", body.face.points, size, self.rate, quick=True), times)
        if body.pose is not None:
            shown.pose = _scaled(
                body.pose, calm("pose", body.pose.points, size, self.rate), times,
                calm("pose_3d", body.pose.world, 0.2, self.rate),
            )  # fmt: skip
        else:
            body.smooth.pop("pose", None)
        for side, hand in body.hands.items():
            scale = hand.region.size / 2
            shown.hands[side] = _scaled(
                hand, calm(side, hand.points, scale, self.rate), times,
                calm(f"{side}_3d", hand.world, 0.1, self.rate),
            )  # fmt: skip
        return shown


def _reduced(image: Image) -> tuple[Image, int]:
    times = -(-max(image.shape[:2]) // LARGEST)
    image = np.ascontiguousarray(image)
    if times <= 1:
        return image, 1
    out = np.empty((image.shape[0] // times, image.shape[1] // times, 3), np.uint8)
    kernels().shrink(image, times, out)
    return out, times


def _scaled(found: Found, points: Array, times: int, world: Array | None = None) -> Found:
    region = Region(
        *(times * v for v in (found.region.x, found.region.y, found.region.size)), found.region.turn
    )
    return Found(
        points * np.float32(times),
        found.score,
        region,
        found.world if world is None else world,
        found.sure,
        found.left,
    )


def _box(points: Array) -> Array:
    flat = points[:468, :2] if len(points) == lm.FACE_POINTS else points[:, :2]
    return np.concatenate([flat.min(axis=0), flat.max(axis=0)])


def _middle(found: Found) -> Array:
    return np.array([found.region.x, found.region.y], np.float32)


def _same(one: Found, other: Found) -> bool:
    return bool(overlap(_box(one.points)[None], _box(other.points))[0] > 0.4)


def _inside(found: Found, image: Image) -> bool:
    x, y = _middle(found)
    return 0 <= x < image.shape[1] and 0 <= y < image.shape[0]


def _possible(found: Found, image: Image) -> bool:
    """Whether a face is in the picture and of a size that can be read."""
    return _inside(found, image) and found.region.size / 1.5 >= SMALLEST


def _belongs(pose: Found, body: Followed) -> bool:
    """Whether a body's nose is in somebody's face."""
    if body.face is None:
        return False
    away = np.linalg.norm(pose.points[0, :2] - body.face.points[1, :2])
    return bool(away < 0.5 * body.face.region.size / 1.5)


def _below(face: Found) -> Region:
    size = face.region.size / 1.5
    return Region(face.region.x, face.region.y + 2.2 * size, 9.0 * size)


def _crowded(one: Found, other: Found) -> bool:
    size = max(one.region.size, other.region.size)
    return bool(np.linalg.norm((one.points - other.points)[:, :2], axis=1).mean() < 0.08 * size)


def _covers(hand: Found, box: Array) -> bool:
    middle = (box[:2] + box[2:]) / 2
    return bool(np.linalg.norm(middle - hand.points[[0, 5, 17], :2].mean(axis=0)) < 0.25 * hand.region.size)


def _colours(image: Image, face: Found) -> Array:
    """(48,) shares of colours in the square around a face, hair and clothes below it included."""
    region = Region(face.region.x, face.region.y + 0.15 * face.region.size, 1.1 * face.region.size)
    seen = region.crop(image, 24, high=0.999)[0].reshape(-1, 3)
    parts = [np.bincount((seen[:, k] * 16).astype(int), minlength=16) / len(seen) for k in range(3)]
    return (np.concatenate(parts) / 3).astype(np.float32)
