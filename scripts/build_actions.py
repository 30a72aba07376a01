"""Build the library of short motions from CMU's motion capture: ``python scripts/build_actions.py FOLDER [FOLDER …]``.

The folders hold BVH files at 30 frames a second named as CMU names its takes (``02_01.bvh``), in the DAZ-friendly
conversion of cgspeed.com. Excerpts of a few seconds are brought to the canonical humanoid, steps that repeat are closed to loops, and all is written, quantised to 16 bits, to
``src/kinesics/stage/data/actions.npz``. The same input gives the same bytes.

The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF
EIA-0196217. CMU places no restriction on its use.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from kinesics import formats  # noqa: E402
from kinesics.bodies.humanoid import INDEX  # noqa: E402
from kinesics.bodies.retarget import retarget  # noqa: E402
from kinesics.bodies.rig import maya  # noqa: E402
from kinesics.geometry import rotations as rot  # noqa: E402

FPS = 30
JOINTS = 22
TURN, WAY = 32767, 4000  # steps of a quaternion's component and of a metre

LOOPS: tuple[tuple[str, str, float, float, float, float], ...] = (
    # action, take, from, to: seconds between which the cycle is sought; its shortest and longest length
    ("walk", "02_01", 0.2, 2.8, 0.8, 1.3),
    ("walk", "05_01", 0.4, 4.9, 0.8, 1.4),
    ("walk", "06_01", 0.4, 4.0, 0.8, 1.4),
    ("walk", "07_01", 0.3, 2.6, 0.8, 1.3),
    ("walk", "08_01", 0.2, 2.3, 0.8, 1.3),
    ("walk", "12_01", 0.4, 4.3, 0.9, 1.5),
    ("walk slowly", "07_04", 0.3, 3.7, 1.0, 1.7),
    ("walk slowly", "08_04", 0.3, 4.0, 1.0, 1.8),
    ("walk slowly", "07_05", 0.3, 4.3, 1.0, 1.9),
    ("walk briskly", "08_10", 0.2, 2.2, 0.7, 1.3),
    ("walk briskly", "08_05", 0.2, 2.4, 0.7, 1.3),
    ("stride", "08_11", 0.2, 3.1, 0.9, 1.8),
    ("run", "02_03", 0.2, 1.45, 0.5, 0.95),
    ("run", "09_01", 0.1, 1.2, 0.5, 0.9),
    ("run", "09_06", 0.1, 1.2, 0.5, 0.9),
    ("run", "09_03", 0.1, 1.05, 0.5, 0.9),
    ("run", "09_11", 0.1, 1.35, 0.5, 0.9),
    ("walk backward", "09_12", 12.1, 15.3, 0.8, 1.6),
    ("sidestep left", "06_08", 0.5, 2.8, 0.5, 1.3),
    ("sidestep left", "06_09", 0.4, 2.5, 0.5, 1.3),
    ("dribble forward right", "06_02", 2.3, 5.2, 0.8, 1.5),
    ("dribble forward right", "06_03", 2.0, 4.3, 0.8, 1.5),
    ("dribble backward right", "06_06", 0.4, 3.2, 0.7, 1.5),
    ("jog in place", "13_30", 16.6, 19.8, 0.4, 1.2),
    ("jog in place", "13_31", 13.4, 16.4, 0.4, 1.2),
    ("lift the knees", "13_30", 6.9, 11.8, 1.0, 4.5),
    ("twist", "13_30", 2.1, 6.5, 1.8, 3.4),
    ("twist", "13_31", 0.4, 4.0, 1.6, 3.2),
    ("swing the arms", "13_31", 16.6, 21.0, 0.6, 1.8),
    ("jumping jacks", "13_30", 0.15, 1.9, 0.5, 1.2),
    ("punch right", "02_05", 1.0, 5.2, 0.9, 2.6),
    ("box", "13_18", 0.6, 5.0, 1.2, 3.6),
    ("swing a sword right", "02_08", 0.5, 5.2, 1.6, 2.6),
)

ONCE: tuple[tuple[str, str, float, float], ...] = (
    # action, take, from, to
    ("jump forward", "13_11", 0.7, 3.3),
    ("jump forward", "13_13", 0.7, 3.4),
    ("jump forward", "13_19", 0.6, 3.3),
    ("jump up", "13_39", 0.15, 2.5),
    ("jump up", "13_40", 0.15, 2.5),
    ("jump up", "13_41", 0.15, 2.8),
    ("jump up", "02_04", 0.15, 2.4),
    ("squat", "13_30", 11.9, 14.4),
    ("squat", "13_30", 14.2, 16.5),
    ("touch the toes", "13_31", 7.8, 9.7),
    ("touch the toes", "13_31", 9.6, 11.6),
    ("pick up right", "02_06", 5.5, 8.6),
    ("pick up right", "02_06", 2.6, 5.6),
    ("kick right", "10_01", 4.0, 6.5),
    ("kick right", "10_02", 1.5, 4.8),
    ("kick right", "11_01", 1.8, 4.7),
    ("wash a window right", "14_12", 2.4, 7.4),
    ("wash a window right", "14_12", 13.8, 18.6),
    ("direct traffic", "13_26", 4.0, 8.3),
    ("direct traffic", "13_26", 9.4, 14.4),
    ("laugh", "14_17", 14.9, 18.9),
    ("laugh", "13_16", 8.9, 12.6),
    ("sit down and stand up", "14_32", 2.0, 7.4),
    ("sit down and stand up", "13_01", 2.6, 8.8),
    ("reach up", "13_10", 4.6, 7.9),
    ("drink left", "14_37", 0.4, 3.9),
    ("drink left", "14_04", 0.2, 3.0),
    ("shoot a basket", "06_15", 1.5, 4.3),
    ("spin right", "05_11", 0.8, 3.4),
    ("lean into an arabesque", "05_03", 0.6, 3.4),
)


def heading(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which way a person faces, radians to the left of +Z, from hips and chest (T,)."""
    chest = rotations[:, 0]
    ways = [rot.rotate(chest, np.array([0.0, 0, 1]))]
    for bone in ("spine", "chest", "upperChest"):
        chest = rot.multiply(chest, rotations[:, INDEX[bone]])
    ways.append(rot.rotate(chest, np.array([0.0, 0, 1])))
    x, _, z = np.sum(ways, axis=0).T
    return np.unwrap(np.arctan2(x, z))


