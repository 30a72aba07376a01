"""Networks over pictures: MobileNetV2 as published, and two small ones for grey films of a mouth."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.errors import DataError

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


def _grey(film: Tensor) -> Tensor:
    return (film / 255 - GREY[0]) / GREY[1]


def _side(size: int) -> int:
    """Of the maps that are left of pictures of a side, after strides of 4 and 2 and a mean over 2."""
    side = (-(-size // 4) + 1) // 2 // 2
    if side < 1:
        raise DataError(f"films of {size} pixels; expected at least 9")
    return side


class MouthFilm(nn.Module):
    """A grey film (B, T, S, S) from 0 to 255 to (B, T, width): one convolution over time and place, two over place.

    The first one is three-dimensional and takes (B, 1, T, S, S): a film whose frames stood in the batch would be read as
    single pictures. With ``time=1`` each is seen for itself.
    """

    def __init__(self, width: int, *, size: int, channels: int = 16, time: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(1, channels, (time, 7, 7), stride=(1, 4, 4), padding=(time // 2, 3, 3)), nn.GELU()
        )
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(2 * channels, 3 * channels, 3, padding=1),
            nn.GELU(),
            nn.AvgPool2d(2),
        )
        self.leave = nn.Linear(3 * channels * _side(size) ** 2, width)

    def forward(self, film: Tensor) -> Tensor:
        """See the class."""
        batch = len(film)
        x = self.stem(_grey(film)[:, None]).transpose(1, 2)
        return self.leave(self.layers(x.flatten(0, 1)).flatten(1)).unflatten(0, (batch, -1))


class MouthPictures(nn.Module):
    """A grey film (B, T, S, S) from 0 to 255 to (B, T, width), each picture for itself, with batch norms and ReLUs."""

    def __init__(self, width: int, *, size: int, channels: int = 12) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer, kernel, stride in ((0, 2, 7, 4), (2, 3, 3, 2), (3, 4, 3, 1)):
            layers += [*_conv(inner * channels or 1, outer * channels, kernel, stride), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
        self.leave = nn.Linear(4 * channels * _side(size) ** 2, width)

    def forward(self, film: Tensor) -> Tensor:
        """See the class."""
        pictures = _grey(film).flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        made = self.leave(self.layers(pictures))
        return made.unflatten(0, film.shape[:2])


def unlike(film: Tensor) -> Tensor:
    """Films (B, T, S, S) as another camera would have them: each clip with its own light, place, sharpness and grain."""
    batch, size = len(film), film.shape[2]
    gain, lift, soft, grain = (torch.rand(batch, 1, 1, 1, device=film.device) for _ in range(4))
    margin = max(1, size // 16)
    wide = F.pad(film, (margin,) * 4, mode="replicate")
    places = torch.randint(0, 2 * margin + 1, (batch, 2)).tolist()
    film = torch.stack([f[:, y : y + size, x : x + size] for f, (y, x) in zip(wide, places, strict=True)])
    film = torch.lerp(film, F.avg_pool2d(film, 3, 1, 1, count_include_pad=False), 0.8 * soft)
    film = film * (0.7 + 0.6 * gain) + 60 * (lift - 0.5) + 6 * grain * torch.randn_like(film)
    return film.clamp(0, 255)
