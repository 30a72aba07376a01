"""TED (Trimodal): 97 hours of TED talks with ten 3D joints of the upper body, words, sound and speakers.

Yoon et al., "Speech Gesture Generation from the Trimodal Context of Text, Audio, and Speaker Identity", SIGGRAPH Asia 2020.
The data set is three LMDB databases (``lmdb_train``, ``lmdb_val``, ``lmdb_test``) whose values were packed with
``pyarrow.serialize``. pyarrow removed that function and its reverse, and what they wrote may hold pickles, which are
never unpacked here. So the data is converted once, by a small script that needs neither Kinesics nor a new Python::

    python3.10 -m venv old && old/bin/pip install "pyarrow<12" "numpy<2" lmdb
    old/bin/python <kinesics>/corpora/_ted_convert.py ted_dataset converted

``prepare`` reads what it writes: ``<train|val|test>/<video>_<clip>.npz`` with ``skeletons_3d`` (T, 10, 3), ``audio_raw`` (N,) at 16
kHz, ``words`` (W,) text, ``word_times`` (W, 2) and ``times`` (2,), all in seconds of the video, nothing pickled.

- **Joints** are spine, neck, nose, head, left shoulder, elbow and wrist, right shoulder, elbow and wrist (after
  VideoPose3D), y down and facing +z in the files. The track ``joints`` has them turned to Y up and facing +Z, with the
  spine 0.26 m long as in the authors' own bone table, and the spine's joint at one place: where people
  walk was never known.
- **Body** is made from these joints. Hips and legs were not seen: they stand still below the spine.
  Fingers rest.
- **Rate.** The number of poses by the length of the clip; the authors resample to 15, which is the default here.
- **Words** lie on the clip's own clock; those that reach out of it are cut.
- **Speaker** is the video, as in the authors' loader.
- What their loader filters (stiff, leaning or wordless clips) is not filtered here.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.from_joints import KINECT_25, from_joints
from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import files_below
from kinesics.corpora._prepare import RATE, Item, Reading, prepare_items
from kinesics.corpora._recipe import Recipe
from kinesics.errors import DataError, FormatError
from kinesics.formats import _npz
from kinesics.performance import Audio, Interval, Motion, Performance, Points, Tier

__all__ = ["download", "prepare"]

JOINTS = (
    "spine", "neck", "nose", "head", "leftShoulder", "leftElbow", "leftWrist", "rightShoulder", "rightElbow",
    "rightWrist",
)  # fmt: skip
SPINE = 0.26
"""Metres from spine to neck, as in the authors' table of bones."""

