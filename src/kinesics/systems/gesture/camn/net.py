"""The networks of CaMN: five encoders in a cascade, two LSTMs, a discriminator. What they are for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from kinesics.nn import convs
from kinesics.nn.graphs import Graph
from kinesics.systems.gesture._upper_body import EMOTIONS
from kinesics.systems.gesture.camn.spec import MODALITIES, CaMNConfig


class Text(nn.Module):
    """Numbers of words to features, frame t knowing nothing after t."""

    def __init__(self, config: CaMNConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(config.vocabulary, config.word_width)
        self.drop = nn.Dropout(0.1)
        self.convs = convs.Causal(config.word_width, [config.hidden] * config.layers, dropout=config.dropout)
        self.leave = nn.Linear(config.hidden, config.text_width)

    def forward(self, words: Tensor) -> Tensor:
        """(B, T) to (B, T, text_width)."""
        return self.leave(self.convs(self.drop(self.table(words)).transpose(1, 2)).transpose(1, 2))


class Emotion(nn.Module):
    """Numbers of emotions to features that change smoothly."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table, self.mix = nn.Embedding(len(EMOTIONS), width), nn.Linear(width, width)
        sizes, layers = (width, 8, 16, 16, width), []
        for before, after in pairwise(sizes):
            layers += [nn.Conv1d(before, after, 9, padding=4), nn.BatchNorm1d(after), nn.LeakyReLU(0.3)]
        self.convs = nn.Sequential(*layers)

    def forward(self, emotion: Tensor) -> Tensor:
        """(B, T) to (B, T, width)."""
        return self.convs(self.mix(self.table(emotion)).transpose(1, 2)).transpose(1, 2)