def turned(rotations: NDArray, root: NDArray, angle: NDArray | float) -> tuple[NDArray, NDArray]:
    """Rotations and places turned to the left about the vertical through the origin."""
    q = rot.from_axis_angle(np.array([0.0, 1, 0]), angle)
    rotations = rotations.copy()
    rotations[:, 0] = rot.multiply(q, rotations[:, 0])
    return rotations, rot.rotate(q, root)


def calm(rotations: NDArray, root: NDArray) -> tuple[NDArray, NDArray]:
    """Without joints that are elsewhere for a single frame, and with less of the noise between two frames."""
    middle = rot.slerp(rotations[:-2], rotations[2:], np.full(rotations[1:-1].shape[:2], 0.5))
    out = rotations.copy()
    wrong = rot.angle(rotations[1:-1], middle) > np.radians(20)
    out[1:-1] = np.where(wrong[..., None], middle, rotations[1:-1])
    out = rot.continuous(out)
    out[1:-1] = 0.12 * out[:-2] + 0.76 * out[1:-1] + 0.12 * out[2:]
    root = root.copy()
    root[1:-1] = 0.12 * root[:-2] + 0.76 * root[1:-1] + 0.12 * root[2:]
    return rot.normalise(out), root


def features(rotations: NDArray, root: NDArray) -> NDArray:
    """(T, F) joints and their speeds as seen by the person, metres."""
    local, _ = turned(rotations, root * 0, -heading(rotations))
    full = np.tile(np.array([1.0, 0, 0, 0]), (len(local), 55, 1))
    full[:, :JOINTS] = local
    places = maya().forward(full, root * [0, 1, 0])[0][:, :JOINTS].reshape(len(local), -1)
    return np.concatenate([places, 0.15 * np.gradient(places, 1 / FPS, axis=0)], axis=1)


