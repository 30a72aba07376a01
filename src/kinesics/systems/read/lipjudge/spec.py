"""The judge of filmed lips: visemes from pictures of a mouth, for measures on systems that fit or paint mouths.

Paper: none; ours. What AV-HuBERT is in SPECTRE's tables (arXiv 2207.11094): a lip reader that stood in no loss.

It is unlike the reader in SPECTRE's loss in architecture (each picture for itself, then attention over time; no landmarks), and in
the viseme readers of :mod:`~kinesics.systems.read.facejudge` in what it sees. Another seed and other people are the caller's to keep.

**In.** ``landmarks`` and ``video``, or grey films of a mouth. **Out.** the tier ``visemes`` (an interval of a 50th of a second for
each that is read).

**Stages.** ``lips``: visemes by CTC, in changing light and place; of people whose ``face`` is known also, from each picture, where the lips are: CTC
alone hardly begins to tell one picture from another. ``reading``: CTC again, for the attention over pictures alone, which costs a tenth: after ``lips`` it is
far from having learnt all.

**Faithful** to nobody. **Differs** from the readers of published tables in all: what it says is starred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, choose
from kinesics.nn import windows
from kinesics.performance import Performance, Tier
from kinesics.progress import progress as bar
from kinesics.systems import _face_features as features
from kinesics.systems import _mouth_features as mouths
from kinesics.systems._system import Capability, Config, Networks, System, Training

FPS = 25
AVATAR = "maya"
"""On whose face mouths are laid before they are cut out, and lips measured."""
LIPS = mouths.LIPS.stop - mouths.LIPS.start
"""Landmarks of the lips."""


@dataclass(frozen=True)
class LipJudgeConfig(Config):
    """Sizes.

    Parameters
    ----------
    window, stride
        Frames of one example, and between examples.
    film
        Pixels of each side of the films.
    width, depth
        Of the reader.
    """

    window: int = 64
    stride: int = 32
    film: int = 48
    width: int = 64
    depth: int = 2

    @classmethod
    def tiny(cls) -> LipJudgeConfig:
        """As it is used."""
        return cls()

    @classmethod
    def paper(cls) -> LipJudgeConfig:
        """There is no paper: larger, for real data."""
        return cls(film=88, width=256, depth=6)


class LipJudge(System):
    """See the module's text."""

    name = "lipjudge"
    title = "Judge of filmed lips: visemes (ours)"
    stages = ("lips", "reading")
    config_type = LipJudgeConfig
    config: LipJudgeConfig
    capability = Capability(
        task="read",
        needs=("landmarks", "video"),
        gives=("visemes",),
        basis="pixels",
        fps=Fraction(FPS),
        look_ahead=64 / FPS,
        languages=(),
        licence="Apache-2.0",
    )

    def training(self, stage: str) -> Training:
        """Minutes on two cores."""
        if choose("stage", stage, self.stages) == "reading":
            return Training(3000, 8, 1e-3, warm_up=30, drops=((0.7, 0.2),))
        return Training(1200, 16, 3e-3, warm_up=30, drops=((0.7, 0.2),))

    def film(self, performance: Performance) -> NDArray[np.uint8]:
        """(T, S, S) the mouth at 25 fps, grey, from the first landmarks on."""
        self.check(performance)
        landmarks = performance["landmarks"].resample(FPS)
        video = performance["video"].resample(FPS).slice(landmarks.start, landmarks.end)
        return mouths.grey(mouths.crops(video, landmarks, AVATAR, size=self.config.film))

    def examples(
        self, performance: Performance, *, film: NDArray[np.uint8] | None = None, start: float = 0.0
    ) -> Iterator[dict[str, NDArray]]:
        """Windows: ``film`` (window, S, S), ``visemes`` (window,), ``count`` (), from the tier ``phones``, ``lips`` (window, 40), ``known`` ().

        Parameters
        ----------
        performance
            What is seen and said.
        film
            As :meth:`film` gives it, where it is there already.
        start
            Second of its first picture.
        """
        if film is None:
            film, start = self.film(performance), performance["landmarks"].start
        lips, known = np.zeros((len(film), 2 * LIPS), np.float32), "face" in performance
        if known:
            face = features.arkit(performance.face.shift(-start), FPS)[: len(film)]
            lips[: len(face)] = mouths.lips(face, AVATAR)
        for first in range(0, len(film) - self.config.window + 1, self.config.stride):
            part = slice(first, first + self.config.window)
            span = start + first / FPS, start + (first + self.config.window) / FPS
            labels, count = features.visemes(performance.tier("phones"), *span, most=self.config.window)
            told = {"visemes": labels, "count": count, "lips": lips[part], "known": np.float32(known)}
            yield {"film": film[part], **told}

    def read(
        self, performance: Performance, networks: Networks, *, seed: int = 0, progress: bool = False
    ) -> Performance:
        """Read the lips of a film.

        Parameters
        ----------
        performance
            With ``landmarks`` and ``video``.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        seed
            Changes nothing: nothing here is drawn.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``visemes``.
        """
        film, start = self.film(performance), performance["landmarks"].start
        return performance.with_tracks(visemes=self.said(film, networks, start=start, progress=progress))

    def said(
        self, film: NDArray[np.uint8], networks: Networks, *, start: float = 0.0, progress: bool = False
    ) -> Tier:
        """What lips say on a grey film (T, S, S) at 25 fps that begins at second ``start``."""
        if not len(film):
            raise DataError("the film is empty; there is nothing to read")
        size = self.config.window
        firsts = windows.starts(len(film), size, size // 4)
        scores = [
            networks["read"](film=windows.padded(film, first, size)[None].astype(np.float32))["visemes"][0]
            for first in (bar(firsts, "reading") if progress else firsts)
        ]
        per = features.PER_FRAME
        whole = windows.join(scores, per * (size // 4), per * len(film))
        return Tier("visemes", tuple(features.spoken(whole, start, FPS)))


SYSTEM = LipJudge
