"""Gesture: scipy, and the published rules as plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.metrics.inputs import noise, walk

LIBRARIES = ("scipy",)


def inputs() -> dict[str, Any]:
    """What the gesture metrics are tried on."""
    return {
        "x": noise(400, 24, seed=1) @ (np.eye(24) + 0.3 * noise(24, 24, seed=2)),
        "y": 1.4 * noise(90, 24, seed=3) + 0.2,
        "few": noise(10, 24, seed=4),
        "bodies": [walk(200, 55, seed=5), walk(260, 55, seed=6)],
        "angles": 5 * noise(60, 47, 3, seed=7),
        "wrong": 5 * noise(60, 47, 3, seed=7) + 2.5 * noise(60, 47, 3, seed=8),
        "semantic": np.abs(noise(60, seed=9)),
        "arm": np.cumsum(noise(400, 9, seed=10), axis=0),
        "beats": np.cumsum(0.3 + 0.25 * noise(60, seed=11)),
        "usual": 0.2 + 0.1 * np.abs(noise(55, seed=12)),
        "directions": [noise(34, 9, 3, seed=20 + i) * 0.05 + noise(1, 9, 3, seed=13) for i in range(4)],
        "clip_beats": [np.sort(1.1 + 1.1 * noise(5, seed=30 + i)) for i in range(3)] + [np.zeros(0)],
        "dance": walk(300, 24, seed=14),
        "music": np.arange(7, 300, 29),
    }


def _gahr(motion: Any, audio: Any, sigma: float) -> float:
    total = 0.0
    for a in audio:
        nearest = min((abs(a - m) for m in motion), default=math.inf)
        total += math.exp(-(nearest**2) / (2 * sigma**2))
    return total / len(audio)


def values() -> dict[str, Any]:
    from scipy import linalg
    from scipy.ndimage import gaussian_filter
    from scipy.signal import argrelextrema

    d = inputs()

    def frechet(a: Any, b: Any, offset: float = 0.0) -> float:
        ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        bend = offset * np.eye(len(ca))
        root = linalg.sqrtm((ca + bend) @ (cb + bend))
        away = a.mean(0) - b.mean(0)
        return float(away @ away + np.trace(ca) + np.trace(cb) - 2 * np.trace(np.real(root)))

    out: dict[str, Any] = {
        "fgd": frechet(d["x"], d["y"]),
        "fgd_offset": frechet(d["x"], d["few"], 1e-6),
    }

    total, frames = 0.0, 0
    for points in d["bodies"]:
        flat = (points - points[:, :1]).reshape(len(points), -1)
        for row in flat:
            total += float(np.sum(np.abs(row - flat.mean(0))))
        frames += len(points)
    out["l1div"] = total / frames

    for norm in ("l1", "l2"):
        sum_ = 0.0
        for t in range(60):
            for j in range(47):
                away = d["wrong"][t, j] - d["angles"][t, j]
                error = np.sum(np.abs(away)) if norm == "l1" else math.sqrt(np.sum(away**2))
                sum_ += (1.0 if error < 4 else 0.0) * d["semantic"][t] / 0.165
        out[f"srgr_{norm}"] = sum_ / 60 / 47

    change = np.diff(d["arm"], axis=0)
    # BEAT: 10 s to 500 s at 15 fps; audio counted from 10 s
    for name, part in (("forearm", slice(6, 9)), ("shoulder", slice(0, 3)), ("chain", slice(0, 9))):
        speed = np.linalg.norm(change[:, part], axis=1)[150:7500]
        found = argrelextrema(speed, np.less, order=2)[0] / 15
        out[f"bc_beat2022_{name}"] = _gahr(found, [b - 10 for b in d["beats"] if 10 <= b < 500], 0.3)

    upper = [3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]
    for mask in ("published", "aligned"):
        points = d["bodies"][1] - d["bodies"][1][:, :1]
        dt = 1 / 30
        first = (points[1:2] - points[:1]) / dt
        middle = (points[2:] - points[:-2]) / (2 * dt)
        last = (points[-1:] - points[-2:-1]) / dt
        speed = np.linalg.norm(np.concatenate([first, middle, last]), axis=2) / d["usual"]
        n, scores = len(points), []
        audio = [b - 2 for b in d["beats"] if 2 <= b < (n - 60) / 30]
        for j in upper:
            fast = set(np.where(speed[:, j] > 0.3)[0] - (60 if mask == "aligned" else 0))
            beats = [i for i in argrelextrema(speed[60 : n - 60, j], np.less, order=7)[0] if i in fast]
            scores.append(_gahr([i / 30 for i in beats], audio, 0.3) if beats else 0.0)
        out[f"bc_beat2_{mask}"] = float(np.mean(scores))

    pairs, usual = [(3, 4), (4, 5), (6, 7), (7, 8)], [0.0034540758933871984, 0.007043459918349981]
    usual += [0.003493624273687601, 0.007205077446997166]
    total, count = 0.0, 0
    for clip, beats in zip(d["directions"], d["clip_beats"], strict=True):
        unit = clip / np.linalg.norm(clip, axis=2, keepdims=True)
        change = np.zeros(34)
        for (a, b), c in zip(pairs, usual, strict=True):
            angle = [math.acos(max(-1, min(1, float(unit[t, a] @ unit[t, b])))) / math.pi for t in range(34)]
            for t in range(1, 34):
                change[t] += abs(angle[t] - angle[t - 1]) / c / 4
        motion = []
        for t in range(2, 33):
            before, after = change[t - 1] - change[t], change[t + 1] - change[t]
            if before > 0 and after > 0 and (before >= 0.03 or after >= 0.03):
                motion.append(t / 15)
        if motion:
            total += sum(math.exp(-(min(abs(b - m) for m in motion) ** 2) / 0.02) for b in beats)
            count += len(beats)
    out["bc_ted"] = total / count

    step = np.diff(d["dance"], axis=0)
    speed = gaussian_filter(np.mean(np.sqrt(np.sum(step**2, axis=2)), axis=1), 5)
    found = argrelextrema(speed, np.less)[0]
    out["bas_bailando"] = float(
        np.mean([np.exp(-np.min((found - b) ** 2) / 2.0 / 9.0) for b in d["music"] if b < 300])
    )
    speed = np.concatenate([[0], np.linalg.norm(step, axis=2).sum(1)])
    found = argrelextrema(speed, np.less, order=10)[0]
    out["bas_fact"] = float(np.mean([np.exp(-(np.min(np.abs(d["music"] - m)) ** 2) / 18.0) for m in found]))

    signal = noise(60, seed=40)
    out["minima"] = {str(k): argrelextrema(signal, np.less, order=k)[0].tolist() for k in (1, 2, 7)}
    out["smoothed"] = gaussian_filter(signal, 5).tolist()
    return out
