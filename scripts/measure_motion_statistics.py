"""Measure how real people sway and drift, for ``kinesics/behaviour/data/motion_statistics.json``.

    python scripts/measure_motion_statistics.py PATH/TO/free-cmu_expmap PATH/TO/free-cmu_mocap_bvh

Takes standing clips of the CMU Graphics Lab motion capture database (mocap.cs.cmu.edu, created with
funding from NSF EIA-0196217; free for research and commercial use): directing traffic, referees' hand
signals, everyday behaviours. Of these it keeps the stretches of at least three seconds in which both
feet stand still, and writes, for every channel, its root-mean-square in octave bands, the median over
stretches. What these captures do not show (collar bones, drift of hands and fingers) is ours and marked so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from kinesics.formats import bvh
from kinesics.geometry import rotations as rot

OUT = Path(__file__).parents[1] / "src/kinesics/behaviour/data/motion_statistics.json"
BANDS = [[0.03125 * 2**k, 0.0625 * 2**k] for k in range(7)]
CLIPS = ["train_directing_traffic_1", *[f"train_basketball_signal_{i}" for i in (1, 2, 3, 4)]]
EVERYDAY = ["13_07", "13_08", "13_26", "14_04", "14_07", "14_08", "14_37"]
STILL = 0.2  # m/s
SHORTEST = 3.0


def channels(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Root in metres, angles in degrees; whether the feet stand still; frames a second."""
    motion = bvh.read(path).body
    names = motion.skeleton.names
    local, fps = motion.rotations.astype(np.float64), float(motion.fps)
    places, world = motion.skeleton.forward(local, motion.root.astype(np.float64))

    def at(*options: str) -> int:
        return next(names.index(o) for o in options if o in names)

    hips, top, head = at("Hips", "hip"), at("Spine1", "chest", "Spine"), at("Head", "head")
    feet = [at("LeftFoot", "lFoot", "lfoot"), at("RightFoot", "rFoot", "rfoot")]
    # Directions are the person's own: across and ahead of where the hips face on the whole.
    facing = rot.swing_twist(rot.normalise(world[:, hips].sum(axis=0)), [0.0, 1, 0])[1]
    back = rot.conjugate(facing)
    root = rot.rotate(back, places[:, hips])

    def turned(q: np.ndarray) -> np.ndarray:
        seen = rot.multiply(rot.multiply(back, q), facing)
        mean = rot.normalise(rot.continuous(seen).sum(axis=0))
        return np.degrees(rot.to_rotvec(rot.multiply(rot.conjugate(mean), seen)))

    out = {"root_x": root[:, 0], "root_z": root[:, 2]}
    spine = rot.multiply(rot.conjugate(world[:, hips]), world[:, top])
    for name, q in (("hips", world[:, hips]), ("spine", spine), ("head", world[:, head])):
        vector = turned(q) if name != "spine" else np.degrees(rot.to_rotvec(_around_mean(spine)))
        for k, part in enumerate(("pitch", "yaw", "roll")):
            out[f"{name}_{part}"] = vector[:, k]
    speed = [np.linalg.norm(np.gradient(places[:, i, ::2], 1 / fps, axis=0), axis=-1) for i in feet]
    return out, np.max(speed, axis=0) < STILL, fps


def _around_mean(q: np.ndarray) -> np.ndarray:
    q = rot.continuous(q)
    return rot.multiply(rot.conjugate(rot.normalise(q.mean(axis=0))), q)


def stretches(still: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """Spans of frames in which the feet stay."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(int), [0]])))
    return [(a, b) for a, b in edges.reshape(-1, 2) if b - a >= SHORTEST * fps]


def band_rms(x: np.ndarray, fps: float) -> np.ndarray:
    """(7,) root-mean-square in each octave band; NaN where the stretch is too short to tell."""
    x = x - x.mean()
    window = np.hanning(len(x))
    power = np.abs(np.fft.rfft(x * window)) ** 2 * 2 / (len(x) * np.sum(window**2))
    hertz = np.fft.rfftfreq(len(x), 1 / fps)
    out = [np.sqrt(power[(hertz >= a) & (hertz < b)].sum()) for a, b in BANDS]
    return np.array([v if b > 1.5 * fps / len(x) else np.nan for v, (_, b) in zip(out, BANDS, strict=True)])


def main(folders: list[str]) -> None:
    """Measure and write."""
    expmap, daz = (Path(f) / "bvh30" for f in folders)
    files = [expmap / f"{c}.bvh" for c in CLIPS] + [daz / f"{c}.bvh" for c in EVERYDAY]
    rows: dict[str, list[np.ndarray]] = {}
    used, seconds = [], 0.0
    for path in files:
        values, still, fps = channels(path)
        for a, b in stretches(still, fps):
            used.append(f"{path.stem} {a / fps:.1f}-{b / fps:.1f} s")
            seconds += (b - a) / fps
            for name, x in values.items():
                rows.setdefault(name, []).append(band_rms(x[a:b], fps))
    drift = {}
    for name, bands in rows.items():
        table = np.array(bands)
        # The slowest bands are longer than the stretches: they continue the spectrum flat.
        rms = np.array([np.nanmedian(c) if np.isfinite(c).sum() >= 3 else np.nan for c in table.T])
        first = int(np.flatnonzero(np.isfinite(rms))[0])
        rms[:first] = rms[first]
        drift[name] = {"bands_hz": BANDS, "rms": [float(f"{v:.3g}") for v in rms], "from": "measured"}
    for side in ("left", "right"):
        for axis in "xyz":
            drift[f"hand_{side}_{axis}"] = _ours(0.0045)
        drift[f"curl_{side}"] = _ours(2.6)
        drift[f"shoulder_{side}"] = _ours(1.0)
    OUT.write_text(
        json.dumps(
            {
                "about": "Drift of standing people: root-mean-square in octave bands. Root and hands in metres, the rest in degrees.",
                "source": "CMU Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, NSF EIA-0196217; by scripts/measure_motion_statistics.py",
                "seconds": round(seconds, 1),
                "stretches": used,
                "drift": drift,
            },
            indent=1,
        )
        + "\n"
    )
    print(f"{len(used)} stretches, {seconds:.0f} s")
    for name, entry in drift.items():
        print(f"{name:16s} total {np.sqrt(np.sum(np.square(entry['rms']))):.4f}", entry["rms"])


def _ours(total: float) -> dict:
    part = 2.0 ** (-0.6 * np.arange(len(BANDS)))
    rms = total * part / np.sqrt(np.sum(part**2))
    return {"bands_hz": BANDS, "rms": [float(f"{v:.3g}") for v in rms], "from": "ours"}


if __name__ == "__main__":
    main(sys.argv[1:])
