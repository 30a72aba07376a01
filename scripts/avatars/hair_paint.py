"""Textures of hair: fibres for the cap, ragged ribbons with alpha."""

from __future__ import annotations

import numpy as np

from avatars import paint
from avatars.people import Person
from kinesics.seeds import rng

COLUMNS = 4  # ribbons take one of the columns of the texture


def _fibres(width: int, height: int, who: Person, name: str) -> np.ndarray:
    """(height, width, 3) sRGB of fibres that run down the image."""
    random = rng(0, "avatars", who.name, name)
    fine = np.repeat(random.standard_normal((1, width)), height, axis=0)
    coarse = paint.noise((1, width), 3, f"{who.name} {name} locks") * np.ones((height, 1))
    drift = paint.noise((height, width), 10, f"{who.name} {name} drift")
    tone = 1 + 0.16 * fine + 0.16 * coarse + 0.05 * drift
    grey = (random.random((1, width)) < who.grey) * np.ones((height, 1))
    color = np.array(who.hair) / 255
    image = color * np.clip(tone, 0.35, 1.8)[..., None]
    return paint.mix(image, (0.62, 0.60, 0.58), 0.75 * grey)


def tile(who: Person, size: int = 256) -> bytes:
    """JPEG of close fibres for the cap."""
    image = _fibres(size, size, who, "cap")
    return paint.encode((0.5 * image + 0.5 * image.mean((0, 1))) * who.cap_shade, quality=85)


def strands(who: Person, width: int = 256, height: int = 256) -> bytes:
    """PNG of four ribbons side by side: dense at the root, ragged at edges and tip."""
    random = rng(0, "avatars", who.name, "strands")
    color = _fibres(width, height, who, "ribbon")
    t = np.linspace(0, 1, height)[:, None]
    color *= np.interp(t, [0, 0.25, 0.8, 1], [0.8, 0.98, 1.0, 0.92])[..., None]
    across = (np.arange(width) % (width // COLUMNS)) / (width // COLUMNS - 1) * 2 - 1
    clump = np.arange(width) // 9
    local = (np.arange(width) % 9) / 4 - 1
    end = random.uniform(0.72, 0.95, width)[clump] - 0.22 * np.abs(across) ** 2 - 0.10 * local**2
    split = np.where(random.random(width)[clump] < 0.5, random.uniform(0.45, 0.8, width)[clump], 2.0)
    thin = 1 - 0.30 * np.clip((t - 0.55) / 0.45, 0, 1)
    alpha = (t < end[None, :]) & (np.abs(across)[None, :] < thin)
    alpha &= ~((np.abs(local) > 0.8)[None, :] & (t > split[None, :]))
    image = np.concatenate([color, alpha[..., None].astype(float)], axis=-1)
    return paint.encode(image, alpha=True)
