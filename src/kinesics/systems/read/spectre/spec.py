"""SPECTRE: mouths whose speech can be read, by a lip-reading loss beside landmarks.

Paper: Filntisis et al., "SPECTRE: Visual Speech-Informed Perceptual 3D Facial Expression Reconstruction from Videos", CVPR
Workshops 2023 (arXiv 2207.11094); official code github.com/filby89/spectre (CC BY-NC-SA, read for facts).

**In.** ``face`` as something else has found it, with ``video`` and ``landmarks`` (68 of iBUG, or MediaPipe's mesh; pixels), or with the mouths that reading recorded.
**Out.** ``face``: the same with another mouth, at its own rate.

**How.** The coarse face stays as it is. A perceptual encoder sees every picture, one convolution over five of them turns that into a residual of the
jaw and mouth. Nothing tells it the true mouth: it learns from detected landmarks, with the mouth's left out, from distances inside the mouth, and
from a lip reader, to which the fitted mouth and the filmed one shall look alike.

**Stages.** ``lips``: the reader in the loss, :class:`~kinesics.nn.readers.EitherLips`, by CTC on visemes, from films of mouths and from landmarks; it
needs people whose ``face`` is true, and ``phones``. ``refine``: the perceptual encoder; it needs landmarks, films, and the faces that were found.

**Losses** of ``refine``, on frames [2:−2], as in the paper where its units allow. Landmarks: L1 with the paper's weights, the mouth's not at all (weight
``mouth``). Distances: L1 over the pairs of :data:`PAIRS`. Lips: 1 − cosine of the reader's features of the film and of the fitted
landmarks, their mean and spread over films taken out: as they come, any two of our small reader's lie within 1 − cosine = .04. Regularisation: half the squared residual, more of it for the jaw. The paper's landmarks are in units of half a crop, about
11 cm; ours are millimetres, so 50 and 25 become 0.45 and 0.23 beside its 2 for lips.

**Knobs.** none.

**Faithful**: the encoder (MobileNetV2), the head and its start (weights × 1e-3), what is frozen, K = 20 frames, Adam's rate and its drop (``paper``); the jaw does not
open by less than nothing (ReLU; here all coefficients stay from 0 to 1); long clips in chunks of 50 at a stride of 46, of which two frames at
either end are dropped: with five-frame convolutions that is exactly the whole clip at once.

**Put right**: the paper's code passes time as the batch of the three-dimensional convolution, which so reads single pictures
(noted by the author of inferno); here it is (B, 1, T, S, S). And the encoder sees real neighbours: a frame repeated five times
moves nothing ("cannot see improvement", issue 17).

**Differs**: the coarse face is ``kinesics read``'s, in the place of DECA's ResNet-50. Coefficients of our own face, 27 of jaw and mouth, instead of FLAME's 53. The fitted face is not rendered: our reader feels a film and landmarks
in one space, where the paper renders the mesh and reads both pictures with one network. No emotion feature loss: residuals touch the
mouth alone. ``tiny`` sees grey mouths in the place of heads, through a small network, and the coarse mouth. Where the person's neutral
lies is not known: landmarks are brought to where the coarse face has them in the clip's mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, choose
from kinesics.performance import Face, Performance, Points, Video
from kinesics.progress import progress as bar
from kinesics.see.face_shape import PATCH
from kinesics.see.face_shape import mouth as mouth_of
from kinesics.see.names import FACE
from kinesics.systems import _face_features as features
from kinesics.systems import _mouth_features as mouths
from kinesics.systems._system import Capability, Config, Networks, System, Training

FPS = 25
LOST = 2
"""Frames at either end that see no real neighbours: in losses and chunks they are left out."""
CHUNK = 50
MOUTH: tuple[int, ...] = tuple(i for i, n in enumerate(ARKIT) if n.startswith(("jaw", "mouth")))
"""Which of the 52 get a residual."""
JAW: tuple[int, ...] = tuple(k for k, i in enumerate(MOUTH) if ARKIT[i].startswith("jaw"))
"""Which of these move the jaw."""
PAIRS: tuple[tuple[int, int], ...] = ((57, 8), (51, 33), (48, 54), (60, 64), (61, 67), (62, 66), (63, 65))
"""Of the 68 landmarks, whose distances are kept."""
EYES = ("mouths", "heads")


@dataclass(frozen=True)
class SpectreConfig(Config):
    """Sizes and weights.

    Parameters
    ----------
    window, stride
        Frames of one example, and between examples.
    eyes
        What the encoder sees: ``"mouths"``, grey (a small network), or ``"heads"`` (MobileNetV2).
    picture
        Pixels of each side of heads.
    film
        Pixels of each side of the grey mouths, which the lip reader sees, too.
    width
        Of the head.
    lip_width, lip_depth
        Of the lip reader.
    landmark, mouth, distance, lip
        Weights of the losses, per mm for the first three: of landmarks, of those of the mouth beside the others, of distances, of
        lips.
    jaw, residual
        Weights of half the squared residual: of the jaw's coefficients, and of the others.
    avatar
        On whose face the losses are.
    """

    window: int = 20
    stride: int = 10
    eyes: str = "heads"
    picture: int = 224
    film: int = 88
    width: int = 256
    lip_width: int = 256
    lip_depth: int = 6
    landmark: float = 0.45
    mouth: float = 0.0
    distance: float = 0.23
    lip: float = 2.0
    jaw: float = 4.0
    residual: float = 0.2
    avatar: str = "maya"

    def __post_init__(self) -> None:
        choose("eyes", self.eyes, EYES)
        if self.window <= 2 * LOST or min(self.stride, self.width, self.film, self.picture) < 1:
            raise DataError(
                f"spectre: window {self.window}, stride {self.stride}, width {self.width}, film {self.film}, picture "
                f"{self.picture}; expected more than {2 * LOST}, the others at least 1"
            )

    @classmethod
    def paper(cls) -> SpectreConfig:
        """As published."""
        return cls()

    @classmethod
    def tiny(cls) -> SpectreConfig:
        """Some hundred thousand parameters over what reading records of mouths: minutes on two cores."""
        return cls(window=40, stride=20, eyes="mouths", film=PATCH, width=96, lip_width=64, lip_depth=4)


class Spectre(System):
    """See the module's text."""

    name = "spectre"
    title = "SPECTRE: Visual Speech-Informed Perceptual 3D Facial Expression Reconstruction (CVPRW 2023)"
    stages = ("lips", "refine")
    config_type = SpectreConfig
    config: SpectreConfig
    capability = Capability(
        task="read",
        needs=("face",),
        gives=("face",),
        basis="arkit",
        fps=Fraction(FPS),
        look_ahead=LOST / FPS,
        languages=(),
        licence="Apache-2.0",
        uses=("landmarks", "video"),
    )

    def training(self, stage: str) -> Training:
        """As published (LRS3's 25 000 clips), or a few minutes' worth for small networks."""
        choose("stage", stage, self.stages)
        if self.config.eyes == "heads":
            return {
                "lips": Training(50_000, 32, 3e-4),
                "refine": Training(150_000, 1, 5e-5, drops=((1 / 3, 0.2),)),
            }[stage]
        return {
            "lips": Training(6000, 8, 3e-3, warm_up=60, drops=((0.7, 0.2),)),
            "refine": Training(1000, 8, 3e-3, warm_up=30, drops=((0.7, 0.2),)),
        }[stage]

    def examples(
        self, performance: Performance, *, film: NDArray[np.uint8] | None = None
    ) -> Iterator[dict[str, NDArray]]:
        """Windows at 25 fps.

        ``film`` (window, S, S) grey, ``face`` (window, 52), ``visemes`` (window,) and ``count`` (), which is 0 without a tier ``phones``; with landmarks also
        ``seen`` (window, 26, 2) as :func:`~kinesics.systems._mouth_features.seen` has it; with ``eyes="heads"`` also ``picture`` (window, 3, P, P).

        Parameters
        ----------
        performance
            With ``face``: the truth for the stage ``lips``, what was found for ``refine``, which needs ``landmarks``, too. With ``video``, or the film.
        film
            (T, S, S) grey films of the mouth at 25 fps from the face's first frame on, where they are there already; then
            no video is needed.
        """
        config, start = self.config, performance.face.start
        cut: dict[str, NDArray] = {"face": features.arkit(performance.face, FPS)}
        cut["film"] = self.film(performance) if film is None else film
        if "landmarks" in performance:
            cut["seen"] = mouths.seen(performance["landmarks"].resample(FPS), config.avatar)
        if config.eyes == "heads":
            cut["picture"] = self._seen(performance)
        count = min(map(len, cut.values()))
        for first in range(0, count - config.window + 1, config.stride):
            span = start + first / FPS, start + (first + config.window) / FPS
            labels, many = features.visemes(performance.tier("phones"), *span, most=config.window)
            part = {name: values[first : first + config.window] for name, values in cut.items()}
            yield {**part, "visemes": labels, "count": many}

    def _seen(self, performance: Performance) -> NDArray[np.uint8]:
        """(T, ...) what the encoder sees, at 25 fps."""
        if self.config.eyes == "heads":
            return self._crops(performance, self.config.picture, _HEAD).transpose(0, 3, 1, 2)
        return self.film(performance)

    def film(self, performance: Performance) -> NDArray[np.uint8]:
        """(T, S, S) grey mouths at 25 fps, from the first landmarks on, as reading records them."""
        landmarks, video = self._shown(performance)
        size = self.config.film
        if size != PATCH or landmarks.values.shape[1] != len(FACE):
            return mouths.grey(self._crops(performance, size, mouths.HALF))
        pairs = zip(video.frames(), landmarks.values, strict=False)
        return np.stack([mouth_of(picture, points) for picture, points in pairs])

    def _shown(self, performance: Performance) -> tuple[Points, Video]:
        """Landmarks and video at 25 fps, from the first landmarks to the last."""
        for name in ("landmarks", "video"):
            if name not in performance:
                raise DataError(
                    f"{self.name} needs the track {name!r} here; this performance has: {', '.join(performance)}"
                )
        landmarks = performance["landmarks"].resample(FPS)
        return landmarks, performance["video"].resample(FPS).slice(landmarks.start, landmarks.end)

    def _crops(self, performance: Performance, size: int, half: float) -> NDArray[np.uint8]:
        landmarks, video = self._shown(performance)
        return mouths.crops(video, landmarks, self.config.avatar, size=size, half=half)

    def read(
        self,
        performance: Performance,
        networks: Networks,
        *,
        film: NDArray[np.uint8] | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Refine a mouth.

        Parameters
        ----------
        performance
            With ``face``; with ``landmarks`` and ``video``, or the film.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        film
            (T, S, S) grey mouths, one for each frame of the face, where they are there already.
        seed
            Changes nothing: nothing here is drawn.
        progress
            Show a bar over the chunks.

        Returns
        -------
        Performance
            The same, with another ``face``, at its own rate.

        Raises
        ------
        DataError
            If something is missing, landmarks are not of a known set, or the film is not as long as the face.

        Examples
        --------
        >>> from kinesics.systems import load_system
        >>> system, networks = load_system("spectre")  # doctest: +SKIP
        >>> better = system.read(performance, networks)  # doctest: +SKIP
        """
        self.check(performance)
        face = performance.face.select(ARKIT)
        if face.basis != "arkit":
            raise DataError(f"face: basis {face.basis!r}; expected 'arkit'")
        rate, start = float(face.fps), face.start
        if film is not None and len(film) != len(face):
            raise DataError(f"film of {len(film)} pictures; expected {len(face)}, one for each of the face")
        if film is not None:
            at = np.arange(max(1, round(len(film) * FPS / rate))) / FPS
            picks = np.minimum(np.round(at * rate).astype(int), len(film) - 1)
        else:
            start = self._shown(performance)[0].start
            film = self._seen(performance)
            picks = np.arange(len(film))
        at = np.clip(start + np.arange(len(picks)) / FPS, face.start, face.end - 1 / rate)
        coarse = face.at(at).values[:, list(MOUTH)]
        made = self._in_chunks(networks["refine"], film, picks, coarse, progress)
        residual = Face(made - coarse, tuple(ARKIT[i] for i in MOUTH), FPS, start=start)
        return self.signed(performance, networks, {"fps": FPS}, face=_moved(face, residual))

    def _in_chunks(
        self, run: Any, film: NDArray, picks: NDArray, coarse: NDArray[np.float32], progress: bool
    ) -> NDArray[np.float32]:
        """(T, 27) of any length, chunk by chunk; what a chunk's ends see of nothing is dropped."""
        parts = [coarse[:0]]
        firsts = range(0, len(picks), CHUNK - 2 * LOST)
        for first in bar(firsts, "mouths") if progress else firsts:
            rows = np.clip(np.arange(first - LOST, first - LOST + CHUNK), 0, len(picks) - 1)
            made = run(film=film[picks[rows]][None].astype(np.float32), coarse=coarse[rows][None])
            parts.append(made["mouth"][0][LOST:-LOST])
        return np.concatenate(parts)[: len(picks)]


def coarse_moves(coarse: NDArray[np.float32], avatar: str) -> NDArray[np.float32]:
    """(T, 26, 2) where coefficients (T, 52) take the landmarks that are seen, in units of 5 mm."""
    return np.einsum("tk,knd->tnd", coarse, mouths.moves(avatar))


def _moved(face: Face, residual: Face) -> Face:
    """A face with a residual added at its own rate, where there is one, from 0 to 1."""
    at = face.start + np.arange(len(face)) / float(face.fps)
    last = residual.end - 1 / float(residual.fps)
    known = (at > residual.start - 1e-6) & (at < last + 1 / FPS)
    added = residual.at(np.clip(at, residual.start, last)).values * known[:, None]
    values = face.values.copy()
    values[:, list(MOUTH)] = np.clip(values[:, list(MOUTH)] + added, 0, 1)
    return replace(face, values=values)


_HEAD = 110.0
"""Millimetres from the middle to the edges of the pictures that encoders see."""

SYSTEM = Spectre
