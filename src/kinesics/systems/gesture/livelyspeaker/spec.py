"""LivelySpeaker: gestures that mean what is said, made to move with how it is said.

Paper: Zhi et al., "LivelySpeaker: Towards Semantic-Aware Co-Speech Gesture Generation", ICCV 2023 (arXiv
2309.09294); official code github.com/zyhbili/LivelySpeaker (no licence: read for facts only).

**In.** ``speech`` (samples; ``tiny``: loudness envelope and onsets), ``words``, a speaker's number, and 4
frames of motion to go on from. **Out.** ``body`` at 15 fps: trunk, head, arms, fingers; hips, legs and
place are the incoming body's, or at rest.

**How.** Windows of 34 frames, two networks that are trained apart.

*SAG*, script to gesture: an autoencoder of motion whose latent lies in the space of a text embedding.
Encoder: transformer over two learned queries and the frames, the first query's output is the latent.
Decoder: transformer whose queries are the seed frames (zero elsewhere, with a bit that marks them) and
whose memory is the latent; in use the memory is the embedding of the window's words.

*RAG*, sound to gesture: a diffusion (cosine, 1000 steps, x0 predicted) whose denoiser is made of MLPs: each
frame has the noisy pose, the seed, its bit, and the sound's features; a style token stands before the 34
frames; eight blocks add the step's embedding, mix over the 35 tokens, then over the features.

*Together*: SAG's gesture is noised to a middle step and denoised by RAG (SDEdit), by DDIM. The fewer steps
RAG has, the more of the meaning is left; the more, the closer to the rhythm. Longer speech is done in
windows that overlap by four frames: the tail of one is the seed of the next, and they fade into each other.

**Stages.** ``sag``, then ``rag`` (which takes nothing of it but the normalisation).

**Losses.** SAG: squared error of motion and of its change, + 0.001 · (1 − cosine of latent and text). RAG:
Huber of motion and of its change; sound is left out one time in ten.

**Knobs.** ``script`` (other words to mean: the sound stays), ``meaning`` (0: RAG from noise, rhythm alone;
0.8: the official 80 of 100 steps skipped; 1: SAG alone), ``guidance`` (how far towards the sound: 1 as
trained; officially 1 or 1.5), ``speaker`` (a number, or several with weights: their styles are mixed),
``steps``, ``start``, ``seed``.

**Presets.** ``paper``: BEAT's 47 joints in 6-D (282 numbers), samples, CLIP ViT-B/32's 512 numbers. CLIP is
not ours to ship: hand in an embedder (``system.embedder = …``, anything with ``embed(texts)``). ``tiny``:
canonical joints in 6-D (258), 128 numbers of :class:`kinesics.ports.embedder.Hashed`, in which words of one
spelling are alike; ``embedder="minilm", width=384`` knows synonyms (extra ``text``).

**Faithful**: both networks, widths and layers, latent as wide as the embedding, losses and weights,
schedule, DDIM of 100 steps of which 80 are skipped, guidance over the sound's features, seed frames, batch
and rates of learning. The ``paper`` networks have as many parameters as the official ones, CLIP's apart.

**Put right**, where the official code is at odds with itself or the paper:

* Latent and text are brought to one length before they are decoded. The loss sees their directions alone,
  but the code decodes each at its own length: latents leave a layer norm at about √512 ≈ 23, CLIP's texts
  have about 10.
* Silence means nothing: one in ten memories is zero while training (ours), and so is that of a window
  without words. The code has no windows without words.
* Style is its mean in use. The code draws it afresh in every denoising step, at test time, too.
* One frame of sound is one frame of motion. The code takes 1080 samples of 16 kHz for a frame of 1066⅔, so
  sound drifts by 0.43 frames per window. Here speech is sampled at 15 · 1080 = 16.2 kHz.
* The seed may be absent (one in ten while training: ours), so that a performance can begin from nothing.
  The code takes seeds from the true motion at test time.
* Guidance runs the network a second time only where it changes anything (a scale of 1 is the network
  itself).

**Differs**: motion has its mean and spread taken out (the code: BEAT as it is), so that noise of unit
spread covers what there is. The step's embedding has GELU for SiLU. TED's nine directions of bones are not
made, as they are no rotations. The code for BEAT has a second token, the emotion; the paper's network, and
this one, has the style alone. ``from_text`` (0 in ``paper``, 1 in ``tiny``; the code has the remnants of
it) also trains the decoder on the text's own embedding: small embeddings say too little of a motion to be
met by its latent. ``attention`` replaces the MLP blocks by transformer layers of like size: the claim's
baseline.

**Claim** (retested by ``kinesics claim livelyspeaker``): on held-out clips SAG→RAG has a higher beat score
than SAG alone and tells meaning better than RAG alone; sweeping ``meaning`` traces a monotone trade-off
between the two; the MLP denoiser's FGD is no worse than that of a transformer of the same size after the
same training.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, choose
from kinesics.nn import samplers, windows
from kinesics.nn.samplers import Schedule
from kinesics.performance import Motion, Performance, Tier
from kinesics.ports.embedder import Embedder, Hashed, MiniLM
from kinesics.progress import progress as bar
from kinesics.seeds import rng
from kinesics.systems import _features as features
from kinesics.systems._system import Capability, Config, Networks, System, Training
from kinesics.systems.gesture import _upper_body as upper
from kinesics.systems.gesture._upper_body import FPS, Layout

log = logging.getLogger(__name__)
EMBEDDERS = ("given", "hashed", "minilm")


@dataclass(frozen=True)
class LivelySpeakerConfig(Config):
    """Sizes and weights.

    Parameters
    ----------
    layout
        Of the body, in 6-D, see :mod:`kinesics.systems.gesture._upper_body`.
    window, stride, start
        Frames of a window, between windows while training, and to go on from.
    embedder
        ``"hashed"``, ``"minilm"``, or ``"given"``: ``system.embedder`` must be set.
    width
        Of both networks, and of the text embedding.
    hidden, heads, layers, dropout
        Of SAG's transformers.
    blocks
        Of RAG's denoiser.
    attention
        Whether these are transformer layers instead of MLPs.
    wave
        Whether sound is seen as samples; else as envelope and onsets.
    audio_widths, audio_strides, audio_kernel
        Of the sound's encoder; the last width is that of its features.
    speakers, style
        How many are told apart, width of their table.
    align, from_text
        Weights of the cosine to the text, and of decoding the text itself.
    noise_steps
        Of the diffusion.
    null
        How often sound, text and seed are left out while training.
    steps
        Of DDIM unless asked otherwise.
    """

    layout: str = "beat"
    window: int = 34
    stride: int = 10
    start: int = 4
    embedder: str = "given"
    width: int = 512
    hidden: int = 1024
    heads: int = 4
    layers: int = 3
    dropout: float = 0.1
    blocks: int = 8
    attention: bool = False
    wave: bool = True
    audio_widths: tuple[int, ...] = (32, 64, 128, 256)
    audio_strides: tuple[int, ...] = (5, 6, 6, 6)
    audio_kernel: int = 15
    speakers: int = 1400
    style: int = 256
    align: float = 1e-3
    from_text: float = 0.0
    noise_steps: int = 1000
    null: float = 0.1
    steps: int = 100

    def __post_init__(self) -> None:
        upper.layout(self.layout, "six")
        choose("embedder", self.embedder, EMBEDDERS)
        if not 0 < self.start < self.window:
            raise DataError(f"livelyspeaker: windows of {self.window} frames with {self.start} to go on from")
        if self.embedder == "minilm" and self.width != 384:
            raise DataError(f"livelyspeaker: width {self.width}; MiniLM's embeddings have 384 numbers")

    @classmethod
    def paper(cls) -> LivelySpeakerConfig:
        """As published."""
        return cls()

    @classmethod
    def tiny(cls) -> LivelySpeakerConfig:
        """About a million parameters: minutes on two cores."""
        return cls(
            layout="canonical",
            embedder="hashed",
            width=128,
            hidden=256,
            layers=2,
            blocks=4,
            wave=False,
            audio_widths=(16, 32, 64),
            audio_strides=(3, 2, 2),
            audio_kernel=7,
            speakers=8,
            style=32,
            align=0.1,
            from_text=1.0,
            steps=20,
        )

    @property
    def form(self) -> Layout:
        """Layout of the body."""
        return upper.layout(self.layout, "six")

    @property
    def channels(self) -> int:
        """Numbers of one frame of motion."""
        return sum(self.form.channels)

    @property
    def audio_rate(self) -> int:
        """Samples, or values of the envelope, per second."""
        return FPS * prod(self.audio_strides)

    @property
    def schedule(self) -> Schedule:
        """Of the diffusion."""
        return Schedule.cosine(self.noise_steps)


class LivelySpeaker(System):
    """See the module's text.

    Attributes
    ----------
    embedder
        Turns words into vectors; set it to use another than the configuration's.
    """

    name = "livelyspeaker"
    title = "LivelySpeaker: Towards Semantic-Aware Co-Speech Gesture Generation (ICCV 2023)"
    stages = ("sag", "rag")
    config_type = LivelySpeakerConfig
    config: LivelySpeakerConfig
    embedder: Embedder | None = None
    capability = Capability(
        task="gesture",
        needs=("speech",),
        gives=("body",),
        basis="humanoid",
        fps=Fraction(FPS),
        look_ahead=34 / FPS,
        languages=(),
        licence="Apache-2.0",
        uses=("words",),
    )

    @property
    def key(self) -> str:
        """Examples depend on who embeds their words, too."""
        return super().key if self.embedder is None else f"{super().key} {type(self.embedder).__qualname__}"

    def training(self, stage: str) -> Training:
        """As published, or a few minutes' worth for small networks."""
        choose("stage", stage, self.stages)
        if self.config.width >= 512:  # 1501 epochs of four speakers' windows, about 170 batches each
            return Training(255_000, 512, 1e-4, clip=0.0)
        steps = 2000 if stage == "sag" else 3000
        return Training(steps, 64, 1e-3, warm_up=50, drops=((0.6, 0.3), (0.85, 0.3)), average=0.99)

    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """Windows: ``motion`` (window, channels), ``audio`` (N, C), ``text`` (width,), ``speaker`` ()."""
        self.check(performance)
        if "body" not in performance:
            raise DataError(f"{self.name} learns from 'body'; this performance has: {', '.join(performance)}")
        config, body = self.config, performance.body
        show = performance.slice(body.start, body.end)
        motion = upper.seen(show.body, config.form)
        audio = upper.sound(show.speech, len(motion), config.audio_rate, wave=config.wave)
        speaker = np.int64(features.speaker_number(performance.meta.get("speaker", 0), config.speakers))
        firsts = list(range(0, len(motion) - config.window + 1, config.stride))
        texts = self._embedded(show.tier("words"), firsts)
        per = prod(config.audio_strides)
        for first, text in zip(firsts, texts, strict=True):
            last = first + config.window
            yield {
                "motion": motion[first:last],
                "audio": audio[first * per : last * per],
                "text": text,
                "speaker": speaker,
            }

    def perform(
        self,
        performance: Performance,
        networks: Networks,
        *,
        script: str | Tier | None = None,
        meaning: float = 0.8,
        guidance: float = 1.0,
        speaker: int | Mapping[int, float] = 0,
        steps: int | None = None,
        start: Motion | None = None,
        avatar: str = "maya",
        seed: int = 0,
        progress: bool = False,
    ) -> Performance:
        """Move a body to speech and to what it means.

        Parameters
        ----------
        performance
            With ``speech``, and ``words`` if they are known; with ``body``, its hips and legs are kept.
        networks
            From :func:`kinesics.systems.load_system`, or of a network in training (``kinesics.lab.networks``).
        script
            What to mean instead of ``words``: a tier of words with their times, or a text that is meant throughout.
        meaning
            0 to 1, how many of the steps are SAG's: 0 for the sound's rhythm alone, 1 for the script's gestures alone.
            Where no words are known there is nothing to mean, and it is 0, which is logged and told in ``meta``.
        guidance
            How far towards the sound: 1 as trained, 0 deaf, 1.5 livelier at twice the time.
        speaker
            Whose style, or several with their weights.
        steps
            Of DDIM, of which a share of ``meaning`` is skipped; by default the configuration's.
        start
            What the body did just before second 0: at least 4 frames at 15 fps. None: it begins from nothing.
        avatar
            Whose skeleton.
        seed
            Another seed, another performance.
        progress
            Show a bar over the windows.

        Returns
        -------
        Performance
            The same, with ``body`` at 15 fps and the settings under ``meta["livelyspeaker"]``.

        Raises
        ------
        DataError
            If there is no speech, or a setting is out of range.
        """
        from kinesics.bodies.avatar import load_avatar

        self.check(performance)
        config = self.config
        steps = config.steps if steps is None else steps
        if not 0 <= meaning <= 1:
            raise DataError(f"meaning {meaning}; expected 0 (rhythm alone) to 1 (script alone)")
        if not np.isfinite(guidance):
            raise DataError(f"guidance {guidance}; expected a finite number, 1 for none")
        frames = upper.frames_of(performance, "speech")
        style = self._style(speaker, networks)
        tail = upper.lead_of(start, config.start, config.form)
        lead = 0 if tail is None else config.start
        if tail is not None:
            tail = networks["enter"](motion=tail[None])["x"]
        firsts = windows.starts(lead + frames, config.window, config.start)
        words = performance.tier("words") if script is None else script
        said = any(label.strip() for label in ([words] if isinstance(words, str) else words.labels))
        if meaning and not said:
            log.warning(
                "livelyspeaker: no words are known, so rhythm alone: meaning is 0 instead of %g", meaning
            )
            meaning = 0.0
        texts = self._embedded(words, [first - lead for first in firsts])
        audio = upper.sound(performance.speech, frames, config.audio_rate, wave=config.wave)
        per = prod(config.audio_strides)
        audio = np.concatenate([np.zeros((lead * per, audio.shape[1]), np.float32), audio])
        parts = []
        for i, first in bar(list(enumerate(firsts)), "gestures") if progress else enumerate(firsts):
            heard = windows.padded(audio, first * per, config.window * per)
            part = self._window(networks, texts[i], heard, style, tail, meaning, guidance, steps, (seed, i))
            tail = part[:, -config.start :]
            parts.append(part[0])
        whole = windows.join(parts, config.start, lead + frames)
        made = networks["leave"](x=whole[None])["motion"][0][lead:]
        body = upper.shown(made, config.form, load_avatar(avatar).skeleton, performance.get("body"))
        told = {
            "script": script if script is None or isinstance(script, str) else " ".join(script.labels),
            "meaning": meaning,
            "guidance": guidance,
            "speaker": {str(k): v for k, v in speaker.items()} if isinstance(speaker, Mapping) else speaker,
            "steps": steps,
            "seed": seed,
            "continued": start is not None,
        }
        return self.signed(performance, networks, told, body=body)

    def _window(
        self,
        networks: Networks,
        text: NDArray,
        audio: NDArray,
        style: NDArray,
        tail: NDArray | None,
        meaning: float,
        guidance: float,
        steps: int,
        key: tuple[int, int],
    ) -> NDArray[np.float32]:
        """(1, window, channels) in units of the spread."""
        config, schedule = self.config, self.config.schedule
        seeded = np.full(1, tail is not None, np.float32)
        start = np.zeros((1, config.start, config.channels), np.float32) if tail is None else tail
        skip = round(meaning * steps)
        stream = rng(key[0], self.name, "window", key[1])
        if skip:
            gist = networks["speak"](text=text[None], start=start, seeded=seeded)["x"]
            if skip == steps:
                return gist
            x = samplers.start_from(gist, schedule, steps=steps, skip=skip, rng=stream)
        else:
            x = stream.standard_normal((1, config.window, config.channels), dtype=np.float32)
        speech = networks["listen"](audio=audio[None])["speech"]

        def step(x: Any, t: Any, speech: Any) -> Any:
            return networks["step"](x=x, t=t, speech=speech, style=style, start=start, seeded=seeded)["data"]

        step = samplers.guided(step, guidance, np.zeros_like(speech))
        return samplers.ddim(step, x, speech, schedule, steps=steps, skip=skip).astype(np.float32)

    def _style(self, speaker: int | Mapping[int, float], networks: Networks) -> NDArray[np.float32]:
        """(1, width) the style of a speaker, or the weighted mean of several."""
        shares = speaker if isinstance(speaker, Mapping) else {speaker: 1.0}
        total = sum(shares.values())
        if not shares or not np.isfinite(total) or total <= 0 or min(shares.values()) < 0:
            raise DataError(f"speaker {dict(shares)}; expected weights that are not negative, and not all 0")
        parts = []
        for who, share in shares.items():
            number = np.full(1, features.speaker_number(who, self.config.speakers), np.int64)
            parts.append(share / total * networks["style"](speaker=number)["style"])
        return np.sum(parts, axis=0, dtype=np.float32)

    def _embedded(self, words: Tier | str, firsts: list[int]) -> NDArray[np.float32]:
        """(windows, width) of what is said in each window; zeros where nothing is."""
        config = self.config
        if isinstance(words, str):
            texts = [words] * len(firsts)
        else:
            spans = [(first / FPS, (first + config.window) / FPS) for first in firsts]
            texts = [" ".join(words.slice(*span).labels) for span in spans]
        said = sorted({text for text in texts if text.strip()})
        out = np.zeros((len(texts), config.width), np.float32)
        if not said:
            return out
        made = np.asarray((self.embedder or self._own).embed(said), np.float32)
        if made.shape != (len(said), config.width) or not np.isfinite(made).all():
            raise DataError(f"embedder: shape {made.shape}; expected ({len(said)}, {config.width}), finite")
        for row, text in zip(out, texts, strict=True):
            if text.strip():
                row[:] = made[said.index(text)]
        return out

    @cached_property
    def _own(self) -> Embedder:
        """The configuration's embedder."""
        if self.config.embedder == "given":
            raise DataError(
                f"{self.name}: this configuration needs a text embedder of {self.config.width} numbers "
                f"(the paper: CLIP ViT-B/32); set system.embedder to one"
            )
        if self.config.embedder == "minilm":
            return MiniLM()
        return Hashed(self.config.width)


SYSTEM = LivelySpeaker