def closed(rotations: NDArray, root: NDArray, shortest: int, longest: int) -> tuple[NDArray, NDArray, float]:
    """The cycle whose end is most like its beginning, made to close; and by how many metres a joint was off."""
    seen = features(rotations, root)
    best = (np.inf, 0, 0)
    for first in range(0, len(seen) - shortest):
        ends = np.arange(first + shortest, min(first + longest, len(seen) - 1) + 1)
        off = np.sqrt(np.mean((seen[ends] - seen[first]) ** 2, axis=1))
        if off.min() < best[0]:
            best = (float(off.min()), first, int(ends[off.argmin()]))
    off, first, last = best
    rotations, root = rotations[first : last + 1], root[first : last + 1]
    part = np.linspace(0, 1, len(root))
    yaw = heading(rotations)
    rotations, _ = turned(rotations, root, -(yaw[0] + part * (yaw[-1] - yaw[0])))
    steps = np.diff(root, axis=0)
    steps = rot.rotate(
        rot.from_axis_angle(np.array([0.0, 1, 0]), -(yaw[0] + part[:-1] * (yaw[-1] - yaw[0]))), steps
    )
    root = np.concatenate([root[:1] * [0, 1, 0], steps]).cumsum(axis=0)
    root[:, 1] -= (part - 0.5) * (root[-1, 1] - root[0, 1])
    error = rot.to_rotvec(rot.multiply(rot.conjugate(rotations[-1]), rotations[0]))
    rotations = rot.multiply(rotations, rot.from_rotvec((part - 0.5)[:, None, None] * error))
    rotations, root = turned(rotations, root, -float(heading(rotations)[:-1].mean()))
    return rotations, root, off


def trimmed(rotations: NDArray, root: NDArray) -> slice:
    """Without what is most in motion of the first and of the last quarter of a second."""
    speed = np.sqrt((np.diff(features(rotations, root), axis=0) ** 2).mean(axis=1)) * FPS
    room = FPS // 4
    return slice(int(speed[:room].argmin()), len(root) - room + int(speed[-room:].argmin()))


PATH = ROOT / "src/kinesics/stage/data/actions.npz"


def main(folders: list[Path], path: Path = PATH) -> None:
    """Read the takes, cut, close, quantise and write."""
    files = {path.stem: path for folder in folders for path in sorted(folder.rglob("*.bvh"))}
    takes: dict[str, tuple[NDArray, NDArray]] = {}
    about, turns, ways = [], [], []
    for action, take, start, end, *lengths in (*LOOPS, *ONCE):
        if take not in takes:
            body = retarget(formats.load(files[take]).body)
            # Takes begin with a pose of calibration that has nothing to do with what follows.
            takes[take] = calm(body.rotations[:, :JOINTS].astype(np.float64), body.root.astype(np.float64))
        rotations, root = (x[round(start * FPS) : round(end * FPS) + 1] for x in takes[take])
        off = 0.0
        if lengths:
            rotations, root, off = closed(rotations, root, *(round(s * FPS) for s in lengths))
        else:
            part = trimmed(rotations, root)
            rotations, root = turned(rotations[part], root[part], -heading(rotations[part])[0])
        rotations = rot.continuous(rot.normalise(rotations))
        root = root - root[0] * [1, 0, 1]
        turns.append(np.round(rotations * TURN).astype(np.int16))
        ways.append(np.round(root * WAY).astype(np.int16))
        about.append({"action": action, "take": take, "loop": bool(lengths), "frames": len(root)})
        way = root[-1] - root[0]
        print(
            f"{action:24}{take:28}{len(root) / FPS:5.2f} s  {way[0]:+.2f} {way[2]:+.2f} m"
            + (f"  closed over {1000 * off:.0f} mm" if lengths else "")
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Differences of neighbouring frames are small: their upper bytes pack to almost nothing.
    step = np.diff(np.concatenate(turns).reshape(-1, JOINTS * 4), axis=0, prepend=np.int16(0))
    step = np.ascontiguousarray(step.T).view(np.uint8)
    np.savez_compressed(
        path,
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        rotations=np.stack([step[:, 0::2], step[:, 1::2]]),
        root=np.concatenate(ways),
    )
    print(
        f"{path.name}: {len(about)} clips, {sum(map(len, ways))} frames, {path.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
