"""Kinect v2 joints as CSV (``.kinect.csv``, or ``.csv`` with 101 columns), as recorders write them.

One line a frame, no header: a time stamp, then for each of the 25 joints x, y, z and the tracking state, in
the order of Microsoft's ``JointType`` (``bodies.from_joints.KINECT_25``); a comma at the end of the line does
no harm. The clips of Microsoft's Labanotation Suite are so. The format is read, not written.

Reading gives ``joints`` (Points of 25 names, world, metres; confidence 1 tracked, 0.5 inferred, 0 not
tracked) and ``body`` (the canonical humanoid in the person's own proportions, by ``bodies.from_joints``).

- **Frame.** The sensor's x grows to its own left, y up, z away from it: right-handed, and a person who faces
  it has the left hand at −x. Here x and z change their sign, a half turn about Y: the person faces +Z and the
  left hand is at +X; nothing is mirrored. The sensor stays above the origin, so people stand at negative Z.
- **Level and floor.** A sensor is rarely level and knows no floor. Its pitch is the median lean of neck over
  ankles in frames where the person stands straight (at least five; none above 20° is believed), and is taken
  out; then the feet's joints are put 3 cm above Y = 0 where they are lowest (10th percentile). Both are told
  in ``meta["kinect"]``: ``sensor_pitch`` (degrees), ``sensor_height`` (metres).
- **Clock.** Stamps are 100 ns ticks; files with micro-, milliseconds or seconds are told by their usual step,
  which is nearest to 1/30 s in one of these units. Frames are interpolated to 30 per second from the first;
  where the sensor dropped some, confidence is 0 and ``interpolated_frames`` counts them.
- **Rest.** Where the sensor sees shoulders and feet differs from person to person: how collar bones and feet
  usually lie in a clip is taken for their rest, so that people neither shrug nor stand on tiptoe. A clip in
  which both arms are up throughout misleads it.
- **Twist.** The thumbs and hand tips, which this sensor sees badly, do not turn the hands; palms are as in
  the T-pose, turned with the elbow. Heads nod and tilt, they do not look aside: no joint shows it.
- **Palms** that slip into the wrist point anywhere; such frames are interpolated. What is left of a hand's
  jumps is the sensor's.
- **Seated** people and hidden legs: inferred legs are read as they are.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np

from kinesics.bodies.from_joints import KINECT_25
from kinesics.errors import FormatError
from kinesics.formats._format import Format
from kinesics.formats._kinect import TRUST, checked, even, rows_of, tracks_of
from kinesics.formats._text import head_of
from kinesics.performance import Performance

log = logging.getLogger(__name__)

FPS = Fraction(30)
COLUMNS = 1 + 4 * len(KINECT_25)
_UNITS = {"100 ns": 1e-7, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def read(path: str | Path) -> Performance:
    """Read joints that a Kinect v2 recorder wrote as CSV.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Performance
        With ``joints`` and, where the joints allow, ``body``, at 30 fps.

    Raises
    ------
    FormatError
        If a line has not 101 numbers, times go back, or a state is none of 0, 1, 2.

    Examples
    --------
    >>> read("Ges01_wavehand.csv").body.fps  # doctest: +SKIP
    Fraction(30, 1)
    """
    path = Path(path)
    rows = rows_of(path, COLUMNS, ",")
    joints = rows[:, 1:].reshape(len(rows), -1, 4)
    states = joints[..., 3]
    if not np.isin(states, (0, 1, 2)).all():
        t, j = (int(i) for i in np.argwhere(~np.isin(states, (0, 1, 2)))[0])
        raise FormatError(
            path,
            f"row {t + 1}, {KINECT_25[j]}",
            f"a tracking state 0, 1 or 2, found {states[t, j]:g}",
            "check the columns",
        )
    values, trust = checked(path, joints[..., :3], TRUST[states.astype(int)])
    steps = np.diff(rows[:, 0])
    steps = steps[steps > 0]
    step = float(np.median(steps)) if len(steps) else 333333.0
    unit = min(_UNITS, key=lambda u: abs(np.log(step * _UNITS[u] * float(FPS))))
    times = (rows[:, 0] - rows[0, 0]) * _UNITS[unit]
    values, trust, breaks = even(path, times, values, trust, FPS)
    tracks, about = tracks_of(path, values, trust, KINECT_25, "kinect25", FPS)
    if breaks:
        log.info("%s: %d frames that the sensor dropped are interpolated", path, breaks)
    return Performance(tracks, {"kinect": {"time_unit": unit, "interpolated_frames": breaks, **about}})


def recognises(path: Path) -> bool:
    """Whether the first line holds 101 numbers."""
    cells = head_of(path, 16_384).partition("\n")[0].strip().rstrip(",").split(",")
    if len(cells) != COLUMNS:
        return False
    try:
        return all(float(c) in (0, 1, 2) for c in cells[4::4])
    except ValueError:
        return False


FORMAT = Format("Kinect CSV", (".kinect.csv",), ("body", "joints"), read, None, recognises, (".csv",))
