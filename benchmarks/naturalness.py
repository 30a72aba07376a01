"""Motion statistics of performances beside those of a real speaker.

For every take: distributions of wrist speed, wrist acceleration and jerk, gesture space (where the wrists are
relative to the shoulders and hips, in arm lengths), pauses (share of time and lengths of spans in
which a wrist is still), head and torso angular speed. Two takes are compared per statistic by
the 1-Wasserstein distance between their distributions (101 quantiles), divided by the standard
deviation of the reference. The floor is the distance between the two halves of the real take.

Nothing is fitted to these numbers: the real take (BEAT2, one speaker) is for evaluation only.

    python -m benchmarks.naturalness [--write]
"""

from __future__ import annotations

import argparse
import csv
import json
from datetime import date
from pathlib import Path

import numpy as np

from kinesics.bodies.humanoid import INDEX
from kinesics.geometry import rotations as rot
from kinesics.performance import Motion

ROOT = Path(__file__).parents[1]
CLIPS = ("LJ001-0001", "LJ001-0003", "LJ001-0007", "LJ001-0010", "LJ001-0014", "jfk")
FPS = 30
STILL = 0.10  # m/s: below it a wrist rests or holds
QUANTILES = np.linspace(0, 1, 101)


def smplx_take(path: Path, skeleton) -> Motion:
    """A BEAT2 npz as a Motion: SMPL-X poses are local axis-angles relative to a world-aligned T-pose."""
    with np.load(path, allow_pickle=False) as data:
        poses = data["poses"].reshape(len(data["poses"]), 55, 3)
        root = data["trans"]
    return Motion(skeleton, rot.from_rotvec(poses.astype(np.float32)), root, FPS)


def _smooth(x: np.ndarray) -> np.ndarray:
    # A short binomial kernel: capture noise would otherwise rule the third derivative.
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad(x, ((2, 2), *[(0, 0)] * (x.ndim - 1)), mode="edge")
    return sum(k * padded[i : i + len(x)] for i, k in enumerate(kernel))


def statistics(motion: Motion) -> dict[str, np.ndarray]:
    """Samples of each statistic, in SI units and arm lengths; the pelvis is taken as fixed."""
    motion = motion.resample(FPS)
    position, world = motion.skeleton.forward(motion.rotations.astype(np.float64), np.zeros((len(motion), 3)))
    rest = motion.skeleton.rest
    arm = float(np.linalg.norm(rest[INDEX["leftHand"]] - rest[INDEX["leftUpperArm"]]))
    hips = rot.conjugate(world[:, :1])
    local = rot.rotate(hips, position - position[:, :1])
    out: dict[str, list[np.ndarray]] = {}
    pauses = []
    for side, sign in (("left", 1), ("right", -1)):
        wrist = _smooth(local[:, INDEX[f"{side}Hand"]])
        velocity = np.gradient(wrist, 1 / FPS, axis=0)
        acceleration = np.gradient(velocity, 1 / FPS, axis=0)
        speed = np.linalg.norm(velocity, axis=1)
        place = (wrist - rest[INDEX[f"{side}UpperArm"]] + rest[0]) / arm
        for name, values in {
            "wrist speed (m/s)": speed,
            "wrist acceleration (m/s2)": np.linalg.norm(acceleration, axis=1),
            "wrist jerk (m/s3)": np.linalg.norm(np.gradient(acceleration, 1 / FPS, axis=0), axis=1),
            "wrist out from the shoulder (arms)": sign * place[:, 0],
            "wrist above the shoulder (arms)": place[:, 1],
            "wrist ahead of the shoulder (arms)": place[:, 2],
        }.items():
            out.setdefault(name, []).append(values)
        still = np.concatenate([[False], speed < STILL, [False]])
        edges = np.flatnonzero(np.diff(still.astype(int)))
        pauses.append((edges[1::2] - edges[::2]) / FPS)
    result = {name: np.concatenate(parts) for name, parts in out.items()}
    lengths = np.concatenate(pauses)
    result["pause length (s)"] = lengths if len(lengths) else np.zeros(1)
    head = _speed(rot.multiply(rot.conjugate(world[:, INDEX["hips"]]), world[:, INDEX["head"]]))
    result["head angular speed (rad/s)"] = head
    torso = rot.multiply(rot.conjugate(world[:, INDEX["hips"]]), world[:, INDEX["upperChest"]])
    result["torso angular speed (rad/s)"] = _speed(torso)
    result["head pitch about its mean (rad)"] = _axis(motion, world, 0)
    result["head yaw about its mean (rad)"] = _axis(motion, world, 1)
    return result


