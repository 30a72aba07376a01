"""Train the networks of ExpLLM that ship, on faces of the stage, and export them.

    python scripts/train_expllm.py [--faces 4000] [--work FOLDER]

Every second face does more than it feels. No recording of anybody is looked at. About a quarter of an hour on two cores; a killed run goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinesics import lab
from kinesics.performance import Performance
from kinesics.progress import progress
from kinesics.stage.expressions import expressive
from kinesics.systems import find

SHIPPED = Path(__file__).parents[1] / "src/kinesics/systems/read/expllm/shipped"


def face(seed: int, number: int) -> Performance:
    """A face to learn from: emotions in turn, every second turn busy, and every fifth face neutral, as most faces are."""
    emotion = "neutral" if number % 5 == 4 else None
    return expressive(seed, number, emotion=emotion, busy=number // 8 % 2 == 1)


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--faces", type=int, default=4000, help="how many faces to learn from; a tenth more to check"
    )
    parser.add_argument("--work", type=Path, default=Path("out/expllm"), help="checkpoints and logs")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the exported networks go")
    given = parser.parse_args()
    system = find("expllm")()
    learn, check = (
        lab.Arrays.of_performances(system, (face(seed, i) for i in progress(range(n), what, total=n)), split)
        for seed, n, what, split in (
            (1, given.faces, "faces", "train"),
            (2, given.faces // 10, "to check", "val"),
        )
    )
    start = None
    for stage in system.stages:
        done = lab.fit(system, learn, given.work, stage=stage, start=start, validation=check, every=250)
        print(f"{stage}: {done.losses}")
        start = done.checkpoint
    print(lab.export(start, given.out))


if __name__ == "__main__":
    main()
