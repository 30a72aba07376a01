"""Landmarks to ARKit 52, action units, head pose and gaze, by a small network of our own.

The network was trained on people who do not exist (``scripts/train_face_reader.py``): the landmarks it learned from are those that the
detectors find in pictures of them, so that their errors are the ones it will meet. It looks at the landmarks laid on a template
(:mod:`kinesics.see.face_shape`), at small grey pictures of mouth and cheeks and of the mouth alone (a puffed cheek and a tongue hardly move
landmarks, and lips that part a little do not), and at **the person's own neutral**: means of the clip's landmarks and pictures in which the moments that a first pass found least expressive count most.
The first pass knows no neutral; the second counts as much as the neutral is one: somebody who is afraid from the first picture to the last shows
none, and a mean of afraid moments would take the fear for their face.

Head and gaze are seen along the line from the camera to the face: degrees up, to the own left, and to the own right
shoulder. Confidence is the detector's, less for a head that is turned far, times how well each quantity is read on
people whom the network had not seen (in ``data/face_reader.json``).
"""

from __future__ import annotations

import json
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
from kinesics.see.face_shape import PATCH, angles, lay

Array = NDArray[np.float32]

EXPRESSIVE: tuple[int, ...] = tuple(i for i, n in enumerate(ARKIT) if not n.startswith("eyeLook"))
"""Coefficients that tell how far a face is from neutral."""
CALM = 0.5
"""Sum of coefficients at which a moment counts e times less for the person's neutral (ours)."""
NEUTRAL = 1.0
"""Sum of coefficients of the calmest moments at which the neutral is trusted e times less (chosen on stage people of a seed of their own)."""
_BLOCK = 2048


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
        self._sums = [np.zeros((478, 3)), np.zeros((PATCH, PATCH)), np.zeros((PATCH, PATCH))]
        self._weight = self._active = 0.0

    def add(self, seen: tuple[NDArray, NDArray, NDArray], face: Array) -> None:
        """Take in moments: landmarks on the template (T, 478, 3), patches and mouths (T, 48, 48), and a first reading (T, 52)."""
        weight = calmness(face)
        for total, values in zip(self._sums, seen, strict=True):
            total += np.tensordot(weight, values.astype(np.float64), 1)
        self._weight += float(weight.sum())
        self._active += float(weight @ activity(face))

    @property
    def trust(self) -> float:
        """0 to 1: how much of a neutral it is, by what was read of its moments."""
        return float(np.exp(-self._active / self._weight / NEUTRAL)) if self._weight > 0 else 0.0

    def value(self, unknown: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        """(478, 3) and twice (48, 48) of the neutral; what is given as long as nobody was seen."""
        if self._weight <= 0:
            return unknown
        points, patch, mouth = ((total / self._weight).astype(np.float32) for total in self._sums)
        return points, patch, mouth


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
    >>> reading = reader.read(points, patches, mouths, fps=30)  # doctest: +SKIP
    >>> reading.face.column("jawOpen"), reading.head.column("yaw")  # doctest: +SKIP
    """

    def __init__(self, *, threads: int | None = None) -> None:
        folder = resources.files("kinesics.see") / "data"
        self.card = json.loads((folder / "face_reader.json").read_text(encoding="utf-8"))
        self.template = np.asarray(self.card["template"], np.float32)
        self._unknown = (
            self.template,
            np.asarray(self.card["patch"], np.float32),
            np.asarray(self.card["mouth"], np.float32),
        )
        with resources.as_file(folder / "face_reader.onnx") as path:
            self._network = load_network(path, threads=threads)

    def read(
        self,
        points: ArrayLike,
        patches: ArrayLike,
        mouths: ArrayLike,
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
        patches, mouths
            (T, 48, 48) uint8, :func:`kinesics.see.face_shape.patch` and :func:`~kinesics.see.face_shape.mouth` of each picture.
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
        looks = {"patches": np.asarray(patches), "mouths": np.asarray(mouths)}
        for name, look in looks.items():
            if look.shape != (len(points), PATCH, PATCH):
                raise DataError(f"{name} of shape {look.shape}; expected ({len(points)}, {PATCH}, {PATCH})")
        rate = exact_rate(fps, "face")
        sure = np.ones(len(points)) if score is None else np.asarray(score, float)
        own = Neutral() if neutral is None else neutral
        laid = lay(points, self.template)
        seen = (laid.points, looks["patches"], looks["mouths"])
        blocks = [slice(i, i + _BLOCK) for i in range(0, len(points), _BLOCK)]
        first = [
            self._run((seen[0][b], seen[1][b], seen[2][b]), laid.turns[b], self._unknown) for b in blocks
        ]
        for block, read in zip(blocks, first, strict=True):
            own.add((seen[0][block], seen[1][block], seen[2][block]), read["face"])
        rest, trust, made = own.value(self._unknown), own.trust, []
        for block, read in zip(blocks, first, strict=True):
            beside = self._run((seen[0][block], seen[1][block], seen[2][block]), laid.turns[block], rest)
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

    def _run(
        self, seen: tuple[NDArray, NDArray, NDArray], turns: Array, neutral: tuple[Array, Array, Array]
    ) -> dict[str, Array]:
        points, patches, mouths = seen
        return self._network(
            points=points, neutral=neutral[0][None], turn=angles(turns),
            patch=patches.astype(np.float32), blank=neutral[1][None],
            mouth=mouths.astype(np.float32), shut=neutral[2][None],
        )  # fmt: skip


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
