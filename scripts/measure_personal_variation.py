"""Measure how standing people differ from one another, for ``kinesics/stage/data/variation.json``.

    python scripts/measure_personal_variation.py PATH/TO/free-cmu_expmap PATH/TO/free-cmu_mocap_bvh

The same clips and stretches of the CMU Graphics Lab motion capture database (mocap.cs.cmu.edu, created with
funding from NSF EIA-0196217) as ``measure_motion_statistics.py``. Written are, between stretches: the
standard deviation of the logarithm of sway (root, hips, spine, head), of the hands' speed and of the reach
of their movement, and the standard deviation of mean posture in degrees.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from measure_motion_statistics import CLIPS, EVERYDAY, band_rms, channels, stretches

from kinesics.formats import bvh
from kinesics.geometry import rotations as rot

OUT = Path(__file__).parents[1] / "src/kinesics/stage/data/variation.json"
GROUPS = {"root": "root_", "hips": "hips_", "spine": "spine_", "head": "head_"}


def postures(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Angles of trunk and head (degrees), speed of the faster hand (m/s), hands about the hips (T, 2, 3)."""
    motion = bvh.read(path).body
    names = motion.skeleton.names
    fps = float(motion.fps)
    places, world = motion.skeleton.forward(
        motion.rotations.astype(np.float64), motion.root.astype(np.float64)
    )

    def at(*options: str) -> int:
        return next(names.index(o) for o in options if o in names)

    hips, top, head = at("Hips", "hip"), at("Spine1", "chest", "Spine"), at("Head", "head")
    hands = [at("LeftHand", "lHand"), at("RightHand", "rHand")]
    out = {}
    for name, q in (
        ("spine", rot.multiply(rot.conjugate(world[:, hips]), world[:, top])),
        ("head", rot.multiply(rot.conjugate(world[:, top]), world[:, head])),
    ):
        vector = np.degrees(rot.to_rotvec(q))
        for k, part in enumerate(("pitch", "yaw", "roll")):
            out[f"{name}_{part}"] = vector[:, k]
    about = places[:, hands] - places[:, [hips]]
    speed = np.linalg.norm(np.gradient(about, 1 / fps, axis=0), axis=-1).max(axis=1)
    return out, speed, about


def main(folders: list[str]) -> None:
    """Measure and write."""
    expmap, daz = (Path(f) / "bvh30" for f in folders)
    files = [expmap / f"{c}.bvh" for c in CLIPS] + [daz / f"{c}.bvh" for c in EVERYDAY]
    sway: dict[str, list[float]] = {g: [] for g in GROUPS}
    posture: dict[str, list[float]] = {}
    speeds, reaches = [], []
    for path in files:
        values, still, fps = channels(path)
        angles, speed, about = postures(path)
        for a, b in stretches(still, fps):
            for group, prefix in GROUPS.items():
                # What lasts a second or less is there in every stretch, however short.
                rms = [band_rms(x[a:b], fps)[3:] for n, x in values.items() if n.startswith(prefix)]
                sway[group].append(float(np.log(np.sqrt(np.nansum(np.square(rms))))))
            for name, x in angles.items():
                posture.setdefault(name, []).append(float(x[a:b].mean()))
            moving = speed[a:b][speed[a:b] > 0.25]
            if len(moving) > fps:
                speeds.append(float(np.log(moving.mean())))
                reaches.append(float(np.log(np.linalg.norm(about[a:b].std(axis=0), axis=-1).max())))

    def spread(values: list[float]) -> float:
        # A robust standard deviation: a fall or a jump among the stretches counts for little.
        low, high = np.percentile(values, [16, 84])
        return float(f"{0.5 * (high - low):.3g}")

    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(
        json.dumps(
            {
                "about": "Differences between standing people: standard deviations between stretches of free motion capture.",
                "source": "CMU Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, NSF EIA-0196217; by scripts/measure_personal_variation.py",
                "stretches": len(sway["root"]),
                "sway_log": {g: spread(v) for g, v in sway.items()},
                "posture_degrees": {n: spread(v) for n, v in posture.items()},
                "hand_speed_log": spread(speeds),
                "hand_reach_log": spread(reaches),
            },
            indent=1,
        )
        + "\n"
    )
    print(OUT.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