def fusion(before: int, hidden: int, after: int) -> nn.Sequential:
    """What mixes the features of earlier modalities into those of a later one."""
    return nn.Sequential(
        nn.Linear(before, hidden // 2), nn.LeakyReLU(0.1), nn.Linear(hidden // 2, after), nn.LeakyReLU(0.1)
    )


class Mover(nn.Module):
    """Features to rotations: a two-way LSTM whose directions are added, then two layers."""

    def __init__(self, before: int, after: int, config: CaMNConfig) -> None:
        super().__init__()
        self.hidden = config.hidden
        dropout = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(
            before, config.hidden, config.layers, batch_first=True, bidirectional=True, dropout=dropout
        )
        self.leave = nn.Sequential(
            nn.Linear(config.hidden, config.hidden // 2),
            nn.LeakyReLU(0.1),
            nn.Linear(config.hidden // 2, after),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, before) to (B, T, after)."""
        forth, back = self.lstm(x)[0].split(self.hidden, dim=2)
        return self.leave(forth + back)


class Discriminator(nn.Module):
    """How true a window of motion looks."""

    def __init__(self, channels: int, config: CaMNConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((channels, 16), (16, 8)):
            layers += [nn.Conv1d(before, after, 3), nn.BatchNorm1d(after), nn.LeakyReLU(0.1)]
        self.convs = nn.Sequential(*layers, nn.Conv1d(8, 8, 3))
        self.lstm = nn.LSTM(8, 64, 4, batch_first=True, bidirectional=True, dropout=0.3)
        self.frame, self.whole = nn.Linear(64, 1), nn.Linear(config.window - 6, 1)

    def forward(self, motion: Tensor) -> Tensor:
        """(B, window, channels) to (B, 1) logits."""
        forth, back = self.lstm(self.convs(motion.transpose(1, 2)).transpose(1, 2))[0].chunk(2, dim=2)
        return self.whole(self.frame(forth + back).flatten(1))


class Net(nn.Module):
    """All networks of the system, with the normalisation of motion."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: CaMNConfig) -> None:
        super().__init__()
        self.config = config
        body, hands = config.form.channels
        small, audio = config.small, config.audio_widths[-1]
        self.speaker = nn.Sequential(
            nn.Embedding(config.speakers, small), nn.Linear(small, small), nn.LeakyReLU(0.1)
        )
        self.emotion = Emotion(small)
        self.text = Text(config)
        self.audio = convs.speech_encoder(
            1 if config.wave else 2, config.audio_widths, config.audio_strides, kernel=config.audio_kernel
        )
        sizes = (config.face, *[config.face_width // 2] * 3, config.face_width)
        self.face = nn.Sequential(
            *(convs.Strided(a, b, 7 if i == 0 else 3, 1) for i, (a, b) in enumerate(pairwise(sizes)))
        )
        told = 2 * small + config.text_width
        self.mix_audio = fusion(told + audio, config.hidden, audio)
        self.mix_face = fusion(told + audio + config.face_width, config.hidden, config.face_width)
        whole = body + hands + 1 + told + audio + config.face_width
        self.body, self.hands = Mover(whole, body, config), Mover(whole + body, hands, config)
        self.critic = Discriminator(body + hands, config) if config.adversarial else None
        self.register_buffer("mean", torch.zeros(body + hands))
        self.register_buffer("spread", torch.ones(body + hands))

    def forward(
        self,
        audio: Tensor,
        words: Tensor,
        emotion: Tensor,
        face: Tensor,
        speaker: Tensor,
        present: Tensor,
        start: Tensor,
        seeded: Tensor,
    ) -> Tensor:
        """One window.

        Parameters
        ----------
        audio
            (B, N, 1) samples, or (B, N, 2) envelope and onsets.
        words, emotion
            (B, window) numbers.
        face
            (B, window, coefficients).
        speaker
            (B,) numbers.
        present
            (B, 5) 1 for each of ``MODALITIES`` that counts; of the others nothing enters.
        start
            (B, 4, channels) motion to go on from.
        seeded
            (B,) 1 where ``start`` counts.

        Returns
        -------
        Tensor
            (B, window, channels).
        """
        seed = (start - self.mean) / self.spread
        return (
            self.step(audio, words, emotion, face, speaker, present, seed, seeded) * self.spread + self.mean
        )

    def step(
        self,
        audio: Tensor,
        words: Tensor,
        emotion: Tensor,
        face: Tensor,
        speaker: Tensor,
        present: Tensor,
        seed: Tensor,
        seeded: Tensor,
    ) -> Tensor:
        """As :meth:`forward`, motion in units of its spread."""
        there = dict(zip(MODALITIES, present[:, :, None, None].unbind(1), strict=True))
        who = there["speaker"] * self.speaker(speaker)[:, None].expand(-1, words.shape[1], -1)
        told = torch.cat(
            [who, there["emotion"] * self.emotion(emotion), there["text"] * self.text(words)], dim=2
        )
        heard = there["audio"] * self.audio(audio.transpose(1, 2)).transpose(1, 2)
        heard = self.mix_audio(torch.cat([heard, told], dim=2))
        shown = there["face"] * self.face(face.transpose(1, 2)).transpose(1, 2)
        shown = self.mix_face(torch.cat([shown, heard, told], dim=2))
        marked = seeded[:, None, None] * torch.cat([seed, torch.ones_like(seed[..., :1])], dim=2)
        marked = F.pad(marked, (0, 0, 0, words.shape[1] - seed.shape[1]))
        known = torch.cat([marked, told, heard, shown], dim=2)
        body = self.body(known)
        return torch.cat([body, self.hands(torch.cat([known, body], dim=2))], dim=2)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """All parameters."""
        return self.parameters()

    @torch.no_grad()
    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Take the mean and spread of motion from a sample of the corpus."""
        flat = batch["motion"].flatten(0, 1)
        self.mean.copy_(flat.mean(0))
        # Joints that hardly move are not blown up to the size of those that do.
        self.spread.copy_(flat.std(0).clamp(min=0.01 if self.config.rotation == "six" else 0.5))

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        config = self.config
        truth = (batch["motion"] - self.mean) / self.spread
        present, seeded = batch["present"], truth.new_ones(len(truth))
        if self.training:
            present = present * (torch.rand_like(present) >= config.drop)
            seeded = (torch.rand_like(seeded) >= config.start_null).to(truth.dtype)
        names = ("audio", "words", "emotion", "face", "speaker")
        made = self.step(*(batch[name] for name in names), present, truth[:, : config.start], seeded)
        weight = (config.semantic * batch["semantic"] + 1)[..., None]
        huber = config.reconstruction * F.smooth_l1_loss(weight * made, weight * truth)
        # A discriminator's loss says nothing of how good the weights are: validation is by reconstruction alone.
        if self.critic is None or not self.training:
            return {"huber": huber, "loss": huber}
        frozen = {name: value.detach() for name, value in self.critic.named_parameters()}
        fooled = config.adversarial * F.softplus(-functional_call(self.critic, frozen, made)).mean()
        told = F.softplus(-self.critic(truth)).mean() + F.softplus(self.critic(made.detach())).mean()
        return {"huber": huber, "fooled": fooled, "told": told, "loss": huber + fooled + told}

    def graphs(self) -> dict[str, Graph]:
        """``step``: one window."""
        config = self.config
        frames, body = config.window, sum(config.form.channels)
        numbers = torch.zeros(1, frames, dtype=torch.long)
        inputs = {
            "audio": torch.zeros(1, frames * config.audio_rate // 15, 1 if config.wave else 2),
            "words": numbers,
            "emotion": numbers.clone(),
            "face": torch.zeros(1, frames, config.face),
            "speaker": torch.zeros(1, dtype=torch.long),
            "present": torch.ones(1, len(MODALITIES)),
            "start": torch.zeros(1, config.start, body),
            "seeded": torch.ones(1),
        }
        return {"step": Graph(self, inputs, ("motion",))}
