"""Video: scikit-image, torchmetrics and cpbd as oracles; uint8, ranges and axes as traps."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import sharpness, video
from tests.metrics.inputs import golden, noise, walk
from tests.metrics.oracles.video import inputs

INPUT, GOLD = inputs(), golden("video")
PAIRS = {"grey": (INPUT["true"], INPUT["guess"]), "colour": (INPUT["colour"], INPUT["coloured"])}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("metric", ["psnr", "ssim", "ms_ssim"])
def test_likeness_agrees_with_the_libraries(metric, name):
    got = getattr(video, metric)(*PAIRS[name])
    assert got == pytest.approx(GOLD[f"{metric}_{name}"], abs=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_ms_ssim_is_near_torchmetrics_which_keeps_a_border(name):
    assert video.ms_ssim(*PAIRS[name]) == pytest.approx(GOLD[f"ms_ssim_torchmetrics_{name}"], abs=2e-3)


def test_equal_frames():
    a = INPUT["true"]
    assert video.psnr(a, a) == np.inf
    assert video.ssim(a, a) == pytest.approx(1, abs=1e-12)
    assert video.ms_ssim(a, a) == pytest.approx(1, abs=1e-12)
    assert video.seam_ratio(walk(30, 4), [10]) > 0


def test_psnr_does_not_wrap_around_at_256():
    # 10 − 20 is 246 in uint8
    a, b = np.full((1, 4, 4), 10, np.uint8), np.full((1, 4, 4), 20, np.uint8)
    assert video.psnr(a, b) == video.psnr(b, a) == pytest.approx(20 * np.log10(255 / 10))


def test_psnr_is_a_mean_over_frames_not_of_all_pixels():
    a = np.zeros((2, 4, 4), np.uint8)
    b = a.copy()
    b[0] += 255
    b[1] += 51
    assert video.psnr(a, b) == pytest.approx((0 + 20 * np.log10(5)) / 2)


def test_peak():
    a, b = INPUT["true"] / 255, INPUT["guess"] / 255
    for metric in (video.psnr, video.ssim, video.ms_ssim):
        assert metric(a, b, peak=1) == pytest.approx(metric(INPUT["true"], INPUT["guess"]), abs=1e-9)
    with pytest.raises(DataError, match="with a peak of 255; pass peak=1"):
        video.psnr(a, b)
    with pytest.raises(DataError, match="expected 0 to 1"):
        video.psnr(INPUT["true"], INPUT["guess"], peak=1)
    assert video.psnr(np.zeros((1, 8, 8), np.uint8), np.ones((1, 8, 8), np.uint8)) == pytest.approx(
        48.13, abs=0.01
    )


@pytest.mark.parametrize(
    ("a", "words"),
    [
        (np.zeros((180, 200, 3)), "looks like one colour image; add the time axis"),
        (np.zeros((2, 3, 180, 200)), "the channels last"),
        (np.zeros((180, 200)), r"shape \(180, 200\); expected \(T, H, W, C\)"),
        (np.zeros((0, 20, 20)), "0 along T"),
        (np.full((1, 20, 20), np.nan), "not finite"),
        (np.full((1, 20, 20), -1.0), "values -1 to -1; expected 0 to 255"),
    ],
)
def test_bad_frames_are_refused(a, words):
    with pytest.raises(DataError, match=words):
        video.psnr(a, a)


def test_frames_too_small_or_unequal():
    a = np.zeros((1, 10, 40))
    with pytest.raises(DataError, match="10 × 40 pixels; at least 11"):
        video.ssim(a, a)
    with pytest.raises(DataError, match="at least 176"):
        video.ms_ssim(INPUT["true"][:, :175], INPUT["true"][:, :175])
    with pytest.raises(DataError, match="cut or scale to one shape"):
        video.psnr(INPUT["true"], INPUT["true"][:1])


def test_cpbd_agrees_with_its_package():
    for blur, image in INPUT["blurred"].items():
        assert sharpness.canny(image).sum() == GOLD["canny"][blur]
        assert sharpness.edge_widths(image).sum() == GOLD["widths"][blur]
        assert sharpness.cpbd(image) == pytest.approx(GOLD["cpbd"][blur], abs=1e-6)
    assert sharpness.cpbd(INPUT["odd"]) == pytest.approx(GOLD["cpbd_odd"], abs=1e-6)


def test_cpbd_falls_with_blur():
    values = [sharpness.cpbd(image) for image in INPUT["blurred"].values()]
    assert values[0] > values[2] > values[4]
    assert sharpness.cpbd(np.full((64, 64), 7.0)) == 0
    with pytest.raises(DataError, match="63 × 64 pixels; at least 64"):
        sharpness.cpbd(np.zeros((63, 64)))
    with pytest.raises(DataError, match="expected grey values 0 to 255"):
        sharpness.cpbd(INPUT["odd"] / 255)


def test_sharpness_of_colour_is_that_of_its_luma():
    image = INPUT["blurred"]["3"]
    colour = np.repeat(image[None, ..., None], 3, -1)
    assert video.grey(colour)[0] == pytest.approx(image)
    assert video.sharpness(image[None]) == sharpness.cpbd(image)


def landmarks(frames: int = 5) -> np.ndarray:
    p = 100 + 40 * noise(1, 68, 2, seed=1) + 2 * noise(frames, 68, 2, seed=2)
    p[:, 36:42] = [80, 90]
    p[:, 42:48] = [120, 90]
    return p


def test_lmd_does_not_see_where_the_face_is():
    a = landmarks()
    assert video.lmd(a, a + [13, -7]) == pytest.approx(0, abs=1e-12)
    b = a.copy()
    b[:, 48] += [20, 0]  # one of 20 mouth points: 19 and 19 × 1 px after centring
    assert video.lmd(a, b) == pytest.approx((19 + 19 * 1) / 20)
    assert video.lmd(a, b, part="face") < video.lmd(a, b)
    assert video.lmd(a, b, relative=True) == pytest.approx(1.9 / 40)
    assert video.lmd(2 * a, 2 * b) == pytest.approx(2 * 1.9)
    assert video.lmd(2 * a, 2 * b, relative=True) == pytest.approx(1.9 / 40)
    c = a.copy()
    c[:, :36] += 9 * noise(5, 36, 2)
    assert video.lmd(a, c) == 0
    with pytest.raises(DataError, match=r"expected \(T, 68, 2\)"):
        video.lmd(a.swapaxes(1, 2), a.swapaxes(1, 2))
    with pytest.raises(DataError, match="eyes coincide in frame 0"):
        video.lmd(np.zeros((2, 68, 2)), np.zeros((2, 68, 2)), relative=True)


def test_jitter_sees_shaking_and_not_gliding():
    glide = np.arange(10)[:, None, None] * np.ones((1, 3, 2))
    assert video.jitter(glide) == 0
    shake = glide.copy()
    shake[::2, :, 0] += 1
    assert video.jitter(shake) == 2
    with pytest.raises(DataError, match="2 frames; at least 3"):
        video.jitter(glide[:2])
    with pytest.raises(DataError, match=r"expected \(T, N, 2\) or \(T, N, 3\)"):
        video.jitter(glide.T)


def test_seams():
    frames = np.arange(12.0)[:, None] * np.ones((1, 5))
    assert video.seam_ratio(frames, [4, 8]) == 1
    frames[4:] += 3
    assert video.seam_ratio(frames, [4]) == 4
    assert video.seam_ratio(frames[:, 0], [4]) == 4
    with pytest.raises(DataError, match="seams less one: from -1"):
        video.seam_ratio(frames, [0])
    with pytest.raises(DataError, match="nothing changes away"):
        video.seam_ratio(np.ones((5, 2)), [2])


def test_action_units_are_summed_and_identities_averaged():
    a, b = np.zeros((4, 17)), np.full((4, 17), 0.5)
    assert video.aue(a, b) == pytest.approx(17 * 0.25)
    assert len(video.LOWER_UNITS) + len(video.UPPER_UNITS) == 17
    assert video.csim([[1.0, 0], [0, 2.0]], [[3.0, 0], [0, -1.0]]) == 0
    with pytest.raises(DataError, match="row of zeros"):
        video.csim([[0.0, 0.0]], [[1.0, 0.0]])


def test_evaluate():
    marks = landmarks(2)
    out = video.evaluate(INPUT["true"], INPUT["guess"], reference_landmarks=marks, estimated_landmarks=marks)
    assert {"PSNR", "SSIM", "MS-SSIM", "CPBD", "M-LMD", "F-LMD"} <= set(out)
    assert out["PSNR"].unit == "dB"
    assert out["PSNR"].settings["size"] == "208x192"
    small = video.evaluate(INPUT["true"][:, :20, :20] / 255, INPUT["guess"][:, :20, :20] / 255, peak=1)
    assert set(small) == {"PSNR", "SSIM"}
