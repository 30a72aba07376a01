"""Networks over pictures: MobileNetV2 and ResNet-50 as published, and two small ones for grey films of a mouth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GREY = (0.421, 0.165)
"""Mean and spread of grey mouths from 0 to 1 that lip readers take out (Martinez et al., ICASSP 2020)."""
_COLOUR = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # ImageNet's


def _conv(channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(width)]


class Inverted(nn.Module):
    """MobileNetV2's block: widen, one filter for each channel, narrow."""

    def __init__(self, channels: int, width: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = channels * expand
        wide = [*_conv(channels, inner, 1), nn.ReLU6()] if expand > 1 else []
        self.same = stride == 1 and channels == width
        self.layers = nn.Sequential(
            *wide, *_conv(inner, inner, 3, stride, inner), nn.ReLU6(), *_conv(inner, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, width, H / stride, W / stride)."""
        return x + self.layers(x) if self.same else self.layers(x)


class _Pictures(nn.Module):
    """Pictures (N, 3, H, W) from 0 to 255, with ImageNet's mean and spread taken out."""

    mean: Tensor
    spread: Tensor
    layers: nn.Sequential

    def __init__(self) -> None:
        super().__init__()
        for name, values in zip(("mean", "spread"), _COLOUR, strict=True):
            self.register_buffer(name, 255 * torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) to one vector each, the mean over places."""
        return self.layers((pictures - self.mean) / self.spread).mean((2, 3))


class MobileNetV2(_Pictures):
    """Sandler et al., CVPR 2018, without its classifier: (N, 3, H, W) to (N, 1280)."""

    WIDTH = 1280
    _STAGES = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_conv(3, 32, 3, 2), nn.ReLU6()]
        channels = 32
        for expand, width, count, stride in self._STAGES:
            for i in range(count):
                layers.append(Inverted(channels, width, stride if i == 0 else 1, expand))
                channels = width
        self.layers = nn.Sequential(*layers, *_conv(channels, self.WIDTH, 1), nn.ReLU6())


class Bottleneck(nn.Module):
    """ResNet's block of three convolutions, strided in the second (ResNet v1.5)."""

    def __init__(self, channels: int, inner: int, stride: int) -> None:
        super().__init__()
        width = 4 * inner
        self.layers = nn.Sequential(
            *_conv(channels, inner, 1),
            nn.ReLU(),
            *_conv(inner, inner, 3, stride),
            nn.ReLU(),
            *_conv(inner, width, 1),
        )
        same = stride == 1 and channels == width
        self.short = nn.Identity() if same else nn.Sequential(*_conv(channels, width, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, 4 · inner, H / stride, W / stride)."""
        return (self.layers(x) + self.short(x)).relu()


class ResNet50(_Pictures):
    """He et al., CVPR 2016, without its classifier: (N, 3, H, W) to (N, 2048)."""

    WIDTH = 2048

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        channels = 64
        for inner, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for i in range(count):
                layers.append(Bottleneck(channels, inner, stride if i == 0 else 1))
                channels = 4 * inner
        self.layers = nn.Sequential(*layers)


def _grey(film: Tensor) -> Tensor:
    return (film / 255 - GREY[0]) / GREY[1]


class MouthFilm(nn.Module):
    """A grey film (B, T, S, S) from 0 to 255 to (B, T, width): one convolution over time and place, two over place.

    The first one is three-dimensional and takes (B, 1, T, S, S): a film whose frames stood in the batch would be read as
    single pictures.
    """

    def __init__(self, width: int, *, channels: int = 8) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(1, channels, (3, 5, 5), stride=(1, 2, 2), padding=(1, 2, 2)), nn.GELU()
        )
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(2 * channels, 4 * channels, 3, stride=2, padding=1),
            nn.GELU(),
            nn.AdaptiveAvgPool2d(4),
        )
        self.leave = nn.Linear(64 * channels, width)

    def forward(self, film: Tensor) -> Tensor:
        """See the class."""
        batch = len(film)
        x = self.stem(_grey(film)[:, None]).transpose(1, 2)
        return self.leave(self.layers(x.flatten(0, 1)).flatten(1)).unflatten(0, (batch, -1))


class MouthPictures(nn.Module):
    """A grey film (B, T, S, S) from 0 to 255 to (B, T, width), each picture for itself, with batch norms and ReLUs."""

    def __init__(self, width: int, *, channels: int = 12) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in ((1, channels), (channels, 2 * channels), (2 * channels, 3 * channels)):
            layers += [*_conv(inner, outer, 3, 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.leave = nn.Linear(48 * channels, width)

    def forward(self, film: Tensor) -> Tensor:
        """See the class."""
        made = self.leave(self.layers(_grey(film).flatten(0, 1)[:, None]))
        return made.unflatten(0, film.shape[:2])


def unlike(film: Tensor) -> Tensor:
    """Films (B, T, S, S) in another light, and shifted by a pixel or two: each clip in its own way."""
    batch = len(film)
    gain, lift = (torch.rand(batch, 1, 1, 1, device=film.device) - 0.5 for _ in range(2))
    shifts = torch.randint(-2, 3, (2,)).tolist()
    return (film * (1 + 0.6 * gain) + 60 * lift).clamp(0, 255).roll(shifts, dims=(2, 3))
