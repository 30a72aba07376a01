"""The networks of GestureLSM: three tokenisers, a speech encoder, a generator. What they are for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.nn import convs, flows
from kinesics.nn.attention import Attention, Block, DropPath, TimeEmbedding, mlp
from kinesics.nn.graphs import Graph
from kinesics.nn.quantise import Quantiser
from kinesics.systems.gesture.gesturelsm.spec import CHANNELS, GestureLSMConfig

PARTS = len(CHANNELS)


class Tokeniser(nn.Module):
    """One part's motion (B, channels, T) to latents (B, code, T / 4) and back."""

    def __init__(self, channels: int, config: GestureLSMConfig) -> None:
        super().__init__()
        size = {"depth": config.tokeniser_depth}
        self.encoder = convs.encoder(
            channels, config.tokeniser_width, config.code, downs=config.downs, **size
        )
        self.decoder = convs.decoder(channels, config.tokeniser_width, config.code, ups=config.downs, **size)
        self.quantiser = Quantiser(
            config.levels,
            config.codes,
            config.code,
            dropout=config.level_dropout,
            temperature=config.temperature,
            decay=config.decay,
        )


class Listener(nn.Module):
    """Envelope and words to one vector per latent, and what stands for no speech at all."""

    def __init__(self, config: GestureLSMConfig) -> None:
        super().__init__()
        self.scale = config.scale
        width = config.audio_widths[-1]
        self.sound = convs.speech_encoder(
            2, config.audio_widths, config.audio_strides, kernel=config.audio_kernel
        )
        self.table = nn.Embedding(config.vocabulary, config.word_width)
        self.words = nn.Linear(config.word_width, width)
        self.mix = nn.Linear(2 * width, PARTS * config.width)
        self.null = nn.Parameter(torch.zeros(config.latents, PARTS * config.width))

    def forward(self, audio: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, 2) and (B, window) → twice (B, latents, 3 · width)."""
        sound = self.sound(audio.transpose(1, 2)).transpose(1, 2)
        mixed = self.mix(torch.cat([sound, self.words(self.table(words))], dim=-1))
        speech = F.avg_pool1d(mixed.transpose(1, 2), self.scale).transpose(1, 2)
        return speech, self.null.expand(len(speech), -1, -1)


class Across(nn.Module):
    """Attention across the parts at each moment, then over time within each part, then a two-layer network."""

    def __init__(self, config: GestureLSMConfig) -> None:
        super().__init__()
        width = config.width
        self.parts = Attention(width, config.heads, bias=True) if config.together else None
        self.before_parts = nn.LayerNorm(width) if config.together else None
        self.before_time, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.time = Attention(width, config.heads, rotary=True, bias=True)
        self.mlp = mlp(width, config.hidden)
        self.drop = DropPath(config.drop)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, parts, width)."""
        if self.parts is not None and self.before_parts is not None:
            y = self.parts(self.before_parts(x).flatten(0, 1)).unflatten(0, x.shape[:2])
            x = x + self.drop(y)
        y = self.before_time(x).transpose(1, 2)
        y = self.time(y.flatten(0, 1)).unflatten(0, y.shape[:2]).transpose(1, 2)
        x = x + self.drop(y)
        return x + self.drop(self.mlp(self.before_mlp(x)))


