"""Landmarks to ARKit 52, action units, head pose and gaze, by a small network of our own.

The network was trained on people who do not exist (``scripts/train_face_reader.py``): the landmarks it learned from are those that the
detectors find in pictures of them, so that their errors are the ones it will meet. It looks at the landmarks laid on a template
(:mod:`kinesics.see.face_shape`), at small grey pictures of mouth and cheeks, of the mouth alone, and of eyes and brows (a puffed cheek and a tongue
hardly move landmarks, lips that part a little do not, and a brow that is raised is found too near to where brows mostly are), and at **the person's own neutral**: means of the clip's landmarks and pictures in which the moments that a first pass found least expressive count most.
The first pass knows no neutral; the second counts as much as the neutral is one: somebody who is afraid from the first picture to the last shows
none, and a mean of afraid moments would take the fear for their face.

Head and gaze are seen along the line from the camera to the face: degrees up, to the own left, and to the own right
shoulder. Confidence is the detector's, less for a head that is turned far, times how well each quantity is read on
people whom the network had not seen (in ``data/face_reader.json``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.action_units import FACS, facs_of_arkit
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Face, Signal
from kinesics.performance._sampled import exact_rate
from kinesics.ports.network import load_network
from kinesics.see.face_shape import LOOKS, PATCH, angles, lay

Array = NDArray[np.float32]
Seen = Mapping[str, NDArray]
"""Landmarks laid on the template as ``points``, and the small pictures of :data:`~kinesics.see.face_shape.LOOKS`."""
_SHAPES = {"points": (478, 3), "patch": (PATCH, PATCH), "mouth": (PATCH, PATCH), "eyes": (PATCH, 2 * PATCH)}

EXPRESSIVE: tuple[int, ...] = tuple(i for i, n in enumerate(ARKIT) if not n.startswith("eyeLook"))
"""Coefficients that tell how far a face is from neutral."""
CALM = 0.5
"""Sum of coefficients at which a moment counts e times less for the person's neutral (ours)."""
NEUTRAL = 2.0
"""Sum of coefficients of the calmest moments at which the neutral is trusted e times less (chosen on stage people of a seed of their own)."""
_BLOCK = 256
"""Pictures at a time: what the network holds of each meanwhile is large."""


@dataclass(frozen=True, eq=False)
class FaceReading:
    """What was read off a face; all tracks on one clock.

    Parameters
    ----------
    face
        ARKit 52.
    action_units
        Of FACS, 0 to 1, with confidence.
    head
        ``pitch``, ``yaw``, ``roll`` in degrees.
    gaze
        ``yaw``, ``pitch`` in degrees.
    """

    face: Face
    action_units: Signal
    head: Signal
    gaze: Signal


class Neutral:
    """A person's neutral face, learned while they are seen; give the same one to every piece of a clip that is read live."""

    def __init__(self) -> None:
        self._sums = {name: np.zeros(shape) for name, shape in _SHAPES.items()}
        self._weight = self._active = 0.0

    def add(self, seen: Seen, face: Array) -> None:
        """Take in moments, and a first reading (T, 52) of them."""
        weight = calmness(face)
        for name, total in self._sums.items():
            total += np.tensordot(weight, seen[name].astype(np.float64), 1)
        self._weight += float(weight.sum())
        self._active += float(weight @ activity(face))

    @property
    def trust(self) -> float:
        """0 to 1: how much of a neutral it is, by what was read of its moments."""
        return float(np.exp(-self._active / self._weight / NEUTRAL)) if self._weight > 0 else 0.0

    def value(self, unknown: Seen) -> Seen:
        """One moment, the neutral; what is given as long as nobody was seen."""
        if self._weight <= 0:
            return unknown
        return {name: (total / self._weight).astype(np.float32) for name, total in self._sums.items()}


def activity(face: Array) -> NDArray[np.float64]:
    """(T,) how far from neutral each moment of (T, 52) coefficients is: their sum without the eyes' directions."""
    return np.abs(face[:, list(EXPRESSIVE)]).sum(axis=1).astype(np.float64)


def calmness(face: Array) -> NDArray[np.float64]:
    """(T,) how much each moment counts for the neutral: (T, 52) coefficients near zero count most."""
    return np.exp(-activity(face) / CALM)


