"""EMOTE: a talking face from speech, with an emotion of any strength, by exchanging emotions while training.

Paper: Daněček et al., "Emotional Speech-Driven Animation with Content-Emotion Disentanglement", SIGGRAPH Asia
2023 (arXiv 2306.08990); official code github.com/radekd91/inferno (MPG, non-commercial), read for facts.

**In.** ``speech``; an emotion, its intensity and a speaker's style, each of which may change from frame to frame.
**Out.** ``face`` at 25 fps: the 52 ARKit coefficients. Head, neck and gaze are left to others.

**How.** A temporal VAE (the paper's FLINT) is the prior of motion: convolutions and one transformer layer take eight frames to
one latent of 128 and back. Speech goes through an audio network (``ears``), emotion, intensity and style
through a linear layer; both stand side by side, one transformer layer with FaceFormer's symmetric bias sees
them, and eight frames at a time become a latent, which the frozen prior decodes.

**Stages.** ``lips``, ``emotion``: the two networks in the losses, :class:`~kinesics.nn.readers.ConvLips` on the 20 landmarks of the mouth
(visemes by CTC) and :class:`~kinesics.nn.readers.AttentiveMood` on all 68. ``prior``: the VAE, on windows of 32. ``speech``: the paper's
stage 1, vertex loss only. ``exchange``: its stage 2; each batch is seen twice, the second time with (emotion, intensity)
of another clip. The copy's lips shall read as those of its own clip and its emotion as the donor's; a
vertex loss is on the originals only.

**Losses.** Vertices are those of :func:`~kinesics.bodies.face_points.face_points`, in mm: the code's 1e6 · MSE in metres is MSE in mm², and
KL keeps its 1e-3 beside it. Stage 2 has 2.5e-5 (lips) and 2.5e-6 (emotion) beside an MSE in m²: 25 and 2.5
beside mm². Our vertices all lie where a face moves (in FLAME, whose mean is over skull and neck too, about a
third do), so that the same motion weighs three times as much here. Weights three times as large (75, 7.5) were tried with ``tiny`` on clips
kept for that: emotions were read as well and lip errors were higher, so both presets keep 25 and 2.5. Both losses are
1 − cosine of features, of the lip reader frame by frame and of the emotion reader clip by clip.

**Knobs.** ``emotion`` (a name, or a tier of them), ``intensity`` (0 to 1; beyond it exaggerates: the face goes on in the
direction from neutral to full, and coefficients are cut at 0 and 1), ``style`` (a speaker, or shares of all), ``blend``.

**Faithful**: the prior, layer by layer; sizes; the conditioning; biases; zero-initialised outputs; order of trainings,
what is frozen in each (the convolutions of ``wav2vec`` always, the audio network in stage 2; batch norms of what is frozen neither
learn nor look at the batch); 5 frames from and to a static face where silence leads and trails; time padded to multiples of 8 with silence.

**Put right**:

* The transformer's output is decoded. The code decodes its *input*, unless ``post_bug_fix`` is set.
* The exchange is a derangement for any batch: no clip is its own donor (one cycle over a random order). The code's indices
  are wrong for more than two clips, and its fix is marked untested.

**Differs**: coefficients of our own face, 52 instead of FLAME's 53, in units of their spread inside the prior. The paper renders the
face and reads pictures: AV-HuBERT's front end for lips, ResNet-50 features of real video for emotion. Here both read
landmarks of the skinned face, of which nothing is hidden, and emotion's reference is the recorded face, not a film.
Clips of 64 frames, 2.56 s, for the emotion reader too (150 in the paper). No frame is masked: ours are all valid.
Intensity is continuous, between the three levels as a mixture of neighbours; below the first it fades to neutral.
``wav2vec`` begins at random, unlike the paper's; ``tiny`` has three convolutions over a log mel spectrum in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, choose
from kinesics.nn import windows
from kinesics.performance import Face, Interval, Performance, Tier
from kinesics.progress import progress as bar
from kinesics.systems import _face_features as features
from kinesics.systems import _features as hearing
from kinesics.systems._system import Capability, Config, Networks, System, Training

FPS = 25
MELS = 50
"""Frames per second of the log mel spectrum."""
SCALE = 8
"""Frames of one latent."""
EARS = ("wav2vec", "mel")
FADE = 5
"""Frames from and to the static face."""
_QUIET = 0.02
"""Share of the loudest envelope below which there is silence at either end (−34 dB, ours)."""
_SPEAKING = tuple(
    i
    for i, name in enumerate(ARKIT)
    if name.startswith(
        ("jaw", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLowerDown", "mouthUpperUp", "mouthRoll")
    )
    or name in ("mouthPressLeft", "mouthPressRight", "tongueOut")
)
"""Coefficients that are 0 in the static face; the others stay as they are on average."""


@dataclass(frozen=True)
class EmoteConfig(Config):
    """Sizes and weights.

    Parameters
    ----------
    window, stride
        Frames of one example, and between examples.
    prior_window
        Frames of it that the prior is trained on.
    width
        Of speech, and of emotion with style: the transformer layer has twice this.
    latent
        Length of a latent.
    heads, hidden
        Of the transformer layer, which ``hidden`` is the inner width of.
    prior_width, prior_hidden
        The prior's channels, and inner width of its transformer layers.
    period
        Frames over which the bias of attention is the same.
    dropout, prior_dropout
        Of the transformer layers.
    ears
        ``"wav2vec"`` or ``"mel"``.
    bands, ears_width
        Of ``"mel"``: bands of the spectrum, channels.
    speakers
        How many speakers are told apart.
    lip_width, lip_depth, mood_width, mood_heads
        Of the two networks in the losses.
    kl, lip, emotion
        Weights of the losses beside vertices, see the module's text.
    exchange
        Whether emotions are exchanged in the stage of that name; False is the ablation.
    span, overlap
        Frames of the windows it performs in, and how many of them two share.
    avatar
        On whose face the losses are.
    """

    window: int = 64
    stride: int = 32
    prior_window: int = 32
    width: int = 128
    latent: int = 128
    heads: int = 8
    hidden: int = 256
    prior_width: int = 128
    prior_hidden: int = 384
    period: int = 30
    dropout: float = 0.25
    prior_dropout: float = 0.1
    ears: str = "wav2vec"
    bands: int = 40
    ears_width: int = 768
    speakers: int = 32
    lip_width: int = 128
    lip_depth: int = 6
    mood_width: int = 256
    mood_heads: int = 8
    kl: float = 1e-3
    lip: float = 25.0
    emotion: float = 2.5
    exchange: bool = True
    span: int = 128
    overlap: int = 16
    avatar: str = "maya"

    def __post_init__(self) -> None:
        choose("ears", self.ears, EARS)
        for name in ("window", "prior_window", "span", "overlap"):
            if getattr(self, name) % SCALE or getattr(self, name) < SCALE:
                raise DataError(f"emote: {name} {getattr(self, name)}; expected a multiple of {SCALE}")
        if self.prior_window > self.window or self.overlap >= self.span or self.speakers < 1:
            raise DataError(
                f"emote: prior_window {self.prior_window} of window {self.window}, overlap {self.overlap} of span "
                f"{self.span}, {self.speakers} speakers; expected no more, less, and at least 1"
            )

    @classmethod
    def paper(cls) -> EmoteConfig:
        """As published."""
        return cls()

    @classmethod
    def tiny(cls) -> EmoteConfig:
        """A quarter of a million parameters perform, half a million train: minutes on two cores."""
        return cls(
            width=48,
            latent=48,
            heads=4,
            hidden=128,
            prior_width=64,
            prior_hidden=128,
            dropout=0.1,
            prior_dropout=0.0,
            ears="mel",
            ears_width=64,
            speakers=8,
            lip_width=64,
            lip_depth=4,
            mood_width=64,
            mood_heads=4,
        )


class Emote(System):
    """See the module's text."""

    name = "emote"
    title = "Emotional Speech-Driven Animation with Content-Emotion Disentanglement (SIGGRAPH Asia 2023)"
    stages = ("lips", "emotion", "prior", "speech", "exchange")
    config_type = EmoteConfig
    config: EmoteConfig
    capability = Capability(
        task="face",
        needs=("speech",),
        gives=("face",),
        basis="arkit",
        fps=Fraction(FPS),
        look_ahead=128 / FPS,
        languages=(),
        licence="Apache-2.0",
        uses=("emotion",),
    )

    def training(self, stage: str) -> Training:
        """As published (MEAD's 20 000 clips), or a few minutes' worth for small networks."""
        choose("stage", stage, self.stages)
        if self.config.width >= 128:
            return {
                "lips": Training(50_000, 32, 3e-4),
                "emotion": Training(50_000, 16, 1e-4),
                "prior": Training(800_000, 32, 1e-4),
                "speech": Training(1_000_000, 4, 1e-4),
                "exchange": Training(100_000, 4, 1e-4),
            }[stage]
        return {
            "lips": Training(1500, 32, 2e-3, warm_up=50, drops=((0.7, 0.2),)),
            "emotion": Training(600, 32, 1e-3, warm_up=50),
            "prior": Training(2000, 32, 2e-3, warm_up=50, drops=((0.7, 0.2),)),
            "speech": Training(2000, 16, 1e-3, warm_up=50, drops=((0.7, 0.2),)),
            "exchange": Training(1000, 16, 5e-4, warm_up=20, drops=((0.7, 0.2),)),
        }[stage]

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Windows: ``face`` (window, 52), ``audio``, ``mood`` (11,), ``style`` (), ``visemes`` (window,), ``count`` ().

        ``audio`` is (2 · window, bands) log mel, or (640 · window,) samples for ``wav2vec``. ``style`` is
        ``meta["speaker"]``, a number. Without a tier ``phones`` the ``count`` of visemes is 0, without one of ``emotion`` all is neutral.
        """
        self.check(performance)
        config = self.config
        face = features.arkit(performance.face, FPS)
        first_frame = round(performance.face.start * FPS)
        audio = self._heard(performance, len(face) + max(first_frame, 0))
        per = len(audio) // max(len(face) + max(first_frame, 0), 1)
        style = np.int64(hearing.speaker_number(performance.meta.get("speaker", 0), self.config.speakers))
        for first in range(max(-first_frame, 0), len(face) - config.window + 1, config.stride):
            begin = first + first_frame
            span = begin / FPS, (begin + config.window) / FPS
            labels, count = features.visemes(performance.tier("phones"), *span, most=config.window)
            yield {
                "face": face[first : first + config.window],
                "audio": audio[begin * per : (begin + config.window) * per],
                "mood": features.mood_between(performance.tier("emotion"), *span),
                "style": style,
                "visemes": labels,
                "count": count,
            }

    def perform(
        self,
        performance: Performance,
        networks: Networks,
        *,
        emotion: str | Tier | None = None,
        intensity: float | None = None,
        style: int | Sequence[float] = 0,
        blend: float = 0.4,
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Move a face to speech.

        Parameters
        ----------
        performance
            With ``speech``.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        emotion
            One of the eight for all of it, or a tier that says when which (its values: how strongly); None: the
            performance's own tier ``emotion``, or neutral.
        intensity
            0 to 1 and, exaggerated, beyond, up to 3; None: as the tier has it, or two thirds.
        style
            Whose way of talking, or one share for each, which sum to 1.
        blend
            Seconds in which one emotion gives way to the next.
        seed
            Changes nothing: nothing here is drawn.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``face`` at 25 fps and the settings under ``meta["emote"]``.

        Raises
        ------
        DataError
            If there is no speech, or a setting is out of range.
        """
        self.check(performance)
        frames = ceil(performance.speech.end * FPS - 1e-6)
        if frames < 1:
            raise DataError("the speech is empty; there is nothing to move to")
        if intensity is not None and not 0 <= intensity <= 3:
            raise DataError(f"intensity {intensity}; expected 0 to 1, or up to 3 to exaggerate")
        if not 0 <= blend <= 10:
            raise DataError(f"blend {blend} s; expected 0 to 10")
        tier = self._tier(performance, emotion)
        mood, beyond = features.moods(tier, frames, fps=FPS, blend=blend, intensity=intensity)
        condition = self._condition(mood, style)
        plain = (
            self._condition(np.tile(features.mood("neutral"), (frames, 1)), style) if beyond.any() else None
        )
        values = self._windows(performance, networks, condition, plain, beyond, progress)
        cut = float(np.mean((values > 1.0 + 1e-6) | (values < -0.05)))
        values = self._settled(np.clip(values, 0.0, 1.0), performance)
        told = {
            "emotion": [[i.start, i.end, i.label, i.value] for i in tier],
            "intensity": intensity,
            "style": style if isinstance(style, int) else [float(x) for x in np.asarray(style).ravel()],
            "blend": blend,
            "cut": round(cut, 4),
        }
        return self.signed(performance, networks, told, face=Face(values, ARKIT, FPS))

    def _windows(
        self,
        performance: Performance,
        networks: Networks,
        condition: NDArray,
        plain: NDArray | None,
        beyond: NDArray,
        progress: bool,
    ) -> NDArray[np.float32]:
        """(T, 52) of any length, window by window, not yet cut to 0–1."""
        config, frames = self.config, len(condition)
        firsts = windows.starts(frames, config.span, config.overlap)
        audio = self._heard(performance, firsts[-1] + config.span)
        per = len(audio) // (firsts[-1] + config.span)
        parts = []
        for first in bar(firsts, "faces") if progress else firsts:
            piece = audio[first * per : (first + config.span) * per]
            heard = networks["hear"](audio=piece[None])["heard"]

            def speak(told: NDArray, heard: NDArray = heard, first: int = first) -> NDArray:
                told = windows.padded(told, first, config.span)
                return networks["speak"](heard=heard, condition=told[None])["face"][0]

            made = speak(condition)
            if plain is not None:
                more = windows.padded(beyond, first, config.span)[:, None]
                made = made + more * (made - speak(plain))
            parts.append(made)
        return windows.join(parts, config.overlap, frames)

    def _settled(self, values: NDArray[np.float32], performance: Performance) -> NDArray[np.float32]:
        """The face with a still mouth where silence leads and trails, reached and left in five frames."""
        loud = hearing.envelope(performance.speech, len(values), fps=FPS, rate=FPS)[:, 0]
        heard = np.flatnonzero(loud > _QUIET * max(float(loud.max()), 1e-6))
        if not len(heard):
            heard = np.array([len(values), -1])
        first, last = int(heard[0]), int(heard[-1])
        spoken = values[first : last + 1] if last >= first else values
        rest = spoken.mean(axis=0)
        rest[list(_SPEAKING)] = 0.0
        frame = np.arange(len(values))
        away = np.maximum(first - frame, frame - last)
        share = np.clip(away / FADE, 0.0, 1.0).astype(np.float32)[:, None]
        return (1 - share) * values + share * rest

    def _heard(self, performance: Performance, frames: int) -> NDArray[np.float32]:
        if self.config.ears == "wav2vec":
            return features.wave(performance.speech, frames, fps=FPS)
        return features.log_mel(performance.speech, frames * MELS // FPS, fps=MELS, bands=self.config.bands)

    def _tier(self, performance: Performance, emotion: str | Tier | None) -> Tier:
        if emotion is None:
            tier = performance.tier("emotion")
        elif isinstance(emotion, Tier):
            tier = emotion
        else:
            tier = Tier("emotion", (Interval(0.0, max(performance.speech.end, 0.0), str(emotion)),))
        for i in tier:
            choose("emotion", i.label, features.EMOTIONS)
        return tier

    def _condition(self, mood: NDArray, style: int | Sequence[float]) -> NDArray[np.float32]:
        """(T, 11 + speakers)."""
        count = self.config.speakers
        if np.ndim(style) == 0:
            shares = np.eye(count, dtype=np.float32)[hearing.speaker_number(style, count)]
        else:
            shares = np.asarray(style, np.float32)
            if shares.shape != (count,) or not np.isfinite(shares).all() or abs(shares.sum() - 1) > 1e-3:
                raise DataError(f"style: shares of shape {shares.shape}; expected ({count},) that sum to 1")
        return np.concatenate([mood, np.tile(shares, (len(mood), 1))], axis=1)


SYSTEM = Emote