class Generator(nn.Module):
    """The mean velocity of the latents from t to t + d."""

    def __init__(self, config: GestureLSMConfig) -> None:
        super().__init__()
        width, self.together = config.width, config.together
        self.enter = nn.Linear(config.code, width)
        self.mix = nn.Linear(2 * width, width)
        self.time = TimeEmbedding(width, scale=1000.0, extra=True)
        self.start = nn.Linear(PARTS * config.code * config.start, width)
        self.unseeded = nn.Parameter(torch.zeros(width))
        self.speaker = nn.Embedding(config.speakers, width)
        self.part = nn.Parameter(0.02 * torch.randn(PARTS, width))
        whole = PARTS * width
        self.cross = nn.ModuleList(
            [
                Block(
                    whole if config.together else width,
                    config.heads,
                    config.hidden * PARTS if config.together else config.hidden,
                    context=whole,
                    drop=config.drop,
                    rotary=True,
                )
                for _ in range(config.cross)
            ]
        )
        self.blocks = nn.ModuleList([Across(config) for _ in range(config.blocks)])
        self.leave = nn.Linear(width, config.code)

    def forward(
        self, x: Tensor, t: Tensor, d: Tensor, speech: Tensor, start: Tensor, seeded: Tensor, speaker: Tensor
    ) -> Tensor:
        """One step.

        Parameters
        ----------
        x
            (B, 3, code, latents).
        t, d
            (B,) time and size of the step.
        speech
            (B, latents, 3 · width) from the listener.
        start
            (B, 3, code, 4) latents to go on from.
        seeded
            (B,) 1 where ``start`` counts, 0 where there is none.
        speaker
            (B,) numbers.

        Returns
        -------
        Tensor
            As ``x``.
        """
        seeded = seeded[:, None]
        told = self.time(t, d) + seeded * self.start(start.flatten(1)) + (1 - seeded) * self.unseeded
        told = told + self.speaker(speaker)
        y = self.enter(x.permute(0, 3, 1, 2))
        y = self.mix(torch.cat([told[:, None, None].expand(y.shape), y], dim=-1)) + self.part
        if self.together:
            y = y.flatten(2)
            for block in self.cross:
                y = block(y, speech)
            y = y.unflatten(2, (PARTS, -1))
        else:
            y = y.transpose(1, 2).flatten(0, 1)
            for block in self.cross:
                y = block(y, speech.repeat_interleave(PARTS, 0))
            y = y.unflatten(0, (-1, PARTS)).transpose(1, 2)
        for block in self.blocks:
            y = block(y)
        return self.leave(y).permute(0, 2, 3, 1)


class Frame(nn.Module):
    """What encoding and decoding share: the normalisation of motion and latents, held by the whole network."""

    mean: Tensor
    spread: Tensor
    scale: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        for name in ("mean", "spread", "scale"):
            self.register_buffer(name, getattr(net, name))


class Encode(Frame):
    """(B, T, 315) motion → (B, 3, code, T / 4) latents, scaled."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)
        self.encoders = nn.ModuleList([t.encoder for t in net.tokenisers])

    def forward(self, motion: Tensor) -> Tensor:
        """See the class."""
        parts = ((motion - self.mean) / self.spread).split(CHANNELS, dim=2)
        made = [encoder(part.transpose(1, 2)) for part, encoder in zip(parts, self.encoders, strict=True)]
        return torch.stack(made, dim=1) / self.scale


class Decode(Frame):
    """(B, 3, code, L) latents, scaled → (B, 4 L, 315) motion, by way of the codes."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)
        self.quantisers = nn.ModuleList([t.quantiser for t in net.tokenisers])
        self.decoders = nn.ModuleList([t.decoder for t in net.tokenisers])

    def forward(self, latents: Tensor) -> Tensor:
        """See the class."""
        made = [
            decoder(quantiser(part)[0])
            for part, quantiser, decoder in zip(
                (latents * self.scale).unbind(1), self.quantisers, self.decoders, strict=True
            )
        ]
        return torch.cat(made, dim=1).transpose(1, 2) * self.spread + self.mean