def _speed(q: np.ndarray) -> np.ndarray:
    turn = rot.to_rotvec(rot.multiply(rot.conjugate(q[:-2]), q[2:])) * FPS / 2
    return np.linalg.norm(_smooth(turn), axis=1)


def _axis(motion: Motion, world: np.ndarray, axis: int) -> np.ndarray:
    head = rot.to_rotvec(rot.multiply(rot.conjugate(world[:, 0]), world[:, INDEX["head"]]))[:, axis]
    return head - head.mean()


def distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """1-Wasserstein distance over 101 quantiles, in standard deviations of the reference."""
    gap = np.abs(np.quantile(reference, QUANTILES) - np.quantile(estimate, QUANTILES))
    return float(gap.mean() / max(reference.std(), 1e-9))


def compare(real: Motion, made: list[Motion]) -> list[dict[str, float | str]]:
    """One row per statistic: medians and 90th centiles, distance to the real take, its own halves' distance."""
    half = real.duration / 2
    parts = [statistics(real.slice(0, half)), statistics(real.slice(half, real.duration + 1))]
    whole = statistics(real)
    ours = [statistics(m) for m in made]
    rows = []
    for name in whole:
        pooled = np.concatenate([o[name] for o in ours])
        rows.append(
            {
                "statistic": name,
                "real median": float(np.median(whole[name])),
                "real p90": float(np.quantile(whole[name], 0.9)),
                "ours median": float(np.median(pooled)),
                "ours p90": float(np.quantile(pooled, 0.9)),
                "halves": distance(parts[0][name], parts[1][name]),
                "distance": distance(whole[name], pooled),
            }
        )
    return rows


def mean_speed(motion: Motion) -> float:
    """Mean world speed (m/s) over all 55 joints and frames; the BEAT2 data set's own is 0.2407 (as EMAGE's beat score uses it)."""
    position = motion.resample(FPS).positions().astype(np.float64)
    return float(np.linalg.norm(np.gradient(position, 1 / FPS, axis=0), axis=-1).mean())


def performed(shared: Path, *, intensity: float) -> list[Motion]:
    """Real speech of several people, performed."""
    import kinesics as kn

    with (shared / "free-speech/transcripts.tsv").open(encoding="utf-8") as file:
        said = {row["file"]: row["transcript"] for row in csv.DictReader(file, delimiter="\t")}
    return [
        kn.perform(
            audio=shared / f"free-speech/wav/{name}.wav",
            transcript=said[f"{name}.wav"],
            intensity=intensity,
            seed=seed,
        ).body
        for seed, name in enumerate(CLIPS)
    ]


def main() -> None:
    """Print the table; with ``--write`` record it under docs/benchmarks."""
    from kinesics.bodies.avatar import load_avatar

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    take = options.shared / "nc-beat2_scott/2_scott_0_1_1_f0-1320.npz"
    real = smplx_take(take, load_avatar("maya").skeleton)
    made = {str(i): performed(options.shared, intensity=i) for i in (0.5, 0.8)}
    results = {i: compare(real, motions) for i, motions in made.items()}
    speeds = {i: np.mean([mean_speed(m) for m in motions]) for i, motions in made.items()}
    text = f"\nMean speed over the 55 joints: this real take {mean_speed(real):.3f} m/s, the whole BEAT2 data set 0.241, "
    text += ", ".join(f"ours at intensity {i} {v:.3f}" for i, v in speeds.items()) + ".\n"
    for intensity, rows in results.items():
        names = list(rows[0])
        text += f"\n## Intensity {intensity}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
        for row in rows:
            text += "| " + " | ".join(v if isinstance(v, str) else f"{v:.3f}" for v in row.values()) + " |\n"
    print(text)
    if options.write:
        base = ROOT / "docs/benchmarks" / f"{date.today().isoformat()}-naturalness"
        base.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
        page = f"# Motion statistics\n\n{__doc__.strip()}\n\nClips performed: {', '.join(CLIPS)} of free-speech.\n{text}"
        base.with_suffix(".md").write_text(page)


if __name__ == "__main__":
    main()
