"""Every pure function, every array it takes, all that can be wrong: a DataError and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import (
    beats,
    dance,
    face,
    frechet,
    gesture,
    lip_sync,
    positions,
    sharpness,
    text_motion,
    video,
)
from tests.metrics.inputs import noise, walk
from tests.metrics.oracles.dance import dancer

BODY, VERTICES, ROWS = walk(200, 55), walk(20, 12), noise(40, 6)
FRAMES = np.round(127 + 120 * noise(2, 176, 191))
MARKS = 100 + 50 * noise(6, 68, 2)
WEIGHTS = np.abs(noise(20, 4))
NAMES = ["a", "b", "c", "d"]
TIMES = np.linspace(0.5, 30, 60)

CALLS = {
    "frechet": (frechet.frechet_distance, [ROWS, ROWS + 1], {}),
    "moments": (frechet.frechet_of_moments, [np.zeros(3), np.eye(3), np.ones(3), np.eye(3)], {}),
    "l1div": (gesture.l1div, [BODY], {}),
    "srgr": (gesture.srgr, [BODY, BODY + 1, np.full(200, 0.5)], {}),
    "bc_beat2022": (beats.bc_beat2022, [noise(400, 9), TIMES], {}),
    "bc_beat2": (lambda p, a, s: beats.bc_beat2(p, a, mean_speed=s), [BODY, TIMES, np.ones(55)], {}),
    "bc_ted": (lambda d: beats.bc_ted(d, [[0.5, 1.0]]), [noise(34, 9, 3)], {}),
    "bas": (beats.bas_aist, [walk(90, 24), np.arange(5, 80, 9.0)], {}),
    "lve": (lambda a, b: face.lve(a, b, [0, 1]), [VERTICES, VERTICES + 1], {}),
    "mve": (face.mve, [VERTICES, VERTICES + 1], {}),
    "fdd": (lambda a, b, t: face.fdd(a, b, t, [0, 1]), [VERTICES, VERTICES + 1, VERTICES[0]], {}),
    "mod": (face.mod, [VERTICES, VERTICES + 1], {}),
    "openings": (face.mod, [np.arange(5.0), np.arange(5.0)], {}),
    "face_diversity": (face.face_diversity, [noise(3, 4, 5, 3)], {}),
    "style_diversity": (face.style_diversity, [ROWS], {}),
    "weight_error": (lambda a, b: face.weight_error(a, b, NAMES), [WEIGHTS, WEIGHTS], {}),
    "weight_dynamics": (lambda a, b: face.weight_dynamics(a, b, NAMES, only=None), [WEIGHTS, WEIGHTS], {}),
    "lip_sync": (lip_sync.lip_sync, [ROWS, ROWS], {}),
    "distances": (lip_sync.lip_sync_of_distances, [np.abs(noise(20, 31))], {}),
    "r_precision": (text_motion.r_precision, [ROWS, ROWS], {}),
    "mm_distance": (text_motion.mm_distance, [ROWS, ROWS], {}),
    "diversity": (lambda x: text_motion.diversity(x, pairs=20), [ROWS], {}),
    "multimodality": (text_motion.multimodality, [noise(3, 30, 4)], {}),
    "retrieval": (text_motion.retrieval, [noise(20, 20)], {}),
    "cosine": (text_motion.cosine, [ROWS, ROWS], {}),
    "ape": (positions.ape, [VERTICES, VERTICES], {}),
    "ave": (positions.ave, [VERTICES, VERTICES], {}),
    "quantities": (positions.quantities, [dancer(20, 1)], {}),
    "temos": (text_motion.temos_score, [ROWS, ROWS], {}),
    "car": (text_motion.car_accuracy, [ROWS, ROWS, -ROWS], {}),
    "kinetic": (dance.kinetic_features, [walk(20, 24)], {}),
    "geometric": (dance.geometric_features, [walk(20, 24)], {}),
    "dance_fid": (dance.dance_fid, [ROWS, ROWS], {}),
    "dance_dist": (dance.dance_dist, [ROWS, ROWS], {}),
    "freezing": (dance.freezing, [walk(20, 24)], {}),
    "freezing_auc": (dance.freezing_auc, [walk(20, 24)], {}),
    "mpd": (dance.mpd, [walk(30, 5), walk(30, 5)[None]], {}),
    "psnr": (video.psnr, [FRAMES, FRAMES], {}),
    "ssim": (video.ssim, [FRAMES, FRAMES], {}),
    "ms_ssim": (video.ms_ssim, [FRAMES, FRAMES], {}),
    "sharpness": (video.sharpness, [FRAMES], {}),
    "cpbd": (sharpness.cpbd, [FRAMES[0]], {}),
    "lmd": (video.lmd, [MARKS, MARKS], {}),
    "jitter": (video.jitter, [MARKS], {}),
    "seam_ratio": (lambda f: video.seam_ratio(f, [3]), [MARKS], {}),
    "aue": (video.aue, [WEIGHTS, WEIGHTS], {}),
    "csim": (video.csim, [ROWS, ROWS], {}),
}


def spoilt(array):
    """What can be wrong with an array, each under a name."""
    holed = array.copy()
    holed.flat[array.size // 2] = np.nan
    endless = array.copy()
    endless.flat[-1] = -np.inf
    yield "NaN", holed
    yield "infinity", endless
    yield "empty", array[:0]
    yield "a number", 3.0
    yield "text", "text"
    yield "None", None
    yield "one axis more", array[None, None]
    yield "complex words", np.array(["a", "b"])
    yield "ragged", [[1.0, 2.0], [3.0]]
    yield "objects", np.full(array.shape, None)
    yield "a generator", (x for x in range(3))


@pytest.mark.parametrize("name", CALLS)
def test_the_call_itself_is_sound(name):
    function, arrays, options = CALLS[name]
    function(*arrays, **options)


@pytest.mark.parametrize("name", CALLS)
def test_spoilt_input_is_a_data_error(name):
    function, arrays, options = CALLS[name]
    for place in range(len(arrays)):
        for fault, bad in spoilt(arrays[place]):
            given = [bad if i == place else a for i, a in enumerate(arrays)]
            if (name, place, fault) == ("srgr", 2, "None"):  # no semantic scores: plain recall
                continue
            try:
                function(*given, **options)
            except DataError:
                continue
            except Exception as error:  # the test's own message is clearer than a traceback
                pytest.fail(f"{name}, argument {place}, {fault}: {type(error).__name__}: {error}")
            pytest.fail(f"{name}, argument {place}, {fault}: taken without a word")


@pytest.mark.parametrize(
    "name", ["srgr", "lve", "mve", "fdd", "mod", "ape", "lmd", "aue", "csim", "psnr", "lip_sync"]
)
def test_estimates_of_another_length_are_refused(name):
    function, arrays, options = CALLS[name]
    with pytest.raises(DataError):
        function(arrays[0], arrays[1][:-1], *arrays[2:], **options)
