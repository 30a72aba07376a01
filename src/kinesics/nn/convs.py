"""Temporal convolutions over (B, channels, T)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Dilated(nn.Module):
    """A dilated convolution and one of width 1, added to what came in (the block of T2M-GPT's tokeniser)."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation),
            nn.ReLU(),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T)."""
        return x + self.layers(x)


def _dilated(width: int, depth: int, growth: int) -> list[nn.Module]:
    return [Dilated(width, growth**i) for i in reversed(range(depth))]


def encoder(
    channels: int, width: int, code: int, *, downs: int, depth: int = 3, growth: int = 3
) -> nn.Sequential:
    """(B, channels, T) to (B, code, T / 2^downs): each halving is followed by ``depth`` dilated blocks."""
    layers: list[nn.Module] = [nn.Conv1d(channels, width, 3, padding=1), nn.ReLU()]
    for _ in range(downs):
        layers += [nn.Conv1d(width, width, 4, stride=2, padding=1), *_dilated(width, depth, growth)]
    return nn.Sequential(*layers, nn.Conv1d(width, code, 3, padding=1))


def decoder(
    channels: int, width: int, code: int, *, ups: int, depth: int = 3, growth: int = 3
) -> nn.Sequential:
    """(B, code, T) to (B, channels, T · 2^ups), the mirror of :func:`encoder`."""
    layers: list[nn.Module] = [nn.Conv1d(code, width, 3, padding=1), nn.ReLU()]
    for _ in range(ups):
        layers += [
            *_dilated(width, depth, growth),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv1d(width, width, 3, padding=1),
        ]
    layers += [nn.Conv1d(width, width, 3, padding=1), nn.ReLU(), nn.Conv1d(width, channels, 3, padding=1)]
    return nn.Sequential(*layers)


class Strided(nn.Module):
    """Two wide convolutions, the first strided, added to what came in (the block of BEAT's speech encoder)."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        # Padded so that (T) becomes exactly (T / stride), frame i lying in the middle of its samples.
        side = kernel - stride
        self.pad = nn.ReplicationPad1d((side // 2, side - side // 2))
        self.first = nn.Conv1d(channels, out, kernel, stride=stride)
        self.second = nn.Conv1d(out, out, kernel, padding=kernel // 2)
        self.norms = nn.ModuleList([nn.BatchNorm1d(out), nn.BatchNorm1d(out)])
        self.act = nn.LeakyReLU(0.01)
        same = stride == 1 and channels == out
        self.short = (
            None
            if same
            else nn.Sequential(nn.Conv1d(channels, out, kernel, stride=stride), nn.BatchNorm1d(out))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, T) to (B, out, T / stride)."""
        wide = self.pad(x)
        made = self.norms[1](self.second(self.act(self.norms[0](self.first(wide)))))
        return self.act(made + (x if self.short is None else self.short(wide)))


def speech_encoder(
    channels: int, widths: Sequence[int], strides: Sequence[int], *, kernel: int = 15
) -> nn.Sequential:
    """(B, channels, N) samples or envelopes to (B, widths[-1], N / Π strides)."""
    layers = []
    for width, stride in zip(widths, strides, strict=True):
        layers.append(Strided(channels, width, kernel, stride))
        channels = width
    return nn.Sequential(*layers)


class Causal(nn.Module):
    """Stacked causal dilated convolutions (Bai et al., TCN, 2018): frame t sees nothing after t."""

    def __init__(
        self, channels: int, widths: Sequence[int], *, kernel: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.levels, self.shorts = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            reach = (kernel - 1) * 2**level
            layers: list[nn.Module] = []
            for inner in (channels, width):
                layers += [
                    nn.ConstantPad1d((reach, 0), 0.0),
                    nn.Conv1d(inner, width, kernel, dilation=2**level),
                    nn.ReLU(),
                    nn.Dropout(dropout),
                ]
            self.levels.append(nn.Sequential(*layers))
            self.shorts.append(nn.Identity() if channels == width else nn.Conv1d(channels, width, 1))
            channels = width

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, T) to (B, widths[-1], T)."""
        for level, short in zip(self.levels, self.shorts, strict=True):
            x = (level(x) + short(x)).relu()
        return x