class Net(nn.Module):
    """All networks of the system, with the normalisation of what they see."""

    mean: Tensor
    spread: Tensor
    scale: Tensor

    def __init__(self, config: GestureLSMConfig) -> None:
        super().__init__()
        self.config = config
        self.tokenisers = nn.ModuleList([Tokeniser(channels, config) for channels in CHANNELS])
        self.listener = Listener(config)
        self.generator = Generator(config)
        self.register_buffer("mean", torch.zeros(sum(CHANNELS)))
        self.register_buffer("spread", torch.ones(sum(CHANNELS)))
        self.register_buffer("scale", torch.tensor(config.latent_scale or 1.0))

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """The tokenisers' parameters, or the listener's and the generator's."""
        parts = [self.tokenisers] if stage == "tokeniser" else [self.listener, self.generator]
        for part in parts:
            yield from part.parameters()

    @torch.no_grad()
    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Take the mean and spread of motion, or of latents, from a sample of the corpus."""
        if stage == "tokeniser":
            flat = batch["motion"].flatten(0, 1)
            self.mean.copy_(flat.mean(0))
            # Joints that hardly move are not blown up to the size of those that do.
            self.spread.copy_(flat.std(0).clamp(min=0.01))
        elif stage == "generator" and not self.config.latent_scale:
            self.scale.fill_(1.0)
            self.scale.copy_(self.latents_of(batch["motion"]).std().clamp(min=1e-3))

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        return self._tokeniser_loss(batch) if stage == "tokeniser" else self._generator_loss(batch)

    def _tokeniser_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        motion = (batch["motion"] - self.mean) / self.spread
        names = ("reconstruction", "velocity", "commit")
        losses = dict.fromkeys(names, motion.new_zeros(()))
        for part, tokeniser in zip(motion.split(CHANNELS, dim=2), self.tokenisers, strict=True):
            wanted = part.transpose(1, 2)
            quantised, commit, _ = tokeniser.quantiser(tokeniser.encoder(wanted))
            made = tokeniser.decoder(quantised)
            found = (F.smooth_l1_loss(made, wanted), F.smooth_l1_loss(made.diff(), wanted.diff()), commit)
            losses = {name: losses[name] + value for name, value in zip(names, found, strict=True)}
        config = self.config
        total = (
            losses["reconstruction"] + config.velocity * losses["velocity"] + config.commit * losses["commit"]
        )
        return {**losses, "loss": total}

    def _generator_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        config = self.config
        with torch.no_grad():
            truth = self.latents_of(batch["motion"])
        start = truth[..., : config.start]
        data = batch.get("latents", truth)
        noise = batch["noise"] if "noise" in batch else torch.randn_like(data)
        speech, nothing = self.listener(batch["audio"], batch["words"])
        seeded = (torch.rand(len(data), device=data.device) >= config.start_null).to(data.dtype)
        t = flows.beta_times(len(data), *config.times, device=data.device)

        def field(rows: slice, null: float) -> flows.Field:
            heard = torch.where(
                torch.rand(len(data[rows]), 1, 1, device=data.device) < null, nothing[rows], speech[rows]
            )

            def run(x: Tensor, t: Tensor, d: Tensor) -> Tensor:
                return self.generator(x, t, d, heard, start[rows], seeded[rows], batch["speaker"][rows])

            return run

        if config.flow == "mean":
            value = flows.mean_flow(field(slice(None), config.null), noise, data, t).mean()
            return {"flow": value, "loss": value}
        # Plain flow matching takes the whole batch: its baseline must not see less than the shortcut's flow loss.
        cut = len(data) if config.flow == "plain" else max(1, len(data) * 3 // 4)
        head, tail = slice(0, cut), slice(cut, None)
        flow = flows.plain(field(head, config.null), noise[head], data[head], t[head]).mean()
        if cut == len(data):
            return {"flow": flow, "loss": flow}
        same = flows.shortcut(field(tail, config.shortcut_null), noise[tail], data[tail], t[tail]).mean()
        return {"flow": flow, "consistency": same, "loss": flow + same}

    def latents_of(self, motion: Tensor) -> Tensor:
        """(B, T, 315) → (B, 3, code, T / 4), divided by the scale."""
        return Encode(self)(motion)

    def graphs(self) -> dict[str, Graph]:
        """``listen``, ``step``, ``encode``, ``decode``."""
        config = self.config
        latents = torch.zeros(1, PARTS, config.code, config.latents)
        motion = torch.zeros(1, config.window, sum(CHANNELS))
        words = torch.zeros(1, config.window, dtype=torch.long)
        samples = config.window * config.audio_rate // 30
        speech = torch.zeros(1, config.latents, PARTS * config.width)
        step = {
            "x": latents,
            "t": torch.zeros(1),
            "d": torch.zeros(1),
            "speech": speech,
            "start": latents[..., : config.start].clone(),
            "seeded": torch.zeros(1),
            "speaker": torch.zeros(1, dtype=torch.long),
        }
        return {
            "listen": Graph(
                self.listener, {"audio": torch.zeros(1, samples, 2), "words": words}, ("speech", "nothing")
            ),
            "step": Graph(self.generator, step, ("velocity",)),
            "encode": Graph(Encode(self), {"motion": motion}, ("latents",), {"motion": {1: "frames"}}),
            "decode": Graph(Decode(self), {"latents": latents}, ("motion",), {"latents": {3: "latents"}}),
        }
