"""Train the networks of SPECTRE on talking heads of the stage as they are read, and export them.

    kinesics fetch landmarks
    python scripts/train_spectre.py --work build/spectre       # some ten minutes on one core; a killed run goes on
    kinesics read talk.mp4 --refine build/spectre/net -o talk.eaf

With these sizes it does not improve what reading finds (docs/claims.md): more clips and updates are needed.

Nobody's data is needed: people, sentences and films follow from a seed, and what reading makes of them from its detectors and its
face network. When these change, train again. The extras ``lab``, ``voice`` and ``video`` are needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinesics import lab
from kinesics.lab.claims._mouths import close_ups, corpus, heads
from kinesics.systems import find

CLOSE_UPS, HEADS = (96, 1, 12), (36, 5, 12)
"""Clips, seed and people: what the lip reader learns from, and what the mouth learns from."""
SEED = 500


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for films and checkpoints")
    work = parser.parse_args().work
    system, films = find("spectre")(), work / "mouths"
    count, seed, people = CLOSE_UPS
    near = close_ups(count, films, seed=seed, people=people)
    count, seed, people = HEADS
    far = heads(count, films, seed=seed, people=people)
    lips = corpus(system, [*near, *(clip.true() for clip in far)])
    done = lab.fit(system, lips, work / "run", stage="lips", seed=SEED)
    print(f"lips: {done.losses}", flush=True)
    done = lab.fit(
        system, corpus(system, far), work / "run", stage="refine", start=done.checkpoint, seed=SEED
    )
    print(f"refine: {done.losses}", flush=True)
    print(lab.export(done.checkpoint, work / "net"))


if __name__ == "__main__":
    main()