_SPLITS = {"train": "train", "val": "val", "test": "test"}
_NAME = re.compile(r"(.+)_\d+")
_KINECT = dict(zip(
    ("SpineMid", "SpineShoulder", None, "Head", "ShoulderLeft", "ElbowLeft", "WristLeft", "ShoulderRight",
     "ElbowRight", "WristRight"), range(10), strict=True,
))  # fmt: skip
_HIPS, _HIP, _THIGH, _ANKLE = 0.22, 0.09, 0.42, 0.08
_MOST_RATE = 240


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Explain how to get the TED data and how to convert it: it is shared through a drive, so nothing is fetched.

    Parameters
    ----------
    folder
        Where it should go.
    confirm
        Is given the text; by default it is printed.
    """
    script = Path(__file__).with_name("_ted_convert.py")
    steps = (
        "1. Get ted_dataset through the link in https://github.com/ai4r/Gesture-Generation-from-Trimodal-Context\n"
        f"   and unpack it into {folder}: lmdb_train, lmdb_val, lmdb_test.\n"
        "2. Convert it once, with an old pyarrow that nothing else uses. It may unpickle: trust where the data comes from.\n"
        '   python3.10 -m venv old && old/bin/pip install "pyarrow<12" "numpy<2" lmdb\n'
        f"   old/bin/python {script} {folder} {folder}/converted\n"
        f"3. kinesics prepare ted {folder}/converted TARGET"
    )
    return _download.by_hand(RECIPE, steps, confirm)


def prepare(
    source: str | Path, target: str | Path, *, fps: Any = 15, jobs: int = 1, skip_bad: bool = False
) -> Corpus:
    """Read converted TED clips into a prepared corpus.

    Parameters
    ----------
    source
        The converted folder, with ``train``, ``val`` and ``test``.
    target
        The new folder.
    fps
        Frames per second of the body; None keeps each clip's own.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is damaged, and name it in the index, instead of stopping there.

    Returns
    -------
    Corpus
        ``body``, ``joints``, ``speech``, ``words``.

    Raises
    ------
    DataError
        If the folder holds the LMDB databases themselves, or nothing.
    """
    source = Path(source)
    if any((source / f"lmdb_{s}").exists() for s in _SPLITS) and not any(
        (source / s).is_dir() for s in _SPLITS
    ):
        raise DataError(
            f"{source}: holds the databases themselves; convert them first (see kinesics download ted)"
        )
    items = []
    for path in files_below(source, [".npz"]):
        split = next((s for s in _SPLITS if s in path.relative_to(source).parts[:-1]), None)
        if split is not None:
            found = _NAME.fullmatch(path.stem)
            items.append(Item(path.stem, split, found[1] if found else path.stem, {"clip": path}, ("clip",)))
    return prepare_items(RECIPE, items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad)


def _read(reading: Reading, fps: Any) -> Performance:
    return reading("clip", lambda path: _performance(path, fps))


def _performance(path: Path, fps: Any) -> Performance:
    with _npz.opened(path) as file:

        def array(key: str, ndim: int, kinds: str) -> NDArray[Any]:
            if key not in file:
                raise FormatError(path, key, "an array of this name", "convert the data again")
            found = file[key]
            if found.ndim != ndim or found.dtype.kind not in kinds:
                raise FormatError(
                    path,
                    key,
                    f"{ndim} dimensions, found {found.shape} of {found.dtype}",
                    "convert the data again",
                )
            if kinds == "fi" and not np.isfinite(found).all():
                raise FormatError(path, key, "finite numbers", "leave this clip out")
            return found

        places = array("skeletons_3d", 3, "fi").astype(np.float64)
        samples = array("audio_raw", 1, "fi").astype(np.float32)
        words, word_times = array("words", 1, "U"), array("word_times", 2, "fi")
        times = array("times", 1, "fi")
    if places.shape[1:] != (10, 3) or len(places) < 2:
        raise FormatError(path, "skeletons_3d", f"(T, 10, 3), found {places.shape}", "convert the data again")
    if len(times) != 2 or not 0 < times[1] - times[0] <= len(places):
        raise FormatError(path, "times", "start and end of the clip in seconds", "convert the data again")
    if word_times.shape != (len(words), 2):
        raise FormatError(
            path, "word_times", f"({len(words)}, 2), found {word_times.shape}", "convert the data again"
        )
    start, seconds = float(times[0]), float(times[1] - times[0])
    rate = Fraction(len(places) / seconds).limit_denominator(1000)
    if rate > _MOST_RATE:
        raise FormatError(
            path,
            "times",
            f"at most {_MOST_RATE} poses per second, found {float(rate):.1f}",
            "convert the data again",
        )
    joints = Points(_upright(path, places), JOINTS, rate)
    if fps is not None:
        joints = joints.resample(fps)
    said = []
    for word, (a, b) in zip(words, word_times - start, strict=True):
        first, last = float(np.clip(a, 0, seconds)), float(np.clip(b, 0, seconds))
        if b >= a and (last > first or a == b):
            said.append(Interval(first, max(first, last), str(word)))
    return Performance(
        {
            "speech": Audio(samples, RATE),
            "joints": joints,
            "body": body_of(joints),
            "words": Tier("words", tuple(said)),
        }
    )


def _upright(path: Path, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Y up, facing +Z, the spine's joint at the origin and the usual spine as long as it should be."""
    places = (places - places[:, :1]) * [-1.0, -1.0, 1.0]
    length = float(np.median(np.linalg.norm(places[:, 1], axis=1)))
    if not length > 1e-6:
        raise FormatError(path, "skeletons_3d", "a spine longer than nothing", "leave this clip out")
    return places * (SPINE / length)


def body_of(joints: Points) -> Motion:
    """A canonical body from the ten joints; hips and legs, which were never seen, stand still below."""
    seen = joints.values.astype(np.float64)
    lift = _HIPS + 2 * _THIGH + _ANKLE
    names = list(KINECT_25)
    places = np.full((len(seen), len(names), 3), np.nan)
    for name, at in _KINECT.items():
        if name is not None:
            places[:, names.index(name)] = seen[:, at] + [0, lift, 0]
    # Hips follow the shoulders half way, as they do when someone turns to an audience.
    side = seen[:, 4] - seen[:, 7]
    yaw = 0.5 * np.arctan2(-side[:, 2], np.maximum(side[:, 0], 1e-3))
    across = np.stack([np.cos(yaw), np.zeros(len(yaw)), -np.sin(yaw)], axis=1)
    base = np.tile([0.0, lift - _HIPS, 0.0], (len(seen), 1))
    places[:, names.index("SpineBase")] = base
    for name, sign in (("Left", 1.0), ("Right", -1.0)):
        for joint, drop in (("Hip", 0.0), ("Knee", _THIGH), ("Ankle", 2 * _THIGH)):
            places[:, names.index(f"{joint}{name}")] = base + sign * _HIP * across - [0, drop, 0]
    posed = from_joints(places, KINECT_25, fps=float(joints.fps), layout="kinect25")
    return Motion(posed.skeleton, posed.rotations, posed.root, joints.fps, joints.start)


RECIPE = Recipe(
    "ted",
    "TED (Trimodal)",
    "97 hours of 1,370 TED speakers: upper bodies found in films, words, sound",
    "ETRI's AIR licence for non-commercial use; the talks themselves are CC BY-NC-ND 4.0 of TED",
    "https://github.com/ai4r/Gesture-Generation-from-Trimodal-Context",
    "about 16 GB",
    "Yoon, Cha, Lee, Jang, Lee, Kim, Lee: Speech Gesture Generation from the Trimodal Context, SIGGRAPH Asia 2020.",
    False,
    download,
    prepare,
)
