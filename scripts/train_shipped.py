"""Train the networks that ship with Kinesics, on people of the stage alone, and put them in their systems' folders.

    python scripts/train_shipped.py --work build/shipped               # all, an hour or two on two cores
    python scripts/train_shipped.py emote camn --work build/shipped    # some; a killed run goes on

Nobody's data is needed: the stage makes the speakers from a seed. What they are made of is told in docs/licences.md.
The extra ``lab`` and ``voice`` are needed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from kinesics import corpora, lab, stage
from kinesics.corpora import Corpus
from kinesics.systems import find
from kinesics.systems._loading import shipped_folder

SPEAKERS, TAKES, SECONDS, SEED = 24, 12, 12.0, 7
STAGES: dict[str, dict[str, int | None]] = {
    "gesturelsm": {"tokeniser": 1200, "generator": 1500},  # two steps need no reflow
    "livelyspeaker": {"sag": None, "rag": 12_000},
    "camn": {"gestures": None},
    "emote": dict.fromkeys(("lips", "emotion", "prior", "speech", "exchange")),
}
"""System → its stages and how many updates each has; None: as many as the system's own training."""
CHANGES: dict[str, dict[str, float]] = {"livelyspeaker": {"blocks": 8}, "camn": {"adversarial": 0.1}}
"""What differs from the preset ``tiny``: both values are the published ones, and make both move more."""


def people(work: Path) -> Corpus:
    """The corpus, made once."""
    if not (work / "people" / "manifest.json").is_file():
        stage.make_speakers(work / "people", SPEAKERS, SEED, takes=TAKES, seconds=SECONDS)
    return corpora.get("stage").prepare(work / "people", work / "prepared", jobs=0)


def train(name: str, corpus: Corpus, work: Path) -> Path:
    """Train a system's stages; returns the last one's checkpoint."""
    kind = find(name)
    system = kind(kind.config_type.tiny().changed(speakers=len(corpus.speakers), **CHANGES.get(name, {})))
    learn, check = (corpus.examples(split, system.examples, key=system.key) for split in ("train", "val"))
    done = None
    for part, steps in STAGES[name].items():
        usual = system.training(part)
        done = lab.fit(
            system, learn, work / name, stage=part, start=None if done is None else done.checkpoint,
            validation=check, training=usual if steps is None else replace(usual, steps=steps), seed=SEED,
        )  # fmt: skip
        print(f"{name} {part}: {done.losses}", flush=True)
    assert done is not None
    return done.checkpoint


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", default=list(STAGES), help=f"of {', '.join(STAGES)}; all by default"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for corpus and checkpoints")
    args = parser.parse_args()
    corpus = people(args.work)
    for name in args.names or STAGES:
        print(name, lab.export(train(name, corpus, args.work), shipped_folder(name)), flush=True)


if __name__ == "__main__":
    main()
