"""The judge of faces: visemes from lips and emotion from coefficients, for measures on systems that move faces.

Paper: none; ours. What SPECTRE (arXiv 2207.11094) has in AV-HuBERT and emotion papers in classifiers of film, small and trained here.

What judges must not be what taught: in architecture (attention over lips, convolutions over coefficients; see
:mod:`kinesics.nn.readers`), in the face it looks at (``theo``'s, where losses use ``maya``'s), in seed
and in the people it learnt from. The first two are so by construction, the others are the caller's to keep:
train it on other speakers and with another seed than the system it judges.

**In.** ``face``. **Out.** tiers ``visemes`` (an interval of a 50th of a second for each that is read) and ``emotion`` (one
interval for each window, its share as confidence).

**Stages.** ``lips``: visemes by CTC. ``emotion``: cross-entropy over the eight, with some noise on the coefficients.

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
from kinesics.performance import Interval, Performance, Tier
from kinesics.progress import progress as bar
from kinesics.systems import _face_features as features
from kinesics.systems._system import Capability, Config, Networks, System, Training

FPS = 25


@dataclass(frozen=True)
class FaceJudgeConfig(Config):
    """Sizes.

    Parameters
    ----------
    window, stride
        Frames of one example, and between examples.
    lip_width, lip_depth
        Of the lip reader.
    mood_width
        Channels of the emotion reader.
    noise
        Spread of what is added to coefficients while the emotion reader learns.
    avatar
        On whose face the lips are looked at.
    """

    window: int = 64
    stride: int = 32
    lip_width: int = 64
    lip_depth: int = 2
    mood_width: int = 48
    noise: float = 0.02
    avatar: str = "theo"

    @classmethod
    def tiny(cls) -> FaceJudgeConfig:
        """As it is used."""
        return cls()

    @classmethod
    def paper(cls) -> FaceJudgeConfig:
        """There is no paper: larger, for real data."""
        return cls(lip_width=256, lip_depth=6, mood_width=192)


class FaceJudge(System):
    """See the module's text."""

    name = "facejudge"
    title = "Judge of faces: visemes and emotion (ours)"
    stages = ("lips", "emotion")
    config_type = FaceJudgeConfig
    config: FaceJudgeConfig
    capability = Capability(
        task="read",
        needs=("face",),
        gives=("visemes", "emotion"),
        basis="arkit",
        fps=Fraction(FPS),
        look_ahead=64 / FPS,
        languages=(),
        licence="Apache-2.0",
    )

    def training(self, stage: str) -> Training:
        """Minutes on two cores."""
        choose("stage", stage, self.stages)
        if stage == "lips":
            return Training(2000, 32, 2e-3, warm_up=100, drops=((0.7, 0.2),))
        return Training(600, 32, 2e-3, warm_up=50, drops=((0.7, 0.2),))

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Windows: ``face`` (window, 52), ``visemes`` (window,), ``count`` (), ``mood`` (11,), from the tiers ``phones`` and ``emotion``."""
        self.check(performance)
        config, start = self.config, performance.face.start
        face = features.arkit(performance.face, FPS)
        for first in range(0, len(face) - config.window + 1, config.stride):
            span = start + first / FPS, start + (first + config.window) / FPS
            labels, count = features.visemes(performance.tier("phones"), *span, most=config.window)
            yield {
                "face": face[first : first + config.window],
                "visemes": labels,
                "count": count,
                "mood": features.mood_between(performance.tier("emotion"), *span),
            }

    def read(
        self, performance: Performance, networks: Networks, *, seed: int = 0, progress: bool = False
    ) -> Performance:
        """Read a face.

        Parameters
        ----------
        performance
            With ``face``.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        seed
            Changes nothing: nothing here is drawn.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``visemes`` and ``emotion`` in place of what it had under these names.
        """
        self.check(performance)
        face, start = features.arkit(performance.face, FPS), performance.face.start
        if not len(face):
            raise DataError("the face is empty; there is nothing to read")
        size = self.config.window
        firsts = windows.starts(len(face), size, size // 4)
        scores, moods = [], []
        for first in bar(firsts, "reading") if progress else firsts:
            made = networks["read"](face=windows.padded(face, first, size)[None])
            scores.append(made["visemes"][0])
            share = made["emotion"][0]
            last = min(first + size, len(face))
            moods.append(
                Interval(
                    start + first / FPS,
                    start + last / FPS,
                    features.EMOTIONS[int(share.argmax())],
                    confidence=float(np.clip(share.max(), 0, 1)),
                )
            )
        whole = windows.join(scores, features.PER_FRAME * (size // 4), features.PER_FRAME * len(face))
        tiers = {
            "visemes": Tier("visemes", tuple(features.spoken(whole, start, FPS))),
            "emotion": Tier("emotion", tuple(moods)),
        }
        return Performance({**performance.tracks, **tiers}, {**performance.meta, self.name: {"fps": FPS}})


SYSTEM = FaceJudge
