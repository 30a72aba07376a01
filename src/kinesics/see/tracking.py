"""Following people from picture to picture: whose face, hands and body each found thing is.

Detectors look only for what is not followed yet: for faces and bodies every :data:`LOOK` pictures, and at once when one is
lost. What is followed is looked for where it was; somebody who turns away is followed by the body alone. Who comes back is
taken for the same person if place, size and colours fit; nobody is identified.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.see import landmarks as lm
from kinesics.see.crops import Region, kernels
from kinesics.see.detectors import Detections, Detector, overlap
from kinesics.see.face_shape import LOOKS
from kinesics.see.landmarks import Found
from kinesics.see.smoothing import OneEuro

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

LOOK = 12
"""Pictures between looks for newcomers."""
FACE_SCORE, HAND_SCORE, POSE_SCORE = 0.5, 0.5, 0.5
SURE = 0.9
"""Least score of a hand that no wrist is near, and of a body that no face belongs to."""
LARGEST = 2560
"""Pixels of the longer side beyond which detectors and networks see a smaller picture (by a whole factor)."""
SMALLEST = 20
"""Pixels of the side of the smallest face that is followed."""
ALIKE = 0.2
"""Share of colours that may differ between two looks at one person (ours: people of the stage before one wall differ by more)."""
UNLIKE = 0.05
"""Share of colours by which one person must suit a face better than another who was there before (ours)."""
CUT = 30.0
"""Mean change of colour values (0 to 255) from one picture to the next that is a cut (ours)."""
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


# Cut-off at rest in Hz, and how fast it rises with speed. Lids and lips are calmed less at rest, but all points of a face
# let go alike: else the quick ones would slide over the others whenever the head turns.
_CALM: dict[str, tuple[Any, float]] = {
    "face": (np.where(_QUICK, 6.0, 1.5)[:, None].astype(np.float32), 60.0),
    "hand": (2.0, 8.0),
    "pose": (2.0, 3.0),
}
_WRISTS = {"left": (15, 17, 19), "right": (16, 18, 20)}
"""Wrist, little and index finger of each hand among the body's points."""


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
    looks
        Small grey pictures of the face by name, as :data:`kinesics.see.face_shape.LOOKS` cuts them.
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
    looks: dict[str, Image] = field(default_factory=dict)
    hands: dict[str, Found] = field(default_factory=dict)
    seen: int = 0
    place: Array = field(default_factory=lambda: np.zeros(2, np.float32))
    smooth: dict[str, OneEuro] = field(default_factory=dict)

    def calm(self, what: str, points: Array, size: float, rate: float) -> Array:
        """Points smoothed; ``size`` is what their speed is measured in."""
        if what not in self.smooth:
            rest, beta = _CALM["face" if what == "face" else "pose" if what.startswith("pose") else "hand"]
            self.smooth[what] = OneEuro(rest=rest, beta=beta, speed=4.0)
        return self.smooth[what](points, rate, size)

    def gone(self, *parts: str) -> None:
        """What was followed of these parts is forgotten, filters included."""
        for part in parts:
            if part in ("face", "pose"):
                setattr(self, part, None)
            self.hands.pop(part, None)
            for name in (part, f"{part}_3d"):
                self.smooth.pop(name, None)


