"""The networks of EMOTE: the prior, the speaker with its ears, and the two readers in its losses. What they are for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.face_points import face_points
from kinesics.hear.phones import VISEMES
from kinesics.nn.attention import alibi
from kinesics.nn.faces import MorphFace
from kinesics.nn.graphs import Graph
from kinesics.nn.readers import AttentiveMood, ConvLips, ctc, soft_cross_entropy
from kinesics.nn.transformers import PostBlock, Wav2Vec, at_rate, side_by_side
from kinesics.nn.vae import Gaussian, kl_to_standard
from kinesics.systems._face_features import EMOTIONS, LEVELS, MOOD
from kinesics.systems.face.emote.spec import FPS, MELS, SCALE, EmoteConfig

HALVINGS = SCALE.bit_length() - 1
NEAR = 5.0
"""Millimetres of a landmark's way that the readers see as 1."""


def _convolution(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, width, 5, stride=stride, padding=2, padding_mode="replicate"),
        nn.LeakyReLU(0.2),
        nn.BatchNorm1d(width),
    )


class Encoder(nn.Module):
    """(B, T, channels) to Gaussians over (B, T / 8, latent)."""

    def __init__(self, channels: int, config: EmoteConfig) -> None:
        super().__init__()
        width, self.heads = config.prior_width, config.heads
        layers: list[nn.Module] = [_convolution(channels, width, stride=2)]
        for _ in range(HALVINGS - 1):
            layers += [_convolution(width, width), nn.MaxPool1d(2)]
        self.squeeze = nn.Sequential(*layers)
        self.enter = nn.Linear(width, width)
        self.block = PostBlock(width, config.heads, config.prior_hidden, dropout=config.prior_dropout)
        self.latent = Gaussian(width, config.latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A sample (the mean when not training), the mean, the log variance."""
        y = self.enter(self.squeeze(x.transpose(1, 2)).transpose(1, 2))
        return self.latent(self.block(y, bias=alibi(self.heads, y.shape[1], device=y.device)))


class Decoder(nn.Module):
    """(B, L, latent) to (B, 8 L, channels)."""

    def __init__(self, channels: int, config: EmoteConfig) -> None:
        super().__init__()
        width, self.heads = config.prior_width, config.heads
        first = nn.ConvTranspose1d(config.latent, width, 5, stride=2, padding=2, output_padding=1)
        layers: list[nn.Module] = [nn.Sequential(first, nn.LeakyReLU(0.2), nn.BatchNorm1d(width))]
        for _ in range(HALVINGS - 1):
            layers += [_convolution(width, width), nn.Upsample(scale_factor=2, mode="nearest")]
        self.spread = nn.Sequential(*layers)
        self.enter = nn.Linear(width, width)
        self.block = PostBlock(width, config.heads, config.prior_hidden, dropout=config.prior_dropout)
        self.leave = nn.Linear(width, width)
        self.smooth = nn.Conv1d(width, channels, 5, padding=2)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, z: Tensor) -> Tensor:
        """See the class."""
        y = self.enter(self.spread(z.transpose(1, 2)).transpose(1, 2))
        y = self.leave(self.block(y, bias=alibi(self.heads, y.shape[1], device=y.device)))
        return self.smooth(y.transpose(1, 2)).transpose(1, 2)


class Mel(nn.Module):
    """The ears of ``tiny``: three convolutions over a log mel spectrum, two of its frames to one of the face."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: EmoteConfig) -> None:
        super().__init__()
        width = config.ears_width
        self.register_buffer("mean", torch.zeros(config.bands))
        self.register_buffer("spread", torch.ones(config.bands))
        self.layers = nn.Sequential(
            nn.Conv1d(config.bands, width, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(width, width, 5, stride=MELS // FPS, padding=2),
            nn.GELU(),
            nn.Conv1d(width, width, 3, padding=1),
            nn.GELU(),
        )

    def begin(self, audio: Tensor) -> None:
        """Take the spectrum's mean and spread."""
        flat = audio.flatten(0, 1)
        self.mean.copy_(flat.mean(0))
        self.spread.copy_(flat.std(0).clamp(min=0.1))

    def forward(self, audio: Tensor) -> Tensor:
        """(B, 2 T, bands) → (B, T, width)."""
        return self.layers(((audio - self.mean) / self.spread).transpose(1, 2)).transpose(1, 2)


class Waves(nn.Module):
    """The ears of ``paper``: wav2vec 2.0 over samples, brought from 50 to 25 vectors a second."""

    def __init__(self, config: EmoteConfig) -> None:
        super().__init__()
        self.network = Wav2Vec(config.ears_width)

    def begin(self, audio: Tensor) -> None:
        """Nothing is taken."""

    def forward(self, audio: Tensor) -> Tensor:
        """(B, 640 T) → (B, T, width)."""
        return at_rate(self.network(audio), audio.shape[1] * FPS // 16_000)


class Hear(nn.Module):
    """Sound to (B, T, width)."""

    def __init__(self, config: EmoteConfig) -> None:
        super().__init__()
        self.ears = Waves(config) if config.ears == "wav2vec" else Mel(config)
        self.narrow = nn.Linear(config.ears_width, config.width)

    def forward(self, audio: Tensor) -> Tensor:
        """See the class."""
        return self.narrow(self.ears(audio))


class Speaker(nn.Module):
    """What was heard (B, T, width), and emotion, intensity and style (B, T, 11 + speakers), to latents (B, T / 8, latent)."""

    def __init__(self, config: EmoteConfig) -> None:
        super().__init__()
        both = 2 * config.width
        self.heads, self.period = config.heads, config.period
        self.told = nn.Linear(MOOD + config.speakers, config.width)
        self.block = PostBlock(both, config.heads, config.hidden, dropout=config.dropout)
        self.leave = nn.Linear(both, config.latent)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.squeeze = nn.Linear(SCALE * config.latent, config.latent)

    def forward(self, heard: Tensor, condition: Tensor) -> Tensor:
        """See the class."""
        x = torch.cat([heard, self.told(condition)], dim=-1)
        bias = alibi(self.heads, x.shape[1], period=self.period, device=x.device)
        return self.squeeze(side_by_side(self.leave(self.block(x, bias=bias)), SCALE))


class Speak(nn.Module):
    """What was heard and the condition to coefficients: the speaker, then the prior's decoder."""

    mean: Tensor
    spread: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.speaker, self.decoder = net.speaker, net.decoder
        self.register_buffer("mean", net.mean)
        self.register_buffer("spread", net.spread)

    def forward(self, heard: Tensor, condition: Tensor) -> Tensor:
        """(B, T, 52), not cut to 0–1."""
        return self.decoder(self.speaker(heard, condition)) * self.spread + self.mean


class Net(nn.Module):
    """All networks of the system."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: EmoteConfig) -> None:
        super().__init__()
        self.config = config
        points = face_points(config.avatar)
        self.face = MorphFace(points.neutral, points.offsets, scale=1000.0)
        self.register_buffer("mouth", torch.tensor(points.mouth), persistent=False)
        self.register_buffer("landmarks", torch.tensor(points.landmarks), persistent=False)
        self.lips = ConvLips(
            3 * len(points.mouth), len(VISEMES), width=config.lip_width, depth=config.lip_depth
        )
        self.emotion = AttentiveMood(
            3 * len(points.landmarks), len(EMOTIONS), LEVELS, width=config.mood_width, heads=config.mood_heads
        )
        self.encoder, self.decoder = Encoder(len(ARKIT), config), Decoder(len(ARKIT), config)
        self.hear, self.speaker = Hear(config), Speaker(config)
        self.register_buffer("mean", torch.zeros(len(ARKIT)))
        self.register_buffer("spread", torch.ones(len(ARKIT)))

    def parts(self, stage: str) -> list[nn.Module]:
        """What is trained in a stage."""
        return {
            "lips": [self.lips],
            "emotion": [self.emotion],
            "prior": [self.encoder, self.decoder],
            "speech": [self.hear, self.speaker],
            "exchange": [self.hear.narrow, self.speaker],
        }[stage]

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """The parameters of :meth:`parts`, but for wav2vec's convolutions."""
        ears = self.hear.ears
        fixed = {id(p) for p in ears.network.convolutions.parameters()} if isinstance(ears, Waves) else set()
        for part in self.parts(stage):
            yield from (p for p in part.parameters() if id(p) not in fixed)

    @torch.no_grad()
    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Take the mean and spread of coefficients, or of the spectrum, from a sample of the corpus."""
        if stage == "prior":
            flat = batch["face"].flatten(0, 1)
            self.mean.copy_(flat.mean(0))
            # What hardly moves is not blown up to the size of what does.
            self.spread.copy_(flat.std(0).clamp(min=0.02))
        elif stage == "speech":
            self.hear.ears.begin(batch["audio"])

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        moving = {id(m) for part in self.parts(stage) for m in part.modules()}
        for module in self.modules():
            if module is not self and id(module) not in moving:
                module.training = False
        return getattr(self, f"_{stage}_loss")(batch)

    def _lips_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        value = ctc(self.lips(self.seen(batch["face"], self.mouth)), batch["visemes"], batch["count"])
        return {"ctc": value, "loss": value}

    def _emotion_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        emotion, level = self.emotion(self.seen(batch["face"], self.landmarks))
        shares = batch["mood"].split([len(EMOTIONS), LEVELS], dim=-1)
        found = soft_cross_entropy(emotion, shares[0]), soft_cross_entropy(level, shares[1])
        return {"emotion": found[0], "level": found[1], "loss": found[0] + found[1]}

    def _prior_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        face, size = batch["face"], self.config.prior_window
        first = int(torch.randint(face.shape[1] - size + 1, ()))
        face = face[:, first : first + size]
        z, mean, log_variance = self.encoder((face - self.mean) / self.spread)
        made = self.decoder(z) * self.spread + self.mean
        vertices, kl = self.vertices(made, face), kl_to_standard(mean, log_variance).mean()
        return {"vertices": vertices, "kl": kl, "loss": vertices + self.config.kl * kl}

    def _speech_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        made = self.speak(self.hear(batch["audio"]), batch["mood"], batch["style"])
        value = self.vertices(made, batch["face"])
        return {"vertices": value, "loss": value}

    def _exchange_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        config, face, mood = self.config, batch["face"], batch["mood"]
        heard = self.hear(batch["audio"])
        made = self.speak(heard, mood, batch["style"])
        found = {"vertices": self.vertices(made, face), **self.read(made, face, face, "")}
        if config.exchange and len(face) > 1:
            donor = derangement(len(face), face.device)
            swapped = self.speak(heard, mood[donor], batch["style"])
            found |= self.read(swapped, face, face[donor], " exchanged")
        lip, emotion = (sum(v for n, v in found.items() if n.startswith(w)) for w in ("lips", "emotion"))
        return {**found, "loss": found["vertices"] + config.lip * lip + config.emotion * emotion}

    def read(self, made: Tensor, lips: Tensor, emotion: Tensor, suffix: str) -> dict[str, Tensor]:
        """1 − cosine of what is read on a face and on the one whose lips, or whose emotion, it shall have."""
        with torch.no_grad():
            said = self.lips.features(self.seen(lips, self.mouth))
            felt = self.emotion.features(self.seen(emotion, self.landmarks))
        same = F.cosine_similarity(self.lips.features(self.seen(made, self.mouth)), said, dim=-1).mean()
        alike = F.cosine_similarity(
            self.emotion.features(self.seen(made, self.landmarks)), felt, dim=-1
        ).mean()
        return {f"lips{suffix}": 1 - same, f"emotion{suffix}": 1 - alike}

    def speak(self, heard: Tensor, mood: Tensor, style: Tensor) -> Tensor:
        """(B, T, 52) from what was heard, an emotion (B, 11) and a speaker (B,)."""
        told = torch.cat([mood, F.one_hot(style, self.config.speakers).to(mood.dtype)], dim=-1)
        condition = told[:, None].expand(-1, heard.shape[1], -1)
        return self.decoder(self.speaker(heard, condition)) * self.spread + self.mean

    def vertices(self, made: Tensor, wanted: Tensor) -> Tensor:
        """() mean squared error of the vertices, mm²."""
        return self.face.moved(made - wanted).square().mean()

    def seen(self, face: Tensor, places: Tensor) -> Tensor:
        """(B, T, 3 n) how far landmarks are from their rest, in units of 5 mm: what the readers see."""
        return self.face.moved(face, places).flatten(2) / NEAR

    def graphs(self) -> dict[str, Graph]:
        """``hear`` and ``speak``, on windows of ``span`` frames."""
        config = self.config
        length = (
            (1, config.span * MELS // FPS, config.bands) if config.ears == "mel" else (1, config.span * 640)
        )
        heard = torch.zeros(1, config.span, config.width)
        condition = torch.zeros(1, config.span, MOOD + config.speakers)
        return {
            "hear": Graph(self.hear, {"audio": torch.zeros(length)}, ("heard",)),
            "speak": Graph(Speak(self), {"heard": heard, "condition": condition}, ("face",)),
        }


def derangement(count: int, device: torch.device | None = None) -> Tensor:
    """(count,) for each its donor, never itself: one cycle through all of them in random order."""
    order = torch.randperm(count, device=device)
    donor = torch.empty_like(order)
    donor[order] = order.roll(-1)
    return donor
