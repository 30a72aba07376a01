"""Train the networks of SPECTRE that ship with Kinesics, on filmed mouths of people of the stage, and put them in its folder.

    python scripts/train_spectre.py --work build/spectre       # some ten minutes on two cores; a killed run goes on

Nobody's data is needed: people, sentences, films and what a detector makes of them follow from a seed. The extras ``lab``,
``voice`` and ``video`` are needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinesics import lab
from kinesics.lab.claims._mouths import clips, corpus
from kinesics.systems import find
from kinesics.systems._loading import shipped_folder

CLIPS, PEOPLE, FILMED, SEED = 144, 12, 1, 500


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for films and checkpoints")
    work = parser.parse_args().work
    system = find("spectre")()
    learn = corpus(system, clips(CLIPS, work / "mouths", seed=FILMED, people=PEOPLE))
    done = None
    for stage in system.stages:
        start = None if done is None else done.checkpoint
        done = lab.fit(system, learn, work / "run", stage=stage, start=start, seed=SEED)
        print(f"{stage}: {done.losses}", flush=True)
    assert done is not None
    print(lab.export(done.checkpoint, shipped_folder(system.name)))


if __name__ == "__main__":
    main()