class Tracker:
    """Finds and follows everybody in a stream of pictures; where their size changes, another shot begins.

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
        How many networks run at a time; by default one for each processor, four at most. What is found is the same.

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
        # These networks are small: two at a time on a thread each are faster than one on two.
        self._near, self._far = (Detector(k, threads=1) for k in ("face", "far_face"))
        self._mesh = lm.FaceMesh(threads=1)
        self._palm = Detector("palm", threads=1) if hands else None
        self._hand = lm.HandMesh(threads=1) if hands else None
        self._person = Detector("pose", threads=1) if body else None
        self._pose = lm.PoseMesh(threads=1) if body else None
        threads = min(os.cpu_count() or 1, 4) if threads is None else threads
        self._side_by_side = ThreadPoolExecutor(threads, "kinesics-see") if threads > 1 else None
        self._bodies: list[Followed] = []
        self._count = self._met = self._cut = 0
        self._thumbnail: Array | None = None
        self._retry: dict[str, int] = {}

    def push(self, image: Image, *, rate: float | None = None) -> list[Followed]:
        """Who is in the next picture.

        Parameters
        ----------
        image
            (H, W, 3) uint8.
        rate
            Pictures a second as the time since the one before tells, where pictures do not come evenly.

        Returns
        -------
        list of Followed
            Copies; points are in the picture's pixels.
        """
        small, times = _reduced(image)
        look = self._cuts(small) or self._count % LOOK == 0
        seen = self._glance(small, look)
        self._follow_faces(small, seen)
        self._follow_hands(small, seen)
        self._follow_poses(small, seen)
        self._find_faces(small, seen if look else None)
        self._find_poses(small, seen if look else None)
        here = [b for b in self._bodies if b.face or b.pose]
        for body in self._bodies:
            if body not in here:
                body.gone("left", "right")
        self._find_hands(small, here)
        shown = [self._shown(b, small, times, rate or self.rate) for b in here]
        self._bodies = [b for b in self._bodies if self._count - b.seen < _FORGET]
        self._count += 1
        return shown

    def _cuts(self, image: Image) -> bool:
        """Whether another shot begins; nobody is where they were then."""
        down, across = (max(1, n // 24) for n in image.shape[:2])
        now = image[down // 2 :: down, across // 2 :: across].astype(np.float32)
        last, self._thumbnail = self._thumbnail, now
        if last is None or (last.shape == now.shape and float(np.abs(now - last).mean()) < CUT):
            return False
        self._cut = self._count
        for body in self._bodies:
            body.gone("face", "pose", "left", "right")
        return True

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

    def _glance(self, image: Image, look: bool) -> dict[Any, Any]:
        """What is where something was, by person and part, and with ``look`` what each detector finds, by its kind.

        None of these needs another, so that they run side by side, the longest first.
        """
        jobs: list[tuple[Any, Any, Region | None]] = []
        if look:
            kinds = {"pose": self._person, "far_face": self._far, "face": self._near}
            jobs += [(kind, network, None) for kind, network in kinds.items() if network]
        jobs += [((b.number, "pose"), self._pose, b.pose.region) for b in self._bodies if b.pose]
        jobs += [((b.number, s), self._hand, h.region) for b in self._bodies for s, h in b.hands.items()]
        jobs += [((b.number, "face"), self._mesh, b.face.region) for b in self._bodies if b.face]
        each = self._side_by_side.map if self._side_by_side else map
        found = each(lambda job: job[1](image, job[2]), jobs)
        return {what: made for (what, _, _), made in zip(jobs, found, strict=True)}

    def _follow_faces(self, image: Image, seen: dict[Any, Any]) -> None:
        for number, body in enumerate(self._bodies):
            if body.face is None:
                continue
            found = seen[body.number, "face"]
            # Two who have come to follow one face, as when one passes before the other: it is whose colours it has,
            # and whose it was first where that does not tell.
            rival = next((b for b in self._bodies[:number] if b.face and _any_same(found, [b.face])), None)
            if rival is not None:
                look = _colours(image, found.region)
                own, other = (float(np.abs(look - b.look).sum()) / 2 for b in (body, rival))
                if own < other - UNLIKE:
                    rival.gone("face")
                    rival = None
            if found.score >= FACE_SCORE and _possible(found, image) and rival is None:
                body.face = found
                if self._count % LOOK == 0:
                    body.look = 0.8 * body.look + 0.2 * _colours(image, found.region)
            else:
                body.gone("face")

    def _find_faces(self, image: Image, seen: dict[Any, Any] | None) -> None:
        for body in self._bodies:
            if body.pose and not body.face and self._due(f"face of {body.number}", 4):
                self._take_faces(image, self._near(image, _head(body)))
        faces = [b for b in self._bodies if b.face]
        lost = any(not b.face and not b.pose and self._count - b.seen < LOOK for b in self._bodies)
        if seen or (lost and self._due("face", 2)) or (not faces and self._due("face", 3)):
            near = seen["face"] if seen else self._near(image)
            self._take_faces(image, near)
            if seen or not len(near):
                self._take_faces(image, seen["far_face"] if seen else self._far(image))

    def _take_faces(self, image: Image, found: Detections) -> None:
        """Faces that nobody has yet."""
        for box, points in zip(found.boxes, found.points, strict=True):
            taken = [b.face for b in self._bodies if b.face]
            if any(overlap(_box(f.points)[None], box)[0] > 0.2 for f in taken) or len(taken) >= self._most:
                continue
            face = self._mesh(image, lm.face_region(box, points))
            if face.score < FACE_SCORE or not _possible(face, image) or _any_same(face, taken):
                continue
            own = [b for b in self._bodies if b.pose and not b.face and _belongs(b.pose, face)]
            body = own[0] if own else self._meet(image, face.region)
            if body is not None:
                body.face, body.look = face, _colours(image, face.region)

    def _meet(self, image: Image, head: Region) -> Followed | None:
        """Somebody whose head is here is back, or somebody new; None where there are enough already."""
        look = _colours(image, head)
        best, least = None, ALIKE
        for body in self._bodies:
            if body.face or body.pose:
                continue
            # Shortly after somebody was lost their place tells most; later, and after a cut, their colours alone.
            gone = 1.0 if body.seen < self._cut else min((self._count - body.seen) / (4 * LOOK), 1.0)
            away = min(float(np.linalg.norm(_middle(head) - body.place)) / head.size, 4.0)
            cost = (0.3 + 0.7 * gone) * float(np.abs(look - body.look).sum()) / 2 + 0.05 * away * (1 - gone)
            if cost < least:
                best, least = body, cost
        if sum(1 for b in self._bodies if b.face or b.pose) >= self._most:
            return None
        if best is None:
            best = Followed(self._met, look)
            self._met += 1
            self._bodies.append(best)
        return best

    def _follow_poses(self, image: Image, seen: dict[Any, Any]) -> None:
        for number, body in enumerate(self._bodies):
            if body.pose is None:
                continue
            found = seen[body.number, "pose"]
            others = [b.pose for b in self._bodies[:number] if b.pose]
            fits = _belongs(found, body.face) if body.face else _in_picture(found, image)
            if found.score >= POSE_SCORE and fits and not _any_near(found, others):
                body.pose = found
            else:
                body.gone("pose")

    def _find_poses(self, image: Image, seen: dict[Any, Any] | None) -> None:
        if self._pose is None or self._person is None:
            return
        lacking = [b for b in self._bodies if b.face and not b.pose]
        if not seen and not (lacking and self._due("pose", 5)):
            return
        for points in (seen["pose"] if seen else self._person(image)).points:
            if _any_near(points[None, 0], [b.pose for b in self._bodies if b.pose]):
                continue
            found = self._pose(image, lm.pose_region(points))
            if found.score < POSE_SCORE or _any_near(found, [b.pose for b in self._bodies if b.pose]):
                continue
            own = [b for b in lacking if not b.pose and b.face and _belongs(found, b.face)]
            if own:
                own[0].pose = found
            elif found.score >= SURE and _in_picture(found, image) and not self._known(_head_of(found)):
                body = self._meet(image, _head_of(found))
                if body is not None:
                    body.pose = found
        for body in lacking:
            # With several people the detector takes the largest: the others are looked for below their faces.
            if body.face and not body.pose:
                found = self._pose(image, _below(body.face))
                if found.score >= POSE_SCORE and _belongs(found, body.face):
                    body.pose = found

    def _known(self, head: Region) -> bool:
        """Whether the head is that of somebody who is followed."""
        heads = [_head(b) for b in self._bodies if b.face or b.pose]
        return any(np.linalg.norm(_middle(head) - _middle(h)) < 0.7 * max(head.size, h.size) for h in heads)

    def _follow_hands(self, image: Image, seen: dict[Any, Any]) -> None:
        for body in self._bodies:
            for side in list(body.hands):
                found = seen[body.number, side]
                if found.score >= HAND_SCORE and _inside(found.region, image):
                    body.hands[side] = found
                else:
                    body.gone(side)
            if len(body.hands) == 2 and _crowded(*body.hands.values()):
                body.gone(min(body.hands, key=lambda s: body.hands[s].score))

    def _find_hands(self, image: Image, here: list[Followed]) -> None:
        """At wrists that are seen, else wherever a palm is."""
        if self._hand is None or self._palm is None or all(len(b.hands) == 2 for b in here):
            return
        if self._due("wrists", 3):
            for body in here:
                for side in _WRISTS.keys() - body.hands.keys():
                    region = _at_wrist(body, side)
                    if region is None:
                        continue
                    hand = lm.settled(self._hand, image, region)
                    if hand.score >= HAND_SCORE and not any(_crowded(hand, h) for h in _hands(here)):
                        body.hands[side] = hand
        if all(len(b.hands) == 2 for b in here) or not self._due(
            "palms", LOOK if all(b.pose for b in here) else 6
        ):
            return
        seen = self._palm(image)
        for box, points in zip(seen.boxes, seen.points, strict=True):
            if any(_covers(h, box) for h in _hands(here)):
                continue
            hand = lm.settled(self._hand, image, lm.hand_region(box, points))
            if hand.score >= HAND_SCORE:
                _give(hand, here)

    def _shown(self, body: Followed, image: Image, times: int, rate: float) -> Followed:
        """In the pixels of the picture that came, calmed."""
        head = _head(body)
        body.seen, body.place = self._count, _middle(head)
        shown = Followed(body.number, body.look, seen=body.seen)
        calm = body.calm if self._smooth else (lambda what, points, size, rate: points)
        size = head.size / 1.5
        if body.face is not None:
            shown.face = _scaled(body.face, calm("face", body.face.points, size, rate), times)
            shown.looks = {name: cut(image, body.face.points) for name, cut in LOOKS.items()}
        if body.pose is not None:
            points = calm("pose", body.pose.points, size, rate)
            world = calm("pose_3d", body.pose.world, 0.2, rate)
            shown.pose = _scaled(body.pose, points, times, world)
        for side, hand in body.hands.items():
            points = calm(side, hand.points, hand.region.size / 2, rate)
            world = calm(f"{side}_3d", hand.world, 0.1, rate)
            shown.hands[side] = _scaled(hand, points, times, world)
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


def _middle(region: Region) -> Array:
    return np.array([region.x, region.y], np.float32)


def _any_same(face: Found, others: list[Found]) -> bool:
    return any(overlap(_box(f.points)[None], _box(face.points))[0] > 0.4 for f in others)


_TRUNK = [11, 12, 23, 24]


def _any_near(pose: Found | Array, others: list[Found]) -> bool:
    """Whether a body, or the middle of its hips (1, 2), is where one of some others is."""
    for other in others:
        trunk = other.points[_TRUNK, :2]
        size = float(np.linalg.norm(np.ptp(trunk, axis=0)))
        away = pose.points[_TRUNK, :2] - trunk if isinstance(pose, Found) else pose - trunk[2:].mean(axis=0)
        if np.linalg.norm(away, axis=1).mean() < 0.3 * size:
            return True
    return False


def _inside(region: Region, image: Image) -> bool:
    return 0 <= region.x < image.shape[1] and 0 <= region.y < image.shape[0]


def _in_picture(pose: Found, image: Image) -> bool:
    """Whether a body's shoulders are seen."""
    assert pose.sure is not None
    x, y = pose.points[11:13, :2].mean(axis=0)
    return bool(0 <= x < image.shape[1] and 0 <= y < image.shape[0] and pose.sure[11:13].max() > 0.5)


