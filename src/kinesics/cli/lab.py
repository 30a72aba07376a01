"""Commands that train, judge and export systems, and test their claims (extra ``lab``)."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kinesics.cli._shared import options_of
from kinesics.errors import DataError


def systems(*, records: Path = Path("claims")) -> None:
    """List the published systems: what they make of what, whether trained networks ship, and what came of their claims.

    Args:
        records: Folder of the claims' records.
    """
    from kinesics.lab.claims import verdicts
    from kinesics.systems import available
    from kinesics.systems._loading import ships

    found = verdicts(records)
    for system in available():
        can, parts = system.capability, found.get(system.name)
        way = f"{', '.join(can.needs) or 'anything'} → {', '.join(can.gives)}"
        status = "ships" if ships(system.name) else "to be trained"
        if parts:
            status += f", claim: {sum(parts.values())} of {len(parts)} parts hold"
        print(f"{system.name:14} {can.task:9} {way:30} {can.licence:11} {status}\n{'':14} {system.title}")


def train(
    name: Annotated[str, tyro.conf.Positional],
    /,
    *,
    data: Path,
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    preset: Literal["tiny", "paper"] = "tiny",
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-p"])] = (),
    stage: str = "",
    steps: int | None = None,
    seed: int = 0,
    patience: int = 0,
    device: str = "auto",
    devices: int = 1,
) -> None:
    """Train a system; a killed training goes on to the same result.

    Args:
        name: A system; see `kinesics systems`.
        data: Prepared corpus; see `kinesics prepare`.
        out: Folder for checkpoints and logs.
        preset: Small enough for two cores, or the published sizes.
        option: Setting of the system as name=value; may be given several times. There are at least as many `speakers` as in
            the corpus, unless you say.
        stage: Train this stage alone, from the checkpoint of the one before in --out; by default all, in order.
        steps: Updates of each stage, instead of as many as the system's own training has.
        seed: Of weights, order and noise.
        patience: Validations without a better loss after which a stage stops; 0: never.
        device: auto, cpu, cuda and so on.
        devices: How many; more than one needs the extra scale.
    """
    from kinesics import lab
    from kinesics.corpora import Corpus
    from kinesics.systems import find

    kind, given = find(name), options_of(option)
    corpus = Corpus.open(data)
    config = kind.config_type.preset(preset, **given)
    if "speakers" not in given and len(corpus.speakers) > getattr(config, "speakers", math.inf):
        config = config.changed(speakers=len(corpus.speakers))
    system = kind(config)
    learn, check = (corpus.examples(s, system.examples, key=system.key) for s in ("train", "val"))
    before = None
    for part in system.stages:
        if stage in ("", part):
            own = system.training(part)
            done = lab.fit(
                system, learn, out, stage=part, start=before, validation=check if len(check) else None,
                training=own if steps is None else replace(own, steps=steps), seed=seed, patience=patience,
                device=device, devices=devices,
            )  # fmt: skip
            print(f"{part}: {done.stopped} after {done.step} updates, {done.losses}: {done.checkpoint}")
        before = out / f"{part}.safetensors"


def evaluate(
    checkpoint: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    data: Path,
    measure: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-m"])] = (),
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-p"])] = (),
    seed: int = 0,
) -> None:
    """Judge a checkpoint on the test split of a prepared corpus.

    Args:
        checkpoint: What `kinesics train` wrote.
        data: Prepared corpus.
        measure: Metric over what the system performs anew, for instance FGD; may be given several times.
        option: Knob of the system as name=value.
        seed: Of all noise.
    """
    from kinesics import lab
    from kinesics.corpora import Corpus

    system, _ = lab.restore(checkpoint)
    corpus = Corpus.open(data)
    held_out = corpus.names("test")
    if not held_out:
        raise DataError(f"{data}: the corpus has no test split")
    examples = corpus.examples("test", system.examples, key=system.key)
    found = lab.evaluate(
        checkpoint,
        corpus=examples if len(examples) else None,
        performances=[corpus.clip(n) for n in held_out] if measure else (),
        measures=measure,
        seed=seed,
        **options_of(option),
    )
    for key, value in found.items():
        print(f"{key:24} {value:.6g}")


def export(
    checkpoint: Annotated[Path, tyro.conf.Positional], folder: Annotated[Path, tyro.conf.Positional], /
) -> None:
    """Export a checkpoint's networks to ONNX, checked against torch, so that they run without it.

    Args:
        checkpoint: What `kinesics train` wrote.
        folder: Where to.
    """
    from kinesics import lab

    print(lab.export(checkpoint, folder))


def claim(
    name: Annotated[str, tyro.conf.Positional] = "",
    /,
    *,
    all: bool = False,
    quick: bool = False,
    seeds: int | None = None,
    records: Path = Path("claims"),
) -> None:
    """Test again what made a system worth publishing, and record whether it holds.

    Args:
        name: A claim; all of them are listed where none is named.
        all: Test every claim.
        quick: A small version, under a minute; it proves the way, not the claim.
        seeds: How many; 3, or 1 when quick.
        records: Folder of the records, from which a killed test goes on.
    """
    from kinesics.lab import claims

    if not (name or all):
        print("\n".join(claims.available()))
        return
    for one in claims.available() if all else (name,):
        print(claims.claim(one, quick=quick, seeds=seeds, records=records))
