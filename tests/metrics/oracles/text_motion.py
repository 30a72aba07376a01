"""Text and motion: plain loops, and ranks by scipy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.metrics.inputs import noise, walk

LIBRARIES = ("scipy",)


def inputs() -> dict[str, Any]:
    """What the text-motion metrics are tried on."""
    text = noise(70, 12, seed=1)
    return {
        "text": text,
        "motion": text + 0.6 * noise(70, 12, seed=2),
        "similarity": np.round(noise(30, 30, seed=3) + 0.8 * np.eye(30), 1),  # rounded: many ties
        "texts_alike": np.clip(noise(30, 30, seed=4) + np.eye(30), -1, 1),
        "true": walk(40, 22, seed=5),
        "guess": walk(40, 22, seed=6),
    }


def values() -> dict[str, Any]:
    from scipy.spatial.distance import cdist
    from scipy.stats import rankdata

    d = inputs()
    hit = np.zeros(3)
    for start in (0, 32):
        table = cdist(d["text"][start : start + 32], d["motion"][start : start + 32])
        for i in range(32):
            place = np.argsort(table[i]).tolist().index(i)
            hit += [place < k for k in (1, 2, 3)]
    out: dict[str, Any] = {"r_precision": (hit / 64).tolist()}
    out["mm_distance"] = float(
        np.mean([np.linalg.norm(a - b) for a, b in zip(d["text"], d["motion"], strict=True)])
    )

    for name, table in (("t2m", d["similarity"]), ("m2t", d["similarity"].T)):
        at = np.array([rankdata(-row, method="average")[i] - 1 for i, row in enumerate(table)])
        out[f"{name}_ranks"] = at.tolist()
        out[f"{name}_medr"] = float(np.median(at) + 1)
    best = []
    for i, row in enumerate(d["similarity"]):
        right = [j for j in range(30) if d["texts_alike"][i, j] > 0.9 or i == j]
        best.append(min(rankdata(-row, method="average")[j] - 1 for j in right))
    out["threshold_ranks"] = best

    out["ape"] = float(
        np.mean([np.linalg.norm(d["true"][t, j] - d["guess"][t, j]) for t in range(40) for j in range(22)])
    )
    spread = []
    for j in range(22):
        variances = []
        for x in (d["true"], d["guess"]):
            mean = sum(x[t, j] for t in range(40)) / 40
            variances.append(sum((x[t, j] - mean) ** 2 for t in range(40)) / 39)
        spread.append(np.linalg.norm(variances[0] - variances[1]))
    out["ave"] = float(np.mean(spread))
    return out
