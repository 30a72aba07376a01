"""Video: scikit-image, pytorch-msssim, torchmetrics and the cpbd package."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.metrics.inputs import noise

LIBRARIES = ("scipy", "scikit-image", "torch", "torchmetrics", "pytorch-msssim", "cpbd-py312")


def picture(height: int, width: int, *, seed: int = 0, blur: int = 1) -> np.ndarray:
    """(height, width) whole grey values: stripes, discs, a ramp and noise, averaged over ``blur`` pixels."""
    y, x = np.mgrid[:height, :width].astype(float)
    image = 90 + 60 * ((x // 23 + y // 31) % 2) + 50 * (np.hypot(x - width / 2, y - height / 3) < height / 5)
    image += 20 * x / width + 3 * noise(height, width, seed=seed)
    for axis in (0, 1):
        image = np.mean([np.roll(image, k - blur // 2, axis) for k in range(blur)], axis=0)
    return np.clip(np.round(image), 0, 255)


def inputs() -> dict[str, Any]:
    """What the video metrics are tried on."""
    true = np.stack([picture(192, 208, seed=i) for i in range(2)])
    colour = np.stack([true, true[:, ::-1], 255 - true], -1)
    return {
        "true": true.astype(np.uint8),
        "guess": np.clip(np.round(true + 25 * noise(2, 192, 208, seed=9)), 0, 255).astype(np.uint8),
        "colour": colour.astype(np.uint8),
        "coloured": np.clip(np.round(colour + 12 * noise(2, 192, 208, 3, seed=8)), 0, 255).astype(np.uint8),
        "blurred": {str(b): picture(200, 260, seed=3, blur=b) for b in (1, 3, 5, 9, 15)},
        "odd": 127 + 127 * noise(97, 131, seed=4),
    }


def values() -> dict[str, Any]:
    import torch
    from cpbd.compute import compute, marziliano_method, sobel
    from pytorch_msssim import ms_ssim as ms_ssim_of_torch
    from skimage.feature import canny
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

    d = inputs()
    out: dict[str, Any] = {}
    # pytorch-msssim's own window is in single precision
    window = torch.exp(-(torch.arange(-5, 6, dtype=torch.float64) ** 2) / (2 * 1.5**2))
    window = (window / window.sum())[None, None, None]
    for name, a, b in (("grey", d["true"], d["guess"]), ("colour", d["colour"], d["coloured"])):
        axis = -1 if name == "colour" else None
        out[f"psnr_{name}"] = float(
            np.mean([peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b, strict=True)])
        )
        how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        how |= {"data_range": 255, "channel_axis": axis}
        out[f"ssim_{name}"] = float(
            np.mean(
                [
                    structural_similarity(x.astype(float), y.astype(float), **how)
                    for x, y in zip(a, b, strict=True)
                ]
            )
        )
        x, y = (torch.tensor(v.astype(float)) for v in (a, b))
        x, y = (v.movedim(-1, 1) if name == "colour" else v[:, None] for v in (x, y))
        out[f"ms_ssim_{name}"] = float(
            ms_ssim_of_torch(x, y, data_range=255.0, win=window.repeat(x.shape[1], 1, 1, 1))
        )
        out[f"ms_ssim_torchmetrics_{name}"] = float(ms_ssim(y, x, data_range=255.0))
    out["cpbd"] = {b: float(compute(image)) for b, image in d["blurred"].items()}
    out["cpbd_odd"] = float(compute(d["odd"]))
    out["canny"] = {b: int(canny(image).sum()) for b, image in d["blurred"].items()}
    out["widths"] = {
        b: float(marziliano_method(sobel(image), image).sum()) for b, image in d["blurred"].items()
    }
    return out
