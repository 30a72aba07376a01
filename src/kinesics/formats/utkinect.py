"""UTKinect-Action3D joints (``joints_sNN_eNN.txt``; long ending ``.utkinect.txt``): 20 joints of the first Kinect as text.

One line a frame: the frame's number, then x, y, z of the 20 joints in the order of Microsoft's first Kinect
SDK (``bodies.from_joints.KINECT_20``), 61 numbers between blanks. The format is read, not written.

Reading gives ``joints`` (Points of 20 names, world, metres) and ``body`` (the canonical humanoid, by
``bodies.from_joints``). Frame, level and floor are as in ``kinect``: x and z change their sign so that the
person faces +Z with the left hand at +X; ``meta["utkinect"]`` tells ``sensor_pitch`` and ``sensor_height``.

- **Rate.** The file has no times. Frames were dropped when they were recorded, about 15 a second remain
  (``fps=``). One frame is the usual step of the numbers, which often is 2.
- **Numbers** may repeat: the last line counts. Where they skip, frames are interpolated with confidence 0 and
  counted in ``interpolated_frames``.
- **No tracking state** is given: confidence is 1, and 0 where a joint is at (0, 0, 0).
- **Actions.** ``actionLabel.txt``, which says from which number to which an action lasts, is not read;
  ``first_number`` and ``step`` in ``meta`` tell the number of a frame.

There was no file of the data set to check this against; the layout is the published description's.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np

from kinesics.bodies.from_joints import KINECT_20
from kinesics.errors import FormatError
from kinesics.formats._format import Format
from kinesics.formats._kinect import checked, even, rows_of, tracks_of
from kinesics.formats._text import head_of
from kinesics.performance import Performance
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

COLUMNS = 1 + 3 * len(KINECT_20)


def read(path: str | Path, *, fps: float | Fraction = 15) -> Performance:
    """Read a file of UTKinect's joints.

    Parameters
    ----------
    path
        The file.
    fps
        Frames per second.

    Returns
    -------
    Performance
        With ``joints`` and, where the joints allow, ``body``.

    Raises
    ------
    FormatError
        If a line has not 61 numbers, or the numbers of the frames go back.
    DataError
        If ``fps`` is no rate.

    Examples
    --------
    >>> read("joints_s01_e01.txt")["joints"].values.shape[1:]  # doctest: +SKIP
    (20, 3)
    """
    path = Path(path)
    rate = exact_rate(fps, "UTKinect")
    rows = rows_of(path, COLUMNS, None)
    numbers = rows[:, 0]
    if np.any(numbers != np.round(numbers)):
        bad = int(np.argmax(numbers != np.round(numbers)))
        raise FormatError(
            path, f"row {bad + 1}", f"a frame number, found {numbers[bad]:g}", "check the columns"
        )
    places = rows[:, 1:].reshape(len(rows), -1, 3)
    values, trust = checked(path, places, np.ones(places.shape[:2]))
    steps = np.diff(numbers)
    steps = steps[steps > 0]
    kinds, counts = np.unique(steps, return_counts=True) if len(steps) else (np.ones(1), np.ones(1))
    step = float(kinds[np.argmax(counts)])
    times = (numbers - numbers[0]) / step / float(rate)
    values, trust, breaks = even(path, times, values, trust, rate)
    tracks, about = tracks_of(path, values, trust, KINECT_20, "kinect20", rate)
    if breaks:
        log.info("%s: %d frames that are missing are interpolated", path, breaks)
    about |= {"first_number": int(numbers[0]), "step": int(step), "interpolated_frames": breaks}
    return Performance(tracks, {"utkinect": about})


def recognises(path: Path) -> bool:
    """Whether the first line holds 61 numbers, the first one whole."""
    cells = head_of(path, 16_384).strip().partition("\n")[0].split()
    if len(cells) != COLUMNS:
        return False
    try:
        return float(cells[0]).is_integer() and all(abs(float(c)) < 1e3 for c in cells[1:])
    except (ValueError, OverflowError):
        return False


FORMAT = Format("UTKinect", (".utkinect.txt",), ("body", "joints"), read, None, recognises, (".txt",))