def _possible(found: Found, image: Image) -> bool:
    """Whether a face is in the picture and of a size that can be read."""
    return _inside(found.region, image) and found.region.size / 1.5 >= SMALLEST


def _belongs(pose: Found, face: Found) -> bool:
    """Whether a body's nose is in a face."""
    away = np.linalg.norm(pose.points[0, :2] - face.points[1, :2])
    return bool(away < 0.8 * face.region.size / 1.5)


def _below(face: Found) -> Region:
    size = face.region.size / 1.5
    return Region(face.region.x, face.region.y + 2.2 * size, 9.0 * size)


def _head(body: Followed) -> Region:
    """The square around somebody's head: half as large again as the face."""
    if body.face is not None:
        return body.face.region
    assert body.pose is not None
    return _head_of(body.pose)


def _head_of(pose: Found) -> Region:
    # Ears and nose of somebody who turns away lie on one another; shoulders then tell the size.
    head, shoulders = pose.points[:11, :2], pose.points[11:13, :2]
    size = max(
        1.3 * float(np.ptp(head, axis=0).max()), 0.45 * float(np.linalg.norm(shoulders[0] - shoulders[1]))
    )
    x, y = head.mean(axis=0)
    return Region(float(x), float(y), max(1.5 * size, 1.0))


def _at_wrist(body: Followed, side: str) -> Region | None:
    """Where a hand is by wrist and knuckles of the body; None where these are not seen."""
    parts = list(_WRISTS[side])
    if body.pose is None or body.pose.sure is None or body.pose.sure[parts].min() < 0.5:
        return None
    wrist, little, index = body.pose.points[parts, :2]
    middle = (2 * index + little) / 3
    way = middle - wrist
    size = 2.7 * 2 * float(np.linalg.norm(way))
    # The region's middle lies a tenth of its side beyond the knuckles, towards the fingertips.
    x, y = middle + 0.1 * size * way / max(float(np.linalg.norm(way)), 1e-6)
    return Region(float(x), float(y), max(size, 1.0), float(np.arctan2(way[0], -way[1])))


