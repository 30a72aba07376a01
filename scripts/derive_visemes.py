"""Solve for the 15 viseme shapes on our own faces and write ``src/kinesics/behaviour/data/visemes.toml``.

Also the table in ``docs/face.md``.

    python scripts/derive_visemes.py

Each viseme states what must be seen, in mm on the avatar's mesh (lip gap, change of mouth width, lip
protrusion, lower lip against the upper teeth, tongue), and the coefficients a face would use for it.
Bounded least squares finds the weights that meet the goals on all shipped avatars with little effort. The
goals are ours; their order is that of phonetics: open vowels widest, then mid, then close; rounded vowels
narrow and protruded; sibilants with the teeth nearly together; bilabials pressed shut.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from kinesics.behaviour.visemes import vector
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import avatars, load_avatar
from kinesics.hear.phones import VISEMES
from kinesics.metrics.mouth import Mouth

OUT = Path(__file__).parents[1] / "src/kinesics/behaviour/data/visemes.toml"
PAGE = Path(__file__).parents[1] / "docs/face.md"

# goal: (mm, tolerance in mm); gap = midline, side = halfway to the corners, all = every column.
# start: weights that the solution stays near; only these coefficients are used.
GOALS: dict[str, tuple[dict[str, tuple[float, float]], dict[str, float]]] = {
    "sil": ({"all": (-0.8, 0.2)}, {"mouthPress": 0.02, "mouthClose": 0.005}),
    "PP": (
        {"all": (-1.9, 0.25), "width": (1.0, 2.0)},
        {"jawOpen": 0.04, "mouthClose": 0.06, "mouthPress": 0.22, "mouthRollLower": 0.2, "mouthRollUpper": 0.14},
    ),
    "FF": (
        {"bite": (1.4, 0.2), "teeth_shown": (1.8, 0.3)},
        {"jawOpen": 0.05, "mouthRollLower": 0.75, "mouthUpperUp": 0.3},
    ),
    "TH": (
        {"gap": (5.5, 0.4), "tongue": (2.0, 0.5)},
        {"jawOpen": 0.13, "mouthLowerDown": 0.1, "mouthUpperUp": 0.12, "tongueOut": 0.3},
    ),
    "DD": ({"gap": (4.2, 0.4)}, {"jawOpen": 0.09, "mouthLowerDown": 0.14, "mouthUpperUp": 0.14}),
    "kk": ({"gap": (4.8, 0.4)}, {"jawOpen": 0.12, "mouthLowerDown": 0.1, "mouthUpperUp": 0.08}),
    "CH": (
        {"gap": (5.0, 0.4), "protrusion": (3.2, 0.5), "width": (-6.0, 1.0)},
        {"jawOpen": 0.03, "mouthFunnel": 0.3, "mouthPucker": 0.2, "mouthUpperUp": 0.1, "mouthLowerDown": 0.1},
    ),
    "SS": (
        {"gap": (3.2, 0.3), "width": (2.0, 0.8)},
        {"jawOpen": 0.035, "mouthStretch": 0.2, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    ),
    "nn": ({"gap": (4.6, 0.4)}, {"jawOpen": 0.11, "mouthLowerDown": 0.12, "mouthUpperUp": 0.12}),
    "RR": (
        {"gap": (4.6, 0.4), "protrusion": (1.8, 0.5), "width": (-4.0, 1.0)},
        {"jawOpen": 0.08, "mouthFunnel": 0.14, "mouthPucker": 0.22, "mouthLowerDown": 0.08},
    ),
    "aa": ({"gap": (13.0, 0.5)}, {"jawOpen": 0.33, "mouthLowerDown": 0.14, "mouthUpperUp": 0.18, "mouthStretch": 0.04}),
    "E": (
        {"gap": (9.0, 0.5), "width": (1.0, 0.8)},
        {"jawOpen": 0.21, "mouthLowerDown": 0.16, "mouthUpperUp": 0.18, "mouthStretch": 0.14},
    ),
    "ih": (
        {"gap": (6.4, 0.5), "width": (2.6, 0.8)},
        {"jawOpen": 0.13, "mouthLowerDown": 0.16, "mouthUpperUp": 0.16, "mouthStretch": 0.25},
    ),
    "oh": (
        {"gap": (9.5, 0.5), "protrusion": (1.5, 0.6), "width": (-6.0, 1.0)},
        {"jawOpen": 0.18, "mouthFunnel": 0.25, "mouthPucker": 0.25},
    ),
    "ou": (
        {"gap": (5.0, 0.4), "protrusion": (4.5, 0.6), "width": (-8.5, 1.0)},
        {"jawOpen": 0.07, "mouthFunnel": 0.2, "mouthPucker": 0.55},
    ),
}  # fmt: skip
EFFORT = 0.06
"""A weight this far from its start costs as much as missing a goal by its tolerance."""


def misses(mouths: list[Mouth], goals: dict[str, tuple[float, float]], weights: np.ndarray) -> np.ndarray:
    """Misses of all goals on all avatars, in tolerances."""
    out = []
    for mouth in mouths:
        rest, now = mouth.measure(np.stack([np.zeros(len(ARKIT)), weights])[:1]), mouth.measure(weights[None])
        seen = {
            "gap": now.gap,
            "all": now.gaps[0],
            "width": now.width - rest.width,
            "protrusion": now.protrusion,
            "bite": now.bite,
            "teeth_shown": now.teeth_shown,
            "tongue": now.tongue,
        }
        out += [np.ravel((seen[k] - goal) / tolerance) for k, (goal, tolerance) in goals.items()]
    return np.concatenate(out)


def solve(mouths: list[Mouth], name: str) -> dict[str, float]:
    """The weights of one viseme."""
    goals, start = GOALS[name]
    names = list(start)
    x0 = np.array(list(start.values()))

    def cost(x: np.ndarray) -> np.ndarray:
        weights = vector(dict(zip(names, x, strict=True))).astype(float)
        return np.concatenate([misses(mouths, goals, weights), (x - x0) / EFFORT])

    found = least_squares(cost, x0, bounds=(0, 1), diff_step=1e-3).x
    return {n: round(float(v), 3) for n, v in zip(names, found, strict=True) if v > 0.002}


def main() -> None:
    """Solve, write the table, print what is seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--avatars", nargs="*", default=avatars(), help="names, or paths of .npz files")
    args = parser.parse_args()
    mouths = [Mouth(load_avatar(name)) for name in args.avatars]
    lines = [
        "# Viseme shapes in ARKit 52, ours: solved on our own faces by scripts/derive_visemes.py.",
        "# A name without its side (mouthSmile) stands for both. Comments: means over the shipped avatars.",
    ]
    rows = ["| viseme | seen | coefficients |", "|---|---|---|"]
    for name in VISEMES:
        shape = solve(mouths, name)
        seen = [m.measure(vector(shape)[None]) for m in mouths]
        rest = [m.measure(np.zeros((1, len(ARKIT)))) for m in mouths]
        gap = np.mean([s.gap[0] for s in seen])
        widest = np.max([s.gaps[0].max() for s in seen])
        width = np.mean([s.width[0] - r.width[0] for s, r in zip(seen, rest, strict=True)])
        out_ = np.mean([s.protrusion[0] for s in seen])
        bite, teeth = np.mean([s.bite[0] for s in seen]), np.mean([s.teeth_shown[0] for s in seen])
        note = f"gap {gap:.1f} mm (widest {widest:.1f}), width {width:+.1f}, protrusion {out_:+.1f}"
        if name == "FF":
            note += f", lip over teeth edge {bite:+.1f}, teeth shown {teeth:.1f}"
        print(f"{name:4} {note}   {shape}")
        lines += ["", f"[{name}]  # {note}", *(f"{k} = {v}" for k, v in shape.items())]
        rows.append(f"| {name} | {note} | {', '.join(f'{k} {v}' for k, v in shape.items()) or 'all 0'} |")
    args.out.write_text("\n".join(lines) + "\n", "utf-8")
    if args.out == OUT:
        before, rest = PAGE.read_text("utf-8").split("<!-- visemes -->")
        after = rest.split("<!-- /visemes -->")[1]
        table = "\n".join(rows)
        PAGE.write_text(f"{before}<!-- visemes -->\n{table}\n<!-- /visemes -->{after}", "utf-8")


if __name__ == "__main__":
    main()
