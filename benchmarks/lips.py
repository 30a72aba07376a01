"""Measure lips on the avatars' meshes: closures, lip on teeth, open vowels, under every emotion and at double speed.

    python -m benchmarks.lips ALIGNMENT.TextGrid ... [--phones TIER]

Without files: a fixed random sequence of English phones.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks._references import read_textgrid
from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.bodies.avatar import avatars, load_avatar
from kinesics.metrics.lips import lip_score
from kinesics.metrics.mouth import Mouth
from kinesics.performance import Interval
from kinesics.seeds import rng


def textgrid_phones(path: Path, tier: str | None) -> list[Interval]:
    """Intervals of the first tier whose name holds ``phone`` (or ``tier``)."""
    tiers = read_textgrid(path)
    name = next((n for n in tiers if (tier or "phone") in n.lower()), None)
    return [p for p in tiers.get(name, []) if p.label] if name else []


def random_phones(count: int = 400) -> list[Interval]:
    """English phones in any order, 25 to 140 ms each, a pause now and then."""
    draw = rng(0, "benchmarks", "lips")
    labels = (
        "P B M F V TH DH T D K G S Z SH CH N L R HH W Y AA AE AH AO AY AW EH ER EY IH IY OW OY UH UW".split()
    )
    t, out = 0.3, []
    for i in range(count):
        length = float(draw.uniform(0.025, 0.14))
        out.append(Interval(t, t + length, str(draw.choice(labels))))
        t += length + (0.4 if i % 20 == 19 else 0.0)
    return out


def perform(phones: list[Interval], controls: Controls) -> np.ndarray:
    """(T, 52) faces for a whole clip."""
    face = FaceRealiser(controls)
    face.hear(phones)
    return face.frames(0, int(60 * (phones[-1].end + 0.5)))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--phones", default=None, help="name of the tier")
    args = parser.parse_args()
    clips = {p.stem: textgrid_phones(p, args.phones) for p in args.files} or {"random": random_phones()}
    mouths = {name: Mouth(load_avatar(name)) for name in avatars()}
    print(
        f"{'clip':28}{'emotion':10}{'speed':6}{'avatar':8}{'p b m':>14}{'frames':>7}{'f v':>12}{'vowels':>14}{'gap mm':>8}"
    )
    for clip, phones in clips.items():
        if not phones:
            print(f"{clip:28}no phones tier")
            continue
        for emotion in EMOTIONS:
            for speed in (1.0, 2.0):
                fast = [Interval(p.start / speed, p.end / speed, p.label) for p in phones]
                weights = perform(fast, Controls(emotion=emotion, intensity=1.0))
                for name, mouth in mouths.items():
                    s = lip_score(fast, weights, mouth)
                    print(
                        f"{clip[:27]:28}{emotion:10}{speed:<6g}{name:8}{f'{s.closed}/{s.closures}':>14}{s.frames_closed:7.1f}"
                        f"{f'{s.touched}/{s.contacts}':>12}{f'{s.opened}/{s.vowels}':>14}{s.vowel_gap:8.1f}"
                    )
    phones = random_phones()
    face = FaceRealiser(Controls(emotion="happy"))
    face.hear(phones)
    frames, begun = int(60 * phones[-1].end) // 120 * 120, time.perf_counter()
    for i in range(0, frames, 120):
        face.frames(i, i + 120)
    print(
        f"{(time.perf_counter() - begun) / frames * 1e6:.0f} µs a frame in batches of 120, with {len(phones)} phones held"
    )


if __name__ == "__main__":
    main()
