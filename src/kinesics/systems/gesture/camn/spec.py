"""CaMN: body and hands from whatever is known of someone who talks, one modality feeding the next.

Paper: Liu et al., "BEAT: A Large-Scale Semantic and Emotional Multi-Modal Dataset for Conversational
Gestures Synthesis", ECCV 2022 (arXiv 2203.05297), which brings the network as the data set's baseline;
official code github.com/PantoMatrix/PantoMatrix (``scripts/BEAT_2022``, CC BY-NC 4.0), read for facts.

**In.** Any of: a speaker's number, an emotion for each frame (eight), ``words``, ``speech`` (samples;
``tiny``: loudness envelope and onsets), ``face`` (ARKit, 15 per second); and 4 frames of motion to go on
from. What a performance lacks, or ``modalities`` leaves out, does not enter at all. **Out.** ``body`` at 15
fps: trunk, head, arms, fingers; hips, legs and place are the incoming body's, or at rest.

**How.** Windows of 34 frames. Each modality has an encoder: speaker and emotion embeddings of 8 (the
emotion's through four convolutions), words through a table and a causal convolution network to 128, sound
through six residual convolutions to 128, face through four to 32. The cascade: speaker, emotion and text
are mixed into the sound's features, all of these into the face's, and everything, with the seed frames and
a bit that marks them, goes to a four-layer two-way LSTM for the body; the same and the body it gave go to a
second one for the hands. One pass, nothing is drawn: the same input always gives the same gestures. Longer
performances are done in windows that overlap by four frames: the tail of one is the seed of the next, and
they fade into each other.

**Loss.** 500 × Huber((sem + 1) · pose, (sem + 1) · truth): frames with meaning (``semantic`` scores, 0 to
1) count up to twice in amplitude. ``semantic=0`` is the ablation. ``adversarial`` (published: 0.1; 0 by
default, see below) adds a convolutional discriminator.

**Knobs.** ``speaker``, ``emotion`` (one for the whole performance instead of its own), ``modalities``
(which of those at hand count), ``start`` (motion to go on from).

**Presets.** ``paper``: BEAT's 47 joints as Euler angles in degrees (27 + 114 numbers), 51 face
coefficients, 30 speakers, samples; turns of the upper spine and the head, which are not among the 47, are
folded into the joint before them. ``tiny``: canonical joints in 6-D (66 + 192 numbers), 52 coefficients.

**Faithful**: encoders, cascade, LSTMs, widths, the loss and its weight, mean and spread of motion taken
out, seed frames, batch, rates of learning, bound on the gradient. The ``paper`` network has as many
parameters as the official one (within 0.1 %).

**Put right**, where the official code is at odds with itself or the paper:

* The discriminator can train. In the code ``no_adv_epoch`` is 200 of 100 epochs, so it never does; its
  forward pass names a variable that does not exist; and the generator's share of the loss is multiplied by
  itself (``v *= w * v``), which squares it. Here the share is w · softplus(−logit), and the discriminator's
  last layer follows the window's length.
* One frame of sound is one frame of motion. The code takes 1080 samples of 16 kHz for a frame of 1066⅔ and
  copies the last frames when some lack; sound drifts by 0.43 frames per window, by 6 in half a minute. Here
  speech is sampled at 15 · 1080 = 16.2 kHz.
* Modalities may be absent. The code builds the network for a fixed set, and fails on None in between. Here
  each encoder's features are zero where the modality is not there, and ``drop`` (ours; 0 in ``paper``)
  leaves some out while training.
* The seed may be absent, so that a performance can begin from nothing (one in ten while training: ours). At
  test time the code takes seeds from the true motion.
* Long performances are done window by window. The code's test feeds a whole clip at once to LSTMs that saw
  34 frames, and takes its first four true frames along.

**Kept, though it hurts**: Euler angles in ``paper``. A forearm bent by 90° is where XYZ angles lose a
degree of freedom: in BEAT's file 2_scott_0_1_1 those of the right one run over 693°. ``rotation="six"`` has
no such place.

**Differs**: words are numbered by hash into a table trained here, where the code begins from fastText's.
Rotations of ``beat`` are relative to a T-pose, not to the file's own rest. Generator and discriminator take
their steps together, at one rate of learning (the code's: in turns, the discriminator's a fifth). One
shortcut convolution of the face encoder (816 of 16.4 million weights) is an identity, as sizes allow it.
Weights are normalised nowhere (the code: in the text encoder).

**Claim** (retested by ``kinesics claim camn``): each modality that is added to the cascade (sound; + text;
+ face; + emotion; + speaker) does not raise FGD or lower SRGR, the whole is best in both, and semantic
weighting raises SRGR at equal FGD.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, choose
from kinesics.nn import windows
from kinesics.performance import Interval, Motion, Performance, Tier
from kinesics.progress import progress as bar
from kinesics.systems import _features as features
from kinesics.systems._system import Capability, Config, Networks, System, Training
from kinesics.systems.gesture import _upper_body as upper
from kinesics.systems.gesture._upper_body import EMOTIONS, FPS, Layout

MODALITIES = ("speaker", "emotion", "text", "audio", "face")
"""In the order of the cascade."""
_TRACKS = {"emotion": "emotion", "text": "words", "audio": "speech", "face": "face"}


@dataclass(frozen=True)
class CaMNConfig(Config):
    """Sizes and weights.

    Parameters
    ----------
    layout, rotation
        Of the body, see :mod:`kinesics.systems.gesture._upper_body`.
    window, stride, start
        Frames of a window, between windows while training, and to go on from.
    modalities
        Those that are seen at all, of :data:`MODALITIES`; fewer are the claim's arms.
    wave
        Whether sound is seen as samples; else as envelope and onsets.
    audio_widths, audio_strides, audio_kernel
        Of the sound's encoder; the last width is that of its features.
    vocabulary, word_width, text_width
        Rows and width of the table of words, width of the text's features.
    face, face_width
        Coefficients, the first ones of ARKit, and width of the face's features.
    speakers, small
        How many are told apart; width of speaker and emotion.
    hidden, layers, dropout
        Of the LSTMs and the text encoder.
    reconstruction, semantic, adversarial
        Weight of the Huber loss, how much semantic frames count beyond others, weight of the discriminator's.
    drop, start_null
        How often a modality, and the seed, are left out while training.
    """

    layout: str = "beat"
    rotation: str = "euler"
    window: int = 34
    stride: int = 10
    start: int = 4
    modalities: tuple[str, ...] = MODALITIES
    wave: bool = True
    audio_widths: tuple[int, ...] = (32, 32, 32, 64, 64, 128)
    audio_strides: tuple[int, ...] = (5, 6, 1, 6, 1, 6)
    audio_kernel: int = 15
    vocabulary: int = 5793
    word_width: int = 300
    text_width: int = 128
    face: int = 51
    face_width: int = 32
    speakers: int = 30
    small: int = 8
    hidden: int = 256
    layers: int = 4
    dropout: float = 0.3
    reconstruction: float = 500.0
    semantic: float = 1.0
    adversarial: float = 0.0
    drop: float = 0.0
    start_null: float = 0.1

    def __post_init__(self) -> None:
        upper.layout(self.layout, self.rotation)
        for name in self.modalities:
            choose("modality", name, MODALITIES)
        if not 0 < self.start < self.window:
            raise DataError(f"camn: windows of {self.window} frames with {self.start} to go on from")

    @classmethod
    def paper(cls) -> CaMNConfig:
        """As published."""
        return cls()

    @classmethod
    def tiny(cls) -> CaMNConfig:
        """A million parameters: minutes on two cores."""
        return cls(
            layout="canonical",
            rotation="six",
            wave=False,
            audio_widths=(16, 32, 32),
            audio_strides=(3, 2, 2),
            audio_kernel=7,
            vocabulary=512,
            word_width=32,
            text_width=32,
            face=52,
            face_width=16,
            speakers=8,
            hidden=80,
            layers=2,
            dropout=0.1,
            drop=0.1,
        )

    @property
    def form(self) -> Layout:
        """Layout of the body."""
        return upper.layout(self.layout, self.rotation)

    @property
    def audio_rate(self) -> int:
        """Samples, or values of the envelope, per second."""
        return FPS * prod(self.audio_strides)


class CaMN(System):
    """See the module's text."""

    name = "camn"
    title = "BEAT: A Large-Scale Semantic and Emotional Multi-Modal Dataset (ECCV 2022), its cascaded motion network"
    stages = ("gestures",)
    config_type = CaMNConfig
    config: CaMNConfig
    capability = Capability(
        task="gesture",
        needs=(),
        gives=("body",),
        basis="humanoid",
        fps=Fraction(FPS),
        look_ahead=34 / FPS,
        languages=(),
        licence="Apache-2.0",
        uses=tuple(_TRACKS.values()),
    )

    def training(self, stage: str) -> Training:
        """As published, or a few minutes' worth for small networks."""
        choose("stage", stage, self.stages)
        if self.config.hidden >= 256:  # 100 epochs of four speakers' windows, about 340 batches each
            return Training(34_000, 256, 2.5e-4, (0.5, 0.999), clip=200.0)
        return Training(2000, 64, 2e-3, (0.5, 0.999), warm_up=50, drops=((0.6, 0.3), (0.85, 0.3)), clip=200.0)

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Windows: ``motion`` (window, channels), ``semantic`` (window,), and the inputs of the network but the seed."""
        if "body" not in performance:
            raise DataError(f"{self.name} learns from 'body'; this performance has: {', '.join(performance)}")
        body = performance.body
        show = performance.slice(body.start, body.end)
        motion = upper.seen(show.body, self.config.form)
        semantic = upper.scores(show.tier("semantic"), len(motion))
        speaker = performance.meta.get("speaker")
        known = self._known(show, speaker is not None)
        inputs = self._inputs(show, len(motion))
        for first in range(0, len(motion) - self.config.window + 1, self.config.stride):
            row = self._window(inputs, first)
            row["speaker"] = np.int64(features.speaker_number(speaker or 0, self.config.speakers))
            part = slice(first, first + self.config.window)
            yield {**row, "present": known, "motion": motion[part], "semantic": semantic[part]}

    def perform(
        self,
        performance: Performance,
        networks: Networks,
        *,
        speaker: int | None = 0,
        emotion: str | None = None,
        modalities: tuple[str, ...] | None = None,
        start: Motion | None = None,
        avatar: str = "maya",
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Move a body to what is known.

        Parameters
        ----------
        performance
            With any of ``speech``, ``words``, ``face``, ``emotion``; with ``body``, its hips and legs are kept.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        speaker
            Whose habits; None: nobody's.
        emotion
            One for all of it, instead of the tier ``emotion``.
        modalities
            Those that count, of :data:`MODALITIES`; all at hand by default.
        start
            What the body did just before second 0: at least 4 frames at 15 fps. None: it begins from nothing.
        avatar
            Whose skeleton.
        seed
            Takes part in nothing: this system draws no random numbers.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``body`` at 15 fps and the settings under ``meta["camn"]``.

        Raises
        ------
        DataError
            If there is nothing to go by, a setting is out of range, or a wanted modality is not there.
        """
        from kinesics.bodies.avatar import load_avatar

        config = self.config
        if emotion is not None:
            choose("emotion", emotion, EMOTIONS)
        wanted = (
            MODALITIES
            if modalities is None
            else tuple(choose("modality", name, MODALITIES) for name in modalities)
        )
        if not any(_has(performance, track) for track in _TRACKS.values()):
            raise DataError(
                f"{self.name} needs one of the tracks {', '.join(_TRACKS.values())}; "
                f"this performance has: {', '.join(performance) or 'none'}"
            )
        frames = upper.frames_of(performance, "performance")
        given = performance
        if emotion is not None:
            told = Tier("emotion", (Interval(0.0, frames / FPS, emotion),))
            given = performance.with_tracks(emotion=told)
        known = self._known(given, speaker is not None, wanted)
        for name in wanted if modalities is not None else ():
            if not known[MODALITIES.index(name)]:
                why = "nothing is known of" if name in config.modalities else "this network was not built for"
                raise DataError(f"{self.name}: {why} {name!r}; leave it out of modalities")
        who = features.speaker_number(0 if speaker is None else speaker, config.speakers)
        tail = upper.lead_of(start, config.start, config.form)
        lead = 0 if tail is None else config.start
        inputs = self._inputs(given, frames, lead)
        parts = []
        firsts = windows.starts(lead + frames, config.window, config.start)
        for first in bar(firsts, "gestures") if progress else firsts:
            row = {name: values[None] for name, values in self._window(inputs, first).items()}
            row["speaker"] = np.full(1, who, np.int64)
            seeded = np.full(1, tail is not None, np.float32)
            if tail is None:
                tail = np.zeros((config.start, sum(config.form.channels)), np.float32)
            part = networks["step"](**row, present=known[None], start=tail[None], seeded=seeded)["motion"][0]
            tail = part[-config.start :]
            parts.append(part)
        made = windows.join(parts, config.start, lead + frames)[lead:]
        body = upper.shown(made, config.form, load_avatar(avatar).skeleton, performance.get("body"))
        settings = {
            "speaker": speaker,
            "emotion": emotion,
            "modalities": [name for name, there in zip(MODALITIES, known, strict=True) if there],
            "seed": seed,
            "continued": start is not None,
        }
        return self.signed(performance, networks, settings, body=body)

    def _known(
        self, performance: Performance, speaker: bool, wanted: tuple[str, ...] = MODALITIES
    ) -> NDArray[np.float32]:
        """(5,) 1 for each modality that is wanted, seen by this network, and there."""
        there = {name for name, track in _TRACKS.items() if _has(performance, track)}
        there |= {"speaker"} if speaker else set()
        return np.array([n in there & {*wanted} & {*self.config.modalities} for n in MODALITIES], np.float32)

    def _inputs(self, performance: Performance, frames: int, lead: int = 0) -> dict[str, NDArray]:
        """Whole tracks as the network sees them, after ``lead`` frames of nothing."""
        config, out = self.config, {}
        out["audio"] = upper.sound(performance.get("speech"), frames, config.audio_rate, wave=config.wave)
        words = performance.tier("words")
        out["words"] = features.word_numbers(words, frames, fps=FPS, vocabulary=config.vocabulary)
        out["emotion"] = upper.emotion_numbers(performance.tier("emotion"), frames)
        out["face"] = np.zeros((frames, config.face), np.float32)
        if (face := performance.get("face")) is not None and len(face):
            out["face"] = face.select(ARKIT[: config.face]).at(np.arange(frames) / FPS).values
        pad = {name: lead * len(values) // frames for name, values in out.items()}
        return {n: np.concatenate([np.zeros((pad[n], *v.shape[1:]), v.dtype), v]) for n, v in out.items()}

    def _window(self, inputs: dict[str, NDArray], first: int) -> dict[str, NDArray]:
        per = {name: prod(self.config.audio_strides) if name == "audio" else 1 for name in inputs}
        return {n: windows.padded(v, first * per[n], self.config.window * per[n]) for n, v in inputs.items()}


def _has(performance: Performance, track: str) -> bool:
    """Whether a track is there and says anything: a tier without words is as none."""
    return track in performance and len(performance[track]) > 0


SYSTEM = CaMN
