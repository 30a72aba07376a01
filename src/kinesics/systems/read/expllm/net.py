"""The network of ExpLLM: eyes, and a causal language model that what they see is spliced into. What it is for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.bodies.action_units import PAIRED, UNITS
from kinesics.nn.graphs import Graph
from kinesics.nn.language import UNSAID, CausalLM, adapt, adapters, next_token_loss, splice
from kinesics.nn.vision_transformer import VisionTransformer
from kinesics.systems.read._plans import ACTIVE, ASK_LABEL, ASK_REASONS, FACE, FIRST_LABEL, PAD
from kinesics.systems.read.expllm.spec import PER_UNIT, ExpLLMConfig

_PRESENCE = 0.1
"""Share of faces that are measured as present or not."""
_ADAPTED = ("query", "key", "value", "key_value", "out")


class Units(nn.Module):
    """(B, 24, 7) units → (B, 25, width): the face as a whole, then unit by unit."""

    def __init__(self, config: ExpLLMConfig) -> None:
        super().__init__()
        count = len(UNITS)
        numbers = 2 * PER_UNIT - 1
        self.each = nn.Parameter(torch.randn(count, numbers, config.width) / numbers**0.5)
        self.unit = nn.Parameter(0.02 * torch.randn(count, config.width))
        self.whole = nn.Sequential(
            nn.Linear(count * numbers, config.whole),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.whole, config.width),
        )

    def forward(self, units: Tensor) -> Tensor:
        """See the class."""
        # Their roots, too: a weak movement says more than its share.
        units = torch.cat([units, units[..., :-1].clamp(min=1e-6).sqrt()], dim=-1)
        each = torch.einsum("bui,uiw->buw", units, self.each) + self.unit
        return torch.cat([self.whole(units.reshape(units.shape[0], -1))[:, None], each], dim=1)


class Pictures(nn.Module):
    """(B, 3, 224, 224) → (B, 256, width): a vision transformer, then two layers."""

    def __init__(self, config: ExpLLMConfig) -> None:
        super().__init__()
        self.tower = VisionTransformer(
            config.side,
            config.patch,
            config.eye_width,
            config.eye_layers,
            config.eye_heads,
            config.eye_hidden,
        )
        self.project = nn.Sequential(
            nn.Linear(config.eye_width, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        return self.project(self.tower(pictures))


class Next(nn.Module):
    """A face and tokens to scores of the next token, (B, V), and to valence, arousal and intensity, (B, 3).

    The latter mean something where the last token asks for the label.
    """

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, units: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        last = self.net.known(units, ids)[:, -1]
        return self.net.model.say(last), self.net.felt(last)


class Net(nn.Module):
    """The whole system."""

    def __init__(self, config: ExpLLMConfig) -> None:
        super().__init__()
        self.config = config
        self.eyes: nn.Module = Units(config) if config.eyes == "units" else Pictures(config)
        self.model = CausalLM(
            config.vocabulary,
            config.width,
            config.layers,
            config.heads,
            config.hidden,
            dropout=config.dropout,
        )
        self.affect = nn.Linear(config.width, 3)
        if config.rank:
            for part in (self.model, *([self.eyes.tower] if isinstance(self.eyes, Pictures) else [])):
                adapt(part, _ADAPTED, rank=config.rank, alpha=config.alpha)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """All parameters; with adapters these, what lies between eyes and model, and affect."""
        if not self.config.rank:
            yield from self.parameters()
            return
        yield from adapters(self)
        yield from (self.eyes.project if isinstance(self.eyes, Pictures) else self.eyes).parameters()
        yield from self.affect.parameters()

    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Nothing is taken."""

    def known(self, face: Tensor, ids: Tensor) -> Tensor:
        """(B, T, width) what the model knows at each of the tokens (B, T), the face standing in for placeholders."""
        return self.model(splice(self.model.words(ids), ids, self.eyes(face), FACE))

    def felt(self, known: Tensor) -> Tensor:
        """(..., 3) valence, arousal (−1 to 1) and intensity (0 to 1)."""
        return torch.cat([self.affect(known)[..., :2].tanh(), self.affect(known)[..., 2:].sigmoid()], dim=-1)

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """The stage's losses, each ()."""
        face = batch["units" if self.config.eyes == "units" else "picture"]
        if self.training and self.config.eyes == "units" and self.config.noise:
            face = _mismeasured(face, self.config.noise, flip=stage == "label")
        label = FIRST_LABEL + batch["label"]
        ids, wanted = self._tokens(label, batch["plan"] if stage == "reasons" else None)
        known, asked = self.known(face, ids), self.config.rows
        found = {
            "label": F.cross_entropy(
                self.model.say(known[:, asked]), label, label_smoothing=self.config.smoothing
            ),
            "affect": F.mse_loss(self.felt(known[:, asked]), batch["affect"]),
        }
        if stage == "reasons":
            found["reasons"] = next_token_loss(self.model.say(known[:, asked:]), wanted[:, asked:])
        return {**found, "loss": sum(found.values())}

    def _tokens(self, label: Tensor, plan: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, T) placeholders, the question, the label and, where there is a plan, that; and what of it is learnt."""
        size = (len(label), 1)
        asked = [
            label.new_full((len(label), self.config.rows), FACE),
            label.new_full(size, ASK_LABEL),
            label[:, None],
        ]
        if plan is None:
            ids = torch.cat(asked, dim=1)
            return ids, torch.full_like(ids, UNSAID)
        plan = plan[:, : int((plan != PAD).sum(1).max())]
        before = torch.cat([*asked, label.new_full(size, ASK_REASONS)], dim=1)
        learnt = torch.where(plan == PAD, UNSAID, plan)
        return torch.cat([before, plan], dim=1), torch.cat([torch.full_like(before, UNSAID), learnt], dim=1)

    def graphs(self) -> dict[str, Graph]:
        """``next``."""
        config = self.config
        face = (
            torch.zeros(1, len(UNITS), PER_UNIT)
            if config.eyes == "units"
            else torch.zeros(1, 3, config.side, config.side)
        )
        ids = torch.tensor([[FACE] * config.rows + [ASK_LABEL]])
        free = {"units": {0: "faces"}, "ids": {0: "faces", 1: "length"}}
        return {"next": Graph(Next(self), {"units": face, "ids": ids}, ("scores", "affect"), free)}


def _mismeasured(units: Tensor, noise: float, *, flip: bool) -> Tensor:
    """Units as an instrument has them that over- and underestimates each by its own factor, and sees some that are not there.

    Each side errs by itself, too, else every error on one side would be taken for contempt. Instruments also have scales of their own: weak
    movements count more or less with them, and some tell presence alone.
    """
    count, known = len(units), units[..., -1:]
    sided = torch.tensor([u in PAIRED for u in UNITS], device=units.device)[:, None, None]

    def errors() -> Tensor:
        """(count, 24, 2, 1) of standard deviation 1, half of it each side's own; of units without sides both are one."""
        both = torch.randn(count, len(UNITS), 1, 1, device=units.device)
        own = torch.randn(count, len(UNITS), 2, 1, device=units.device)
        own = torch.where(sided, own, own[..., :1, :])
        return 0.5**0.5 * (both + own)

    values = units[..., :-1].reshape(count, len(UNITS), 2, 3)
    scale = torch.exp(noise * torch.randn(count, 1, 1, 1, device=units.device))
    values = values.clamp(min=1e-6).pow(scale) * torch.exp(noise * errors())
    values = values + 0.2 * noise * errors().clamp(min=0)
    alone = torch.rand(count, 1, 1, 1, device=units.device) < _PRESENCE
    values = torch.where(alone, (values >= ACTIVE).to(values), values).clamp(0, 1)
    if flip:
        turned = torch.rand(count, 1, 1, 1, device=units.device) < 0.5
        values = torch.where(turned, values.flip(2), values)
    return torch.cat([values.reshape(count, len(UNITS), 6) * known, known], dim=-1)
