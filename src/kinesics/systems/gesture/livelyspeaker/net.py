"""The networks of LivelySpeaker: SAG, an autoencoder in the space of text; RAG, an MLP denoiser. Why: ``spec.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.nn import diffusion
from kinesics.nn.attention import TimeEmbedding
from kinesics.nn.graphs import Graph
from kinesics.nn.vae import Gaussian
from kinesics.systems.gesture.livelyspeaker.spec import LivelySpeakerConfig


class Places(nn.Module):
    """Adds sines and cosines of each frame's place, and dropout."""

    places: Tensor

    def __init__(self, width: int, length: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("places", TimeEmbedding(width).waves(torch.arange(length)), persistent=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width)."""
        return self.drop(x + self.places[: x.shape[1]])


def marked(start: Tensor, seeded: Tensor, frames: int) -> Tensor:
    """(B, frames, channels + 1): the seed frames with a bit that marks them, zero elsewhere."""
    bit = torch.ones_like(start[..., :1])
    return F.pad(seeded[:, None, None] * torch.cat([start, bit], dim=2), (0, 0, 0, frames - start.shape[1]))


def level(z: Tensor) -> Tensor:
    """(B, width) of one length, √width; what is zero stays zero."""
    return z * (math.sqrt(z.shape[-1]) / z.norm(dim=-1, keepdim=True).clamp(min=1e-6))


class Reader(nn.Module):
    """SAG's encoder: a window of motion to a latent."""

    def __init__(self, config: LivelySpeakerConfig) -> None:
        super().__init__()
        self.enter = nn.Linear(config.channels, config.width)
        # The second query is the variance's; the paper's latent is the mean, but it takes part in attention.
        self.queries = nn.Parameter(torch.randn(2, config.width))
        self.places = Places(config.width, config.window + 2, config.dropout)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.hidden, config.dropout, "gelu", batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, window, channels) to (B, width)."""
        tokens = torch.cat([self.queries.expand(len(x), -1, -1), self.enter(x)], dim=1)
        return self.layers(self.places(tokens))[:, 0]


class Writer(nn.Module):
    """SAG's decoder: a latent, or a text, to a window of motion that goes on from the seed."""

    def __init__(self, config: LivelySpeakerConfig) -> None:
        super().__init__()
        self.frames = config.window
        self.enter = nn.Linear(config.channels + 1, config.width)
        self.places = Places(config.width, config.window, config.dropout)
        layer = nn.TransformerDecoderLayer(
            config.width, config.heads, config.hidden, config.dropout, "gelu", batch_first=True
        )
        self.layers = nn.TransformerDecoder(layer, config.layers)
        self.leave = nn.Linear(config.width, config.channels)

    def forward(self, text: Tensor, start: Tensor, seeded: Tensor) -> Tensor:
        """(B, width), (B, 4, channels), (B,) to (B, window, channels)."""
        queries = self.places(self.enter(marked(start, seeded, self.frames)))
        return self.leave(self.layers(queries, level(text)[:, None]))


