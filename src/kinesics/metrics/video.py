"""Talking-head video: likeness of pixels, sharpness, landmarks, smoothness, Fréchet distances.

Frames are (T, H, W) grey or (T, H, W, 3) colour, values 0 to ``peak`` (255). They are computed in
float64: in uint8, differences wrap around at 256, and a published script's PSNR is wrong for that.
Frames from 0 to 1 with a peak of 255 are refused, since they would look 48 dB better than they are.

**PSNR** = 20 log10(peak / √MSE) per frame, mean over frames; dB, higher; infinite for equal frames.

**SSIM** (Wang et al. 2004). Gaussian window σ = 1.5 (11 × 11), population covariances, K = 0.01 and
0.03, the border of 5 pixels cut, mean over channels and frames. Higher, 1 is equal. Talking-head papers
often take it on face crops; the crop is part of the number. **MS-SSIM** (Wang et al. 2003): contrast
and structure at five scales, halved by 2 × 2 means, weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333,
each channel by itself; needs at least 176 pixels on the shorter side. This is what pytorch-msssim
computes; torchmetrics leaves a mirrored border in at the coarsest scale and means over channels first,
which moves the fifth decimal.

**CPBD**: `kinesics.metrics.sharpness`. Mean over frames.

**LMD**, landmark distance (Chen et al. 2018, ECCV). Of 68 landmarks, the mouth's (48–67, M-LMD) or all
(F-LMD): each frame's points less their own mean, mean Euclidean distance; pixels, lower. It depends on
resolution, so ``relative=True`` divides each frame by the distance between the true eyes' centres
(36–41 and 42–47).

**Jitter**: mean of ‖x(t+1) − 2 x(t) + x(t−1)‖ over points and frames, in the points' unit per frame². A
frozen face scores 0, so the ground truth's value is best. **Seam ratio**: mean change of the frames at
the joins of windows divided by that elsewhere; best at the ground truth's value, which is near 1.

**AUE** (as in TalkLip's and SyncTalk's comparisons): squared error of action-unit intensities, mean
over frames, **summed** over units; lower. **CSIM**: mean cosine of identity embeddings; higher.

**FID*, FVD*** : `frechet_distance` of given features. FID proper means Inception-v3's 2048 pool
features, FVD I3D's of clips of 16 frames; with any other extractor the name has a star, and with fewer
than some ten thousand frames the number is biased.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError, choose
from kinesics.metrics._checks import Floats, array_of, indices, numbers, pair, positive
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics._signal import gaussian_kernel
from kinesics.metrics.frechet import frechet_distance
from kinesics.metrics.sharpness import cpbd

MOUTH, EYES = range(48, 68), (range(36, 42), range(42, 48))
"""Landmarks of the 68."""
LOWER_UNITS = ("AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26")
UPPER_UNITS = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU45")
"""Action units of the lower and the upper face, OpenFace's 17."""
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW = gaussian_kernel(1.5, 5)


def validate(reference: ArrayLike, estimate: ArrayLike, *, peak: float = 255.0) -> tuple[Floats, Floats]:
    """Frames as float64 (T, H, W, C) of one shape.

    Raises
    ------
    DataError
        On other shapes or an order of axes that is not time, row, column, channel; on values outside
        0 to ``peak``, or from 0 to 1 where ``peak`` is greater.
    """
    positive(peak, "peak")
    out = [_frames(v, side, peak) for v, side in ((reference, "reference"), (estimate, "estimated"))]
    if out[0].shape != out[1].shape:
        raise DataError(
            f"frames: reference {out[0].shape} and estimate {out[1].shape}; cut or scale to one shape"
        )
    return out[0], out[1]


def _frames(values: ArrayLike, side: str, peak: float) -> Floats:
    given = array_of(values, f"{side} frames")
    if given.ndim == 3 and given.shape[2] in (3, 4) and given.shape[1] > 16:
        raise DataError(f"{side} frames: shape {given.shape} looks like one colour image; add the time axis")
    if given.ndim == 4 and given.shape[-1] not in (1, 3):
        raise DataError(f"{side} frames: shape {given.shape}; expected (T, H, W, 3), the channels last")
    frames = numbers(given, ("T", "H", "W", "C")[: 3 if given.ndim == 3 else 4], f"{side} frames")
    low, high = frames.min(), frames.max()
    if low < 0 or high > peak:
        raise DataError(f"{side} frames: values {low:.4g} to {high:.4g}; expected 0 to {peak:g}")
    if peak > 1 and np.issubdtype(given.dtype, np.floating) and 0 < high <= 1:
        raise DataError(f"{side} frames: values {low:.3g} to {high:.3g} with a peak of {peak:g}; pass peak=1")
    return frames if frames.ndim == 4 else frames[..., None]


