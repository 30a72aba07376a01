"""GestureLSM: body, hands and legs from speech, by a shortcut flow over the latents of three tokenisers.

Paper: Liu et al., "GestureLSM: Latent Shortcut based Co-Speech Gesture Generation with Spatial-Temporal
Modeling", ICCV 2025 (arXiv 2501.18898); official code github.com/andypinxinliu/GestureLSM (MIT), read for facts.

**In.** ``speech`` (16 kHz; loudness envelope and onsets are seen), ``words`` when there are any, a speaker's number, and
16 frames of motion to go on from. **Out.** ``body`` at 30 fps: 13 joints of the trunk and arms, 30 of the hands, 9 of
hips, legs and feet, with the root's travel; face, jaw and eyes are left to others.

**How.** Windows of 128 frames. Each part has a tokeniser (convolutions, 4 frames to one latent of 128, six levels of
1024 codes). The generator works on the latents before quantisation, divided by ``latent_scale``: three layers
attend from all parts at once to speech, then eight blocks attend across the three parts at each moment, then
over time within each part. It is trained as a flow from noise to latents that also knows the size of its
step (:mod:`kinesics.nn.flows`), so that two to eight Euler steps do. What comes out is quantised and decoded. Longer
speech is done in windows that overlap by four latents: the tail of one is the seed of the next, and they fade
into each other before one decoding of the whole.

**Stages.** ``tokeniser``, ``generator``, and, if wanted, ``reflow``: the generator again, on the pairs of
noise and its own output that :meth:`GestureLSM.pairs` makes. ``flow`` chooses what the generator is trained for: ``"shortcut"``
(the paper), ``"plain"`` (its baseline) or ``"mean"`` (the README's one-step variant, Geng et al. 2025).

**Knobs.** ``steps``, ``guidance`` (classifier-free; 1: none; the official default, too), ``speaker``, ``start`` (motion
to go on from), ``seed``.

**Faithful**: parts, widths, layers, codes, losses, Beta(2, 1.2) times, ¾ flow and ¼ consistency, learnt null condition, seed
frames, overlap; the network that runs (speech encoder, generator, three decoders) has as many parameters as the
official one.

**Put right**, where the official code is at odds with itself or the paper:

* Onsets are put where they are heard. The code takes onset *frame* numbers for *sample* numbers, which crowds
  a whole clip's onsets into its first part.
* The tokenisers' velocity loss counts. The code configures one and multiplies it by 0.
* The flow loss is not divided by t. The code divides the *batch's mean* error by each t, which weights the whole
  batch at random by its smallest t.
* Consistency steps stay within the flow: t + 2d ≤ 1. The code draws t and d apart and asks for t beyond 1.
* Rotary positions turn queries and keys. The code turns the features themselves, values and residual
  included, which makes what is attended to depend on absolute place.
* Attention goes across parts, then over time, as the paper says; the code's default is the other order.
* Times are multiplied by 1000 before the sines, most of which are constant over 0 to 1 otherwise.
* The envelope is sampled at 30 × the encoder's stride, so that one frame of speech is one frame of motion; at
  16 kHz and a stride of 540 speech drifts by 1.6 frames per window.
* One in ten seeds is left out while training (ours), so that a performance can begin from nothing.

**Differs**: 6-D rotations are columns on the canonical 55 joints, in rotations of a world-aligned T-pose; travel is
in heights of the hips. Words are numbered by hash into a table trained here, where the code begins from
fastText's. The three tokenisers are trained side by side in one stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, choose
from kinesics.nn import samplers, windows
from kinesics.performance import Motion, Performance
from kinesics.progress import progress as bar
from kinesics.seeds import rng
from kinesics.systems import _features as features
from kinesics.systems._system import Capability, Config, Networks, System, Training

UPPER = (3, 6, 9, *range(12, 22))
HANDS = tuple(range(25, 55))
LOWER = (0, 1, 2, 4, 5, 7, 8, 10, 11)
JOINTS = (*UPPER, *HANDS, *LOWER)
CHANNELS = (6 * len(UPPER), 6 * len(HANDS), 6 * len(LOWER) + 3)
"""Of each part; the lower one's last three are the root's travel."""
FPS = 30
FLOWS = ("shortcut", "plain", "mean")


@dataclass(frozen=True)
class GestureLSMConfig(Config):
    """Sizes and weights.

    Parameters
    ----------
    window, stride
        Frames of one window, and between windows while training.
    start
        Latents that a window goes on from.
    downs
        Halvings of time in the tokenisers.
    code, codes, levels
        Length of a latent, codes in a book, books in a row.
    tokeniser_width, tokeniser_depth
        Channels, and dilated blocks after each halving.
    level_dropout, temperature, decay
        Of the quantiser, see :class:`kinesics.nn.quantise.Quantiser`.
    commit, velocity
        Weights of the tokenisers' losses beside reconstruction; that of velocity is ours.
    latent_scale
        What latents are divided by; 0: the spread that is measured when the generator's training begins.
    width, hidden, heads
        Of the generator, for each part.
    cross, blocks
        Layers that attend to speech, and spatio-temporal blocks.
    drop
        Stochastic depth.
    audio_widths, audio_strides, audio_kernel
        Of the speech encoder.
    vocabulary, word_width
        Rows and width of the table of words.
    speakers
        How many are told apart; 1: none.
    flow
        ``"shortcut"``, ``"plain"`` or ``"mean"``.
    times
        a and b of the Beta distribution of times.
    null, shortcut_null, start_null
        How often speech is left out of the flow loss and of the consistency loss, and the seed of both.
    together
        Whether parts see each other; False is the ablation of three generators side by side.
    steps
        Euler steps unless asked otherwise.
    """

    window: int = 128
    stride: int = 20
    start: int = 4
    downs: int = 2
    code: int = 128
    codes: int = 1024
    levels: int = 6
    tokeniser_width: int = 512
    tokeniser_depth: int = 3
    level_dropout: float = 0.2
    temperature: float = 0.5
    decay: float = 0.99
    commit: float = 0.02
    velocity: float = 0.1
    latent_scale: float = 5.0
    width: int = 256
    hidden: int = 1024
    heads: int = 4
    cross: int = 3
    blocks: int = 8
    drop: float = 0.1
    audio_widths: tuple[int, ...] = (64, 64, 64, 128, 128, 256)
    audio_strides: tuple[int, ...] = (5, 6, 1, 6, 1, 3)
    audio_kernel: int = 15
    vocabulary: int = 11_195
    word_width: int = 300
    speakers: int = 1
    flow: str = "shortcut"
    times: tuple[float, float] = (2.0, 1.2)
    null: float = 0.1
    shortcut_null: float = 0.8
    start_null: float = 0.1
    together: bool = True
    steps: int = 8

    def __post_init__(self) -> None:
        choose("flow", self.flow, FLOWS)
        if self.window % self.scale or self.start >= self.window // self.scale or self.start < 1:
            raise DataError(
                f"gesturelsm: windows of {self.window} frames with {self.start} latents of {self.scale} to go on from"
            )

    @classmethod
    def paper(cls) -> GestureLSMConfig:
        """As published."""
        return cls()

    @classmethod
    def tiny(cls) -> GestureLSMConfig:
        """About a million parameters: minutes on two cores."""
        return cls(
            code=32,
            codes=128,
            levels=4,
            tokeniser_width=64,
            tokeniser_depth=2,
            temperature=0.0,
            velocity=5.0,  # as good a fit with a fifth less jerk than 0.1, on performances of our own engine
            latent_scale=0.0,
            width=64,
            hidden=256,
            cross=2,
            blocks=3,
            drop=0.0,
            audio_widths=(16, 32),
            audio_strides=(2, 2),
            audio_kernel=9,
            vocabulary=512,
            word_width=32,
            speakers=8,
            shortcut_null=0.1,
            steps=2,
        )

    @property
    def scale(self) -> int:
        """Frames of one latent."""
        return 2**self.downs

    @property
    def latents(self) -> int:
        """Latents of one window."""
        return self.window // self.scale

    @property
    def audio_rate(self) -> int:
        """Values of the envelope per second."""
        return FPS * prod(self.audio_strides)


class GestureLSM(System):
    """See the module's text."""

    name = "gesturelsm"
    title = "GestureLSM: Latent Shortcut based Co-Speech Gesture Generation (ICCV 2025)"
    stages = ("tokeniser", "generator", "reflow")
    config_type = GestureLSMConfig
    config: GestureLSMConfig
    capability = Capability(
        task="gesture",
        needs=("speech",),
        gives=("body",),
        basis="humanoid",
        fps=Fraction(FPS),
        look_ahead=128 / FPS,
        languages=(),
        licence="Apache-2.0",
        uses=("words",),
    )

    def training(self, stage: str) -> Training:
        """As published, or a few minutes' worth for small networks."""
        choose("stage", stage, self.stages)
        paper = self.config.width >= 256
        if stage == "tokeniser":
            if paper:
                return Training(300_000, 256, 2e-4, (0.9, 0.99), warm_up=400, drops=((2 / 3, 0.05),))
            return Training(2000, 32, 1e-3, (0.9, 0.99), warm_up=50, drops=((0.7, 0.2),))
        if paper:  # 1000 epochs of speaker 2's windows, about 60 batches each
            return Training(60_000, 128, 2e-4, (0.5, 0.999), drops=((0.5, 0.1),))
        return Training(3000, 32, 1e-3, (0.5, 0.999), warm_up=50, drops=((0.6, 0.2),), average=0.995)

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Windows: ``motion`` (window, 315), ``audio`` (N, 2), ``words`` (window,), ``speaker`` ()."""
        self.check(performance)
        config = self.config
        motion = self._seen(performance.body)
        audio, words = self._heard(performance, len(motion))
        speaker = np.int64(features.speaker_number(performance.meta.get("speaker", 0), self.config.speakers))
        per = prod(config.audio_strides)
        for first in range(0, len(motion) - config.window + 1, config.stride):
            last = first + config.window
            yield {
                "motion": motion[first:last],
                "audio": audio[first * per : last * per],
                "words": words[first:last],
                "speaker": speaker,
            }

    def perform(
        self,
        performance: Performance,
        networks: Networks,
        *,
        steps: int | None = None,
        guidance: float = 1.0,
        speaker: int = 0,
        start: Motion | None = None,
        avatar: str = "maya",
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Move a body to speech.

        Parameters
        ----------
        performance
            With ``speech``, and ``words`` if they are known.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        steps
            Euler steps per window; by default the configuration's.
        guidance
            How far beyond its condition: 1 as trained, 2 livelier and closer to speech, at twice the time.
        speaker
            Whose habits.
        start
            What the body did just before second 0: at least 16 frames at 30 fps. None: it begins from nothing.
        avatar
            Whose skeleton.
        seed
            Another seed, another performance.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``body`` at 30 fps and the settings under ``meta["gesturelsm"]``.

        Raises
        ------
        DataError
            If there is no speech, or a setting is out of range.
        """
        from kinesics.bodies.avatar import load_avatar

        self.check(performance)
        config, skeleton = self.config, load_avatar(avatar).skeleton
        speaker = features.speaker_number(speaker, self.config.speakers)
        steps = config.steps if steps is None else steps
        if steps < 1 or not np.isfinite(guidance):
            raise DataError(
                f"steps {steps}, guidance {guidance}; expected at least 1, and a finite number (1: none)"
            )
        frames = ceil(performance.duration * FPS)
        if not frames:
            raise DataError("the speech is empty; there is nothing to move to")
        audio, words = self._heard(performance, frames)
        lead = 0 if start is None else config.start * config.scale
        if lead:
            audio = np.concatenate([np.zeros((lead * prod(config.audio_strides), 2), np.float32), audio])
            words = np.concatenate([np.full(lead, features.SILENCE), words])
        tail = None if start is None else self._tail(start, networks)
        latents = self._latents(audio, words, networks, tail, steps, guidance, speaker, seed, progress)
        made = networks["decode"](latents=latents)["motion"][0][lead : lead + frames]
        origin = (0.0, 0.0)
        if start is not None:
            before = features.canonical(start, FPS)
            origin = tuple(before.root[-1, [0, 2]] * skeleton.offsets[0, 1] / before.skeleton.offsets[0, 1])
        body = features.to_motion(made[:, :-3], JOINTS, skeleton, FPS, moved=made[:, -3:], origin=origin)
        told = {
            "steps": steps,
            "guidance": guidance,
            "speaker": speaker,
            "seed": seed,
            "continued": start is not None,
        }
        return self.signed(performance, networks, told, body=body)

    def pairs(
        self,
        examples: Iterable[dict[str, NDArray]],
        networks: Networks,
        *,
        steps: int = 8,
        guidance: float = 1.0,
        seed: int = 0,
    ) -> Iterator[dict[str, NDArray]]:
        """Examples with the ``noise`` and ``latents`` of this generator, for the stage ``reflow``."""
        config = self.config
        for i, example in enumerate(examples):
            truth = networks["encode"](motion=example["motion"][None])["latents"]
            noise = self._noise(seed, "pair", i)
            made = self._window(
                noise,
                networks,
                example["audio"],
                example["words"],
                truth[..., : config.start],
                int(example["speaker"]),
                steps,
                guidance,
            )
            yield {**example, "noise": noise[0], "latents": made[0]}

    def _latents(
        self,
        audio: NDArray,
        words: NDArray,
        networks: Networks,
        tail: NDArray | None,
        steps: int,
        guidance: float,
        speaker: int,
        seed: int,
        progress: bool,
    ) -> NDArray[np.float32]:
        """(1, 3, code, L) of any length, window by window."""
        config, per = self.config, prod(self.config.audio_strides)
        length = ceil(len(words) / config.scale)
        firsts = windows.starts(length, config.latents, config.start)
        parts = []
        for i, first in bar(list(enumerate(firsts)), "gestures") if progress else enumerate(firsts):
            frame = first * config.scale
            part = self._window(
                self._noise(seed, "window", i),
                networks,
                windows.padded(audio, frame * per, config.window * per),
                windows.padded(words, frame, config.window),
                tail,
                speaker,
                steps,
                guidance,
            )
            tail = part[..., -config.start :]
            parts.append(np.moveaxis(part[0], -1, 0))
        return np.ascontiguousarray(np.moveaxis(windows.join(parts, config.start, length), 0, -1)[None])

    def _window(
        self,
        noise: NDArray,
        networks: Networks,
        audio: NDArray,
        words: NDArray,
        tail: NDArray | None,
        speaker: int,
        steps: int,
        guidance: float,
    ) -> NDArray[np.float32]:
        """(1, 3, code, latents) of one window."""
        config = self.config
        heard = networks["listen"](audio=audio[None], words=words[None])
        width = np.full(1, 0.0 if config.flow == "plain" else 1 / steps, np.float32)
        seeded = np.full(1, tail is not None, np.float32)
        if tail is None:
            tail = np.zeros((*noise.shape[:-1], config.start), np.float32)
        who = np.full(1, speaker, np.int64)

        def step(x: Any, t: Any, speech: Any) -> Any:
            made = networks["step"](x=x, t=t, d=width, speech=speech, start=tail, seeded=seeded, speaker=who)
            return made["velocity"]

        step = samplers.guided(step, guidance, heard["nothing"])
        return samplers.euler(step, noise, heard["speech"], steps=steps)

    def _noise(self, seed: int, *names: object) -> NDArray[np.float32]:
        shape = (1, 3, self.config.code, self.config.latents)
        return rng(seed, self.name, *names).standard_normal(shape, dtype=np.float32)

    def _tail(self, start: Motion, networks: Networks) -> NDArray[np.float32]:
        count = self.config.start * self.config.scale
        seen = self._seen(start)
        if len(seen) < count:
            raise DataError(f"start: {len(seen)} frames at {FPS} fps; expected at least {count}")
        # More of it than is used, so that the convolutions see no edge where it matters.
        whole = seen[-(min(len(seen), self.config.window) // self.config.scale * self.config.scale) :]
        return networks["encode"](motion=whole[None])["latents"][..., -self.config.start :]

    def _seen(self, motion: Motion) -> NDArray[np.float32]:
        motion = features.canonical(motion, FPS)
        return np.concatenate([features.to_six(motion, JOINTS), features.travel(motion)], axis=1)

    def _heard(self, performance: Performance, frames: int) -> tuple[NDArray, NDArray]:
        audio = features.envelope(performance.speech, frames, fps=FPS, rate=self.config.audio_rate)
        words = features.word_numbers(
            performance.tier("words"), frames, fps=FPS, vocabulary=self.config.vocabulary
        )
        return audio, words


SYSTEM = GestureLSM
