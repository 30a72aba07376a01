"""Faces: torchmetrics, torch, and the published rules as plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.metrics.inputs import noise, walk

LIBRARIES = ("torch", "torchmetrics")


def inputs() -> dict[str, Any]:
    """What the face metrics are tried on."""
    rest = noise(40, 3, seed=1)
    true = [rest + walk(n, 40, seed=n) for n in (25, 31)]
    return {
        "template": rest,
        "true": true,
        "guess": [v + 0.05 * noise(*v.shape, seed=2 + len(v)) for v in true],
        "lips": [3, 4, 5, 9, 20],
        "upper": [0, 1, 30, 31, 32, 39],
        "samples": noise(4, 6, 7, 3, seed=5),
        "codes": noise(10, 128, seed=6),
        "weights": np.abs(noise(50, 52, seed=7)),
        "guessed": np.abs(noise(50, 52, seed=8)),
        "video": noise(60, 32, seed=9),
        # the sound is three windows late and noisy
        "sound": np.concatenate([noise(3, 32, seed=10), noise(60, 32, seed=9)[:-3]])
        + 0.5 * noise(60, 32, seed=11),
    }


def values() -> dict[str, Any]:
    import torch
    from torchmetrics.multimodal import LipVertexError

    d = inputs()
    lve = LipVertexError(mouth_map=d["lips"], validate_args=False)
    frames = [
        float(lve(torch.tensor(g[None, k]), torch.tensor(v[None, k])))
        for v, g in zip(d["true"], d["guess"], strict=True)
        for k in range(len(v))
    ]
    out: dict[str, Any] = {"lve": float(np.mean(frames))}
    distances, signed = [], []
    for v, g in zip(d["true"], d["guess"], strict=True):
        distances += [
            float(torch.dist(torch.tensor(a), torch.tensor(b)))
            for a, b in zip(v.reshape(-1, 3), g.reshape(-1, 3), strict=True)
        ]
        lively = []
        for x in (v, g):
            spread = []
            for i in d["upper"]:
                squares = [
                    float(np.dot(x[t, i] - d["template"][i], x[t, i] - d["template"][i]))
                    for t in range(len(x))
                ]
                spread.append(float(torch.tensor(squares, dtype=torch.float64).std(correction=0)))
            lively.append(sum(spread) / len(spread))
        signed.append(lively[0] - lively[1])
    out["mve"] = float(np.mean(distances))
    out["fdd"], out["fdd_absolute"] = float(np.mean(signed)), float(np.mean(np.abs(signed)))

    s = torch.tensor(d["samples"])
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    out["diversity"] = float(np.mean([float((s[a] - s[b]).norm(dim=-1).mean()) for a, b in pairs]))
    out["style"] = float(torch.pdist(torch.tensor(d["codes"])).mean())

    # SyncNet's script: the sound padded with zeros, 31 shifts, mean over time, least and median
    v, a = torch.tensor(d["video"]), torch.tensor(d["sound"])
    padded = torch.nn.functional.pad(a, (0, 0, 15, 15))
    rows = [
        torch.nn.functional.pairwise_distance(v[[i]].repeat(31, 1), padded[i : i + 31], eps=0.0)
        for i in range(60)
    ]
    mean = torch.stack(rows, 1).mean(1)
    least, where = torch.min(mean, 0)
    out["lse_d"], out["lse_c"] = float(least), float(torch.median(mean) - least)
    out["offset"] = 15 - int(where)
    return out