def psnr(reference: ArrayLike, estimate: ArrayLike, *, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB, mean over frames; infinite for equal frames.

    >>> round(psnr(np.zeros((1, 8, 8)), np.full((1, 8, 8), 25.5)), 6)
    20.0
    """
    a, b = validate(reference, estimate, peak=peak)
    error = ((a - b) ** 2).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(peak**2 / error)).mean())


def ssim(reference: ArrayLike, estimate: ArrayLike, *, peak: float = 255.0) -> float:
    """Structural similarity, mean over frames and channels."""
    a, b = validate(reference, estimate, peak=peak)
    _least_size(a, 11)
    return float(np.mean([_similarity(x, y, peak)[0].mean() for x, y in zip(a, b, strict=True)]))


def ms_ssim(reference: ArrayLike, estimate: ArrayLike, *, peak: float = 255.0) -> float:
    """Multi-scale structural similarity, mean over channels and frames."""
    a, b = validate(reference, estimate, peak=peak)
    _least_size(a, 176)
    values = []
    for x, y in zip(a, b, strict=True):
        value = np.ones(x.shape[2])
        for scale, weight in enumerate(SCALES):
            whole, contrast = _similarity(x, y, peak)
            mean = (whole if scale == len(SCALES) - 1 else contrast).mean((0, 1))
            value *= np.maximum(mean, 0.0) ** weight
            x, y = _halved(x), _halved(y)
        values.append(value.mean())
    return float(np.mean(values))


def _least_size(frames: Floats, least: int) -> None:
    if min(frames.shape[1:3]) < least:
        raise DataError(
            f"frames: {frames.shape[1]} × {frames.shape[2]} pixels; at least {least} each way needed"
        )


def _similarity(x: Floats, y: Floats, peak: float) -> tuple[Floats, Floats]:
    """Structural similarity and its contrast-structure part of (H, W, C), where the window lies inside."""
    mx, my, xx, yy, xy = (_windowed(v) for v in (x, y, x * x, y * y, x * y))
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    contrast = (2 * (xy - mx * my) + c2) / (np.maximum(xx - mx * mx, 0) + np.maximum(yy - my * my, 0) + c2)
    return contrast * (2 * mx * my + c1) / (mx * mx + my * my + c1), contrast


def _windowed(image: Floats) -> Floats:
    size = len(_WINDOW) - 1
    rows = sum(k * image[i : i + image.shape[0] - size] for i, k in enumerate(_WINDOW))
    return sum(k * rows[:, i : i + rows.shape[1] - size] for i, k in enumerate(_WINDOW))  # type: ignore[index]


def _halved(image: Floats) -> Floats:
    h, w, c = image.shape[0] // 2, image.shape[1] // 2, image.shape[2]
    return image[: 2 * h, : 2 * w].reshape(h, 2, w, 2, c).mean((1, 3))


def grey(frames: ArrayLike) -> Floats:
    """(T, H, W) luma of (T, H, W, 3): 0.299 R + 0.587 G + 0.114 B."""
    return numbers(frames, ("T", "H", "W", 3), "frames") @ [0.299, 0.587, 0.114]


def sharpness(frames: ArrayLike) -> float:
    """CPBD, mean over frames (T, H, W) or (T, H, W, 3) of values 0 to 255."""
    f = _frames(frames, "estimated", 255.0)
    return float(np.mean([cpbd(x) for x in (f[..., 0] if f.shape[3] == 1 else grey(f))]))


def lmd(reference: ArrayLike, estimate: ArrayLike, *, part: str = "mouth", relative: bool = False) -> float:
    """Landmark distance.

    Parameters
    ----------
    reference, estimate
        (T, 68, 2) pixels.
    part
        ``"mouth"`` (M-LMD) or ``"face"`` (F-LMD).
    relative
        Whether to divide by the distance between the true eyes.

    Returns
    -------
    float
        Pixels, or shares of the distance between the eyes.
    """
    a, b = pair(reference, estimate, ("T", 68, 2), "landmarks")
    chosen = list(MOUTH) if choose("part", part, ("mouth", "face")) == "mouth" else list(range(68))
    x, y = ((p - p.mean(1, keepdims=True)) for p in (a[:, chosen], b[:, chosen]))
    each = np.linalg.norm(x - y, axis=2).mean(1)
    if relative:
        left, right = (a[:, list(eye)].mean(1) for eye in EYES)
        apart = np.linalg.norm(left - right, axis=1)
        if apart.min() == 0:
            raise DataError(f"landmarks: the eyes coincide in frame {int(apart.argmin())}")
        each = each / apart
    return float(each.mean())


def jitter(points: ArrayLike) -> float:
    """Mean second difference of points (T, N, 2 or 3), per frame²."""
    p = numbers(points, ("T", "N", "d"), "points")
    if p.shape[2] not in (2, 3):
        raise DataError(f"points: shape {p.shape}; expected (T, N, 2) or (T, N, 3)")
    if len(p) < 3:
        raise DataError(f"points: {len(p)} frames; at least 3 needed")
    return float(np.linalg.norm(np.diff(p, 2, axis=0), axis=2).mean())


def seam_ratio(frames: ArrayLike, seams: Sequence[int]) -> float:
    """Mean change at joins divided by the mean change elsewhere.

    Parameters
    ----------
    frames
        (T, …) pixels, landmarks or weights.
    seams
        First frame after each join, from 1.
    """
    given = array_of(frames, "frames")
    values = numbers(given, ("T", *["values"] * (given.ndim - 1)), "frames", least=3)
    change = np.abs(np.diff(values.reshape(len(values), -1), axis=0)).mean(1)
    at = np.unique(indices([s - 1 for s in seams], len(change), "seams less one"))
    elsewhere = np.delete(change, at)
    if not len(elsewhere) or elsewhere.mean() == 0:
        raise DataError("frames: nothing changes away from the seams; the ratio is not defined")
    return float(change[at].mean() / elsewhere.mean())


def aue(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Action-unit error of intensities (T, units): mean over frames, summed over units."""
    a, b = pair(reference, estimate, ("T", "units"), "action units")
    return float(((a - b) ** 2).mean(0).sum())


def csim(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Mean cosine of identity embeddings (T, d) of true and generated frames."""
    a, b = pair(reference, estimate, ("T", "d"), "identity embeddings")
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    if length.min() == 0:
        raise DataError("identity embeddings: a row of zeros has no direction")
    return float(((a * b).sum(1) / length).mean())


def evaluate(
    reference: ArrayLike,
    estimate: ArrayLike,
    *,
    reference_landmarks: ArrayLike | None = None,
    estimated_landmarks: ArrayLike | None = None,
    peak: float = 255.0,
) -> dict[str, Score]:
    """Whatever the frames (and landmarks) allow.

    Returns
    -------
    dict
        Name → score; MS-SSIM and CPBD are left out where frames are too small for them.
    """
    a, b = validate(reference, estimate, peak=peak)
    n, smallest = len(a), min(a.shape[1:3])
    settings = {"peak": peak, "size": f"{a.shape[2]}x{a.shape[1]}"}
    found = {"PSNR": psnr(a, b, peak=peak)}
    if smallest >= 11:
        found["SSIM"] = ssim(a, b, peak=peak)
    if smallest >= 176:
        found["MS-SSIM"] = ms_ssim(a, b, peak=peak)
    if smallest >= 64:
        found["CPBD"] = sharpness(b * (255 / peak))
    if reference_landmarks is not None and estimated_landmarks is not None:
        found["M-LMD"] = lmd(reference_landmarks, estimated_landmarks)
        found["F-LMD"] = lmd(reference_landmarks, estimated_landmarks, part="face")
        if len(np.asarray(estimated_landmarks)) > 2:
            found["Jitter"] = jitter(estimated_landmarks)
    known = {m.name: m for m in METRICS}
    return {name: known[name].score(value, n, settings=settings) for name, value in found.items()}


METRICS = (
    Metric("PSNR", "video", "higher", "dB", "Wang et al. 2004", "frames (T, H, W[, 3]) twice", psnr),
    Metric("SSIM", "video", "higher", "", "Wang et al. 2004", "frames (T, H, W[, 3]) twice", ssim),
    Metric("MS-SSIM", "video", "higher", "", "Wang et al. 2003", "frames (T, H, W[, 3]) twice", ms_ssim),
    Metric("CPBD", "video", "higher", "", "Narvekar and Karam 2011", "frames (T, H, W[, 3])", sharpness),
    Metric("M-LMD", "video", "lower", "px", "Chen et al. 2018, ECCV", "landmarks (T, 68, 2) twice", lmd),
    Metric(
        "F-LMD", "video", "lower", "px", "Chen et al. 2018, ECCV", "landmarks (T, 68, 2) twice",
        lambda *landmarks, **o: lmd(*landmarks, part="face", **o),
    ),
    Metric(
        "FID", "video", "lower", "feature²", "Heusel et al. 2017", "features (n, d), (m, d)",
        frechet_distance, None, True,
    ),
    Metric(
        "FVD", "video", "lower", "feature²", "Unterthiner et al. 2018", "features (n, d), (m, d)",
        frechet_distance, None, True,
    ),
    Metric(
        "Jitter", "video", "reference", "unit/frame²", "ours", "points (T, N, 2 or 3)", jitter,
        "_body_over:jitter",
    ),
    Metric("SeamRatio", "video", "reference", "", "ours", "frames (T, …), seams", seam_ratio),
    Metric("AUE", "video", "lower", "", "SyncTalk, arXiv 2311.17590", "intensities (T, units) twice", aue),
    Metric("CSIM", "video", "higher", "", "ArcFace embeddings; name them", "embeddings (T, d) twice", csim),
)  # fmt: skip