class FaceReader:
    """Reads faces from landmarks.

    Parameters
    ----------
    threads
        Of the network; all by default.

    Examples
    --------
    >>> reader = FaceReader(threads=1)  # doctest: +SKIP
    >>> reading = reader.read(points, looks, fps=30)  # doctest: +SKIP
    >>> reading.face.column("jawOpen"), reading.head.column("yaw")  # doctest: +SKIP
    """

    def __init__(self, *, threads: int | None = None) -> None:
        folder = resources.files("kinesics.see") / "data"
        self.card = json.loads((folder / "face_reader.json").read_text(encoding="utf-8"))
        self.template = np.asarray(self.card["template"], np.float32)
        self._unknown = {"points": self.template} | {n: np.asarray(self.card[n], np.float32) for n in LOOKS}
        with resources.as_file(folder / "face_reader.onnx") as path:
            self._network = load_network(path, threads=threads)

    def read(
        self,
        points: ArrayLike,
        looks: Mapping[str, ArrayLike],
        *,
        fps: object,
        start: float = 0.0,
        score: ArrayLike | None = None,
        neutral: Neutral | None = None,
    ) -> FaceReading:
        """Read a clip, or a piece of one.

        Parameters
        ----------
        points
            (T, 478, 3) pixels, y down, z away from the camera, as :class:`kinesics.see.landmarks.FaceMesh` finds them.
        looks
            ``patch`` and ``mouth`` (T, 48, 48) and ``eyes`` (T, 48, 96) uint8, as :data:`kinesics.see.face_shape.LOOKS` cuts them out of each picture.
        fps
            Pictures a second.
        start
            Second of the first.
        score
            (T,) how sure the detector was, 0 to 1.
        neutral
            For live reading: what was seen of the person so far, taken further by this piece. None: the
            whole clip is at hand, and its own moments are the neutral.

        Raises
        ------
        DataError
            If shapes do not fit.
        """
        points = np.asarray(points, np.float32)
        if points.ndim != 3 or points.shape[1:] != (478, 3):
            raise DataError(f"landmarks of shape {points.shape}; expected (T, 478, 3)")
        if set(looks) != set(LOOKS):
            raise DataError(f"looks {', '.join(looks) or 'none'}; expected {', '.join(LOOKS)}")
        seen = {name: np.asarray(looks[name]) for name in LOOKS}
        for name, look in seen.items():
            if look.shape != (len(points), *_SHAPES[name]):
                raise DataError(f"{name} of shape {look.shape}; expected {(len(points), *_SHAPES[name])}")
        rate = exact_rate(fps, "face")
        sure = np.ones(len(points)) if score is None else np.asarray(score, float)
        own = Neutral() if neutral is None else neutral
        blocks = []
        for i in range(0, len(points), _BLOCK):
            laid = lay(points[i : i + _BLOCK], self.template)
            blocks.append(
                ({"points": laid.points} | {n: v[i : i + _BLOCK] for n, v in seen.items()}, laid.turns)
            )
        first = [self._run(*block, self._unknown) for block in blocks]
        for (block, _), read in zip(blocks, first, strict=True):
            own.add(block, read["face"])
        rest, trust, made = own.value(self._unknown), own.trust, []
        for block, read in zip(blocks, first, strict=True):
            beside = self._run(*block, rest)
            made.append({n: v + np.float32(trust) * (beside[n] - v) for n, v in read.items()})
        out = {n: np.concatenate([m[n] for m in made]) for n in ("face", "head", "gaze")} if made else {
            "face": np.zeros((0, 52)), "head": np.zeros((0, 3)), "gaze": np.zeros((0, 2))
        }  # fmt: skip
        face = Face(out["face"], ARKIT, rate, start=start)
        sure = sure * frontal(out["head"])
        known = np.array([self.card["reliability"]["units"][u] for u in FACS])
        units = Signal(
            facs_of_arkit(out["face"]),
            FACS,
            ("",) * len(FACS),
            rate,
            start,
            confidence=np.clip(sure[:, None] * known, 0, 1),
        )
        return FaceReading(
            face,
            units,
            self._signal(out["head"], ("pitch", "yaw", "roll"), rate, start, sure, "head"),
            self._signal(out["gaze"][:, ::-1], ("yaw", "pitch"), rate, start, sure, "gaze"),
        )

    def _signal(self, values: Array, names: tuple[str, ...], rate, start, sure, what: str) -> Signal:
        known = np.clip(sure * self.card["reliability"][what], 0, 1)
        confidence = np.repeat(known[:, None], len(names), axis=1)
        return Signal(values, names, ("degrees",) * len(names), rate, start, confidence=confidence)

    def _run(self, seen: Seen, turns: Array, neutral: Seen) -> dict[str, Array]:
        calm = {f"{name}_neutral": value[None] for name, value in neutral.items()}
        return self._network(**{n: v.astype(np.float32) for n, v in seen.items()}, **calm, turn=angles(turns))


def frontal(head: Array) -> NDArray[np.float64]:
    """(T,) 1 for heads that look at the camera, less from 30° on, 0 from 75° on; (T, 3) pitch, yaw, roll."""
    away = np.hypot(head[:, 0].astype(float), head[:, 1])
    return np.clip((75 - away) / 45, 0, 1)


def reliability(truth: Array, read: Array) -> dict[str, float]:
    """Correlation of every action unit between truth and reading (T, 52) on people kept out, 0 to 1; for the card."""
    pairs = [facs_of_arkit(v) for v in (truth, read)]
    return {u: _correlation(pairs[0][:, i], pairs[1][:, i]) for i, u in enumerate(FACS)}


def _correlation(a: Array, b: Array) -> float:
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return round(float(np.clip(np.corrcoef(a, b)[0, 1], 0, 1)), 3)