class Listener(nn.Module):
    """Sound to one vector per frame: strided convolutions, each but the last normalised over the window."""

    def __init__(self, channels: int, widths: Sequence[int], strides: Sequence[int], kernel: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (width, stride) in enumerate(zip(widths, strides, strict=True)):
            side = kernel - stride
            layers += [
                nn.ReplicationPad1d((side // 2, side - side // 2)),
                nn.Conv1d(channels, width, kernel, stride),
            ]
            if i < len(widths) - 1:
                layers += [nn.InstanceNorm1d(width), nn.LeakyReLU(0.3)]
            channels = width
        self.layers = nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, N, channels) to (B, window, widths[-1])."""
        return self.layers(audio.transpose(1, 2)).transpose(1, 2)


class Style(nn.Module):
    """A speaker's number to a token; drawn while training, its mean otherwise."""

    def __init__(self, config: LivelySpeakerConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(config.speakers, config.style)
        nn.init.constant_(self.table.weight, 1e-6)
        self.gauss = Gaussian(config.style, config.width)

    def forward(self, speaker: Tensor) -> Tensor:
        """(B,) to (B, width)."""
        return self.gauss(self.table(speaker))[0]


class Mixer(nn.Module):
    """Mixes over tokens, then over features, each on normalised features and added to what came in."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.tokens, self.features = nn.Conv1d(tokens, tokens, 1), nn.Linear(width, width)
        nn.init.xavier_uniform_(self.features.weight, gain=1e-8)
        nn.init.zeros_(self.features.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, tokens, width)."""
        x = x + F.silu(self.tokens(self.norms[0](x)))
        return x + F.silu(self.features(self.norms[1](x)))


class Denoiser(nn.Module):
    """What is left of a noisy window without its noise."""

    def __init__(self, config: LivelySpeakerConfig) -> None:
        super().__init__()
        width, self.frames = config.width, config.window
        self.enter = nn.Linear(2 * config.channels + 1 + config.audio_widths[-1], width)
        self.time = TimeEmbedding(width)

        self.places = Places(width, config.window + 1, 0.0) if config.attention else None
        if config.attention:  # a layer of this hidden width has about the weights of four MLP blocks
            blocks = [
                nn.TransformerEncoderLayer(width, config.heads, width // 4, 0.0, "gelu", batch_first=True)
                for _ in range(max(1, config.blocks // 4))
            ]
        else:
            blocks = [Mixer(config.window + 1, width) for _ in range(config.blocks)]
        self.blocks = nn.ModuleList(blocks)
        self.leave = nn.Linear(width, config.channels)

    def forward(
        self, x: Tensor, t: Tensor, speech: Tensor, style: Tensor, start: Tensor, seeded: Tensor
    ) -> Tensor:
        """One step.

        Parameters
        ----------
        x
            (B, window, channels) noisy motion.
        t
            (B,) steps of the diffusion.
        speech
            (B, window, features) from the listener; zeros for none.
        style
            (B, width) token.
        start, seeded
            (B, 4, channels) motion to go on from, and (B,) 1 where it counts.

        Returns
        -------
        Tensor
            (B, window, channels).
        """
        y = self.enter(torch.cat([x, marked(start, seeded, self.frames), speech], dim=2))
        y = torch.cat([style[:, None], y], dim=1)
        if self.places is not None:
            y = self.places(y)
        told = self.time(t)[:, None]
        for block in self.blocks:
            y = block(y + told)
        return self.leave(y[:, 1:])


class Frame(nn.Module):
    """Motion to units of its spread, or back."""

    mean: Tensor
    spread: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.register_buffer("mean", net.mean)
        self.register_buffer("spread", net.spread)


class Enter(Frame):
    """(B, T, channels) motion to units of its spread."""

    def forward(self, motion: Tensor) -> Tensor:
        """See the class."""
        return (motion - self.mean) / self.spread


class Leave(Frame):
    """(B, T, channels) in units of its spread to motion."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x * self.spread + self.mean


class Net(nn.Module):
    """All networks of the system, with the normalisation of motion."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: LivelySpeakerConfig) -> None:
        super().__init__()
        self.config, self.schedule = config, config.schedule
        self.reader, self.writer = Reader(config), Writer(config)
        self.listener = Listener(
            1 if config.wave else 2, config.audio_widths, config.audio_strides, config.audio_kernel
        )
        self.style, self.denoiser = Style(config), Denoiser(config)
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("spread", torch.ones(config.channels))

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """SAG's parameters, or RAG's."""
        parts = [self.reader, self.writer] if stage == "sag" else [self.listener, self.style, self.denoiser]
        for part in parts:
            yield from part.parameters()

    @torch.no_grad()
    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Take the mean and spread of motion from a sample of the corpus."""
        if stage == "sag":
            flat = batch["motion"].flatten(0, 1)
            self.mean.copy_(flat.mean(0))
            # Joints that hardly move are not blown up to the size of those that do.
            self.spread.copy_(flat.std(0).clamp(min=0.01))

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        truth = (batch["motion"] - self.mean) / self.spread
        return self._sag_loss(truth, batch["text"]) if stage == "sag" else self._rag_loss(truth, batch)

    def _sag_loss(self, truth: Tensor, text: Tensor) -> dict[str, Tensor]:
        config, start, seeded = self.config, truth[:, : self.config.start], self._kept(truth)
        z = self.reader(truth)
        said = (text.norm(dim=-1) > 0).to(truth.dtype)
        away = ((1 - F.cosine_similarity(z, text, dim=-1)) * said).sum() / said.sum().clamp(min=1)
        kept = self._kept(truth)[:, None]
        pose, pace = _errors(self.writer(z * kept, start, seeded), truth, F.mse_loss)
        losses = {"pose": pose, "pace": pace, "away": away}
        total = pose + pace + config.align * away
        if config.from_text:
            pose, pace = _errors(self.writer(text * kept, start, seeded), truth, F.mse_loss)
            losses["from_text"] = pose + pace
            total = total + config.from_text * losses["from_text"]
        return {**losses, "loss": total}

    def _rag_loss(self, truth: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        speech = self.listener(batch["audio"]) * self._kept(truth)[:, None, None]
        x, t, target = diffusion.draw(truth, self.schedule)
        start = truth[:, : self.config.start]
        made = self.denoiser(x, t, speech, self.style(batch["speaker"]), start, self._kept(truth))
        pose, pace = _errors(made, target, F.smooth_l1_loss)
        return {"pose": pose, "pace": pace, "loss": pose + pace}

    def _kept(self, like: Tensor) -> Tensor:
        """(B,) 0 where something is left out while training, else 1."""
        if not self.training:
            return like.new_ones(len(like))
        return (torch.rand(len(like), device=like.device) >= self.config.null).to(like.dtype)

    def graphs(self) -> dict[str, Graph]:
        """``enter``, ``leave``, ``speak``, ``listen``, ``style``, ``step``."""
        config = self.config
        x = torch.zeros(1, config.window, config.channels)
        start, one = x[:, : config.start].clone(), torch.ones(1)
        audio = torch.zeros(1, config.window * config.audio_rate // 15, 1 if config.wave else 2)
        step = {
            "x": x,
            "t": torch.zeros(1, dtype=torch.long),
            "speech": torch.zeros(1, config.window, config.audio_widths[-1]),
            "style": torch.zeros(1, config.width),
            "start": start,
            "seeded": one,
        }
        speak = {"text": torch.zeros(1, config.width), "start": start.clone(), "seeded": one.clone()}
        return {
            "enter": Graph(Enter(self), {"motion": x.clone()}, ("x",), {"motion": {1: "frames"}}),
            "leave": Graph(Leave(self), {"x": x.clone()}, ("motion",), {"x": {1: "frames"}}),
            "speak": Graph(self.writer, speak, ("x",)),
            "listen": Graph(self.listener, {"audio": audio}, ("speech",)),
            "style": Graph(self.style, {"speaker": torch.zeros(1, dtype=torch.long)}, ("style",)),
            "step": Graph(self.denoiser, step, ("data",)),
        }


def _errors(made: Tensor, truth: Tensor, error: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Of motion, and of its change from frame to frame."""
    return error(made, truth), error(made.diff(dim=1), truth.diff(dim=1))