def _hands(here: list[Followed]) -> list[Found]:
    return [h for b in here for h in b.hands.values()]


def _give(hand: Found, here: list[Followed]) -> None:
    """A new hand goes to whose wrist is nearest, else to whose face is, on the side that it is of."""
    options: list[tuple[float, Followed, str]] = []
    for body in here:
        for side, (wrist, _, _) in _WRISTS.items():
            if side in body.hands:
                continue
            doubt = 1 - hand.left if side == "left" else hand.left
            if body.pose is not None and body.pose.sure is not None and body.pose.sure[wrist] > 0.3:
                away = np.linalg.norm((hand.points[0] - body.pose.points[wrist])[:2]) / hand.region.size
                options.append((float(away) + 0.5 * doubt, body, side))
            elif hand.score >= SURE:
                head = _head(body)
                away = np.linalg.norm(hand.points[0, :2] - _middle(head)) / (4 * head.size)
                options.append((1.0 + float(away) + doubt, body, side))
    if options:
        cost, body, side = min(options, key=lambda o: o[0])
        if cost < 3:
            body.hands[side] = hand


def _crowded(one: Found, other: Found) -> bool:
    size = max(one.region.size, other.region.size)
    return bool(np.linalg.norm((one.points - other.points)[:, :2], axis=1).mean() < 0.08 * size)


def _covers(hand: Found, box: Array) -> bool:
    middle = (box[:2] + box[2:]) / 2
    return bool(np.linalg.norm(middle - hand.points[[0, 5, 17], :2].mean(axis=0)) < 0.25 * hand.region.size)


def _colours(image: Image, head: Region) -> Array:
    """(48,) shares of colours in a square on the head, hair and throat included, little of what is behind."""
    region = Region(head.x, head.y + 0.05 * head.size, 0.8 * head.size)
    seen = region.crop(image, 24, high=0.999)[0].reshape(-1, 3)
    parts = [np.bincount((seen[:, k] * 16).astype(int), minlength=16) / len(seen) for k in range(3)]
    return (np.concatenate(parts) / 3).astype(np.float32)
