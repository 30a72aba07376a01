"""Train the networks of ExpLLM that ship, on faces of the stage, and export them.

    python scripts/train_expllm.py [--faces 4000] [--work FOLDER] [--only calibration]

Every second face does more than it feels. No recording of anybody is looked at. About a quarter of an hour on two cores; a killed run goes on.

How sure it may be is found last: films of other people of the stage are painted and read as films are (landmark models, the face reader that
ships), and the temperature of its labels is the one under which what half of these people feel is likeliest; what that does on the
other half is printed and kept in ``system.json``. ``--only calibration`` does this alone, in two minutes once the films are painted: whenever the face reader changes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from kinesics import lab
from kinesics.bodies import action_units as units
from kinesics.bodies.humanoid import INDEX
from kinesics.files import replacing
from kinesics.lab.calibrating import calibration_error, shares_of, temperature_of, unlikeliness
from kinesics.performance import Face, Performance
from kinesics.progress import progress
from kinesics.seeds import rng
from kinesics.stage.expressions import expressive
from kinesics.systems import _face_features as features
from kinesics.systems import find, load_system
from kinesics.systems.read import _expressions as over_time

SHIPPED = Path(__file__).parents[1] / "src/kinesics/systems/read/expllm/shipped"


def face(seed: int, number: int) -> Performance:
    """A face to learn from: emotions in turn, every second turn busy, and every fifth face neutral, as most faces are."""
    emotion = "neutral" if number % 5 == 4 else None
    return expressive(seed, number, emotion=emotion, busy=number // 8 % 2 == 1)


SEED, PEOPLE, SHOWN = 83, 30, 4
"""Of the people who are kept out; how many; pictures of each second of theirs."""
FELT = (*range(8), 0, 0)
"""What each of them feels, a second each: all emotions, and neutral as often as in what is learnt from."""


def film(folder: Path, number: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures of a person kept out, :data:`SHOWN` a second, and (T,) numbers of what they feel; kept in a folder."""
    from kinesics.geometry import rotations as rot
    from kinesics.stage.face_pictures import Pose, shoot
    from kinesics.stage.identities import identity

    path = folder / f"person{number:03d}.npz"
    felt = np.repeat(FELT, SHOWN)
    if not path.exists():
        poses = []
        for k, emotion in enumerate(FELT):
            stream = rng(SEED, "kept out", number, k)
            show = expressive(SEED, 100 * number + k, emotion=features.EMOTIONS[emotion], busy=k % 2 == 1)
            begin, turn = stream.uniform(0.1, 1.2), np.radians(stream.normal(0, [8, 5, 4]))
            face = show.face.at(begin + (np.arange(SHOWN) + 0.5) / SHOWN).values
            rotations = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
            for axis, angle in zip(np.eye(3)[[1, 0, 2]], turn, strict=True):
                more = rot.from_axis_angle(axis, angle)
                rotations[INDEX["head"]] = rot.multiply(rotations[INDEX["head"]], more)
            poses += [Pose(rotations, row, True) for row in face]
        shown = [p.rgb for p in shoot(identity(SEED, number), poses, SEED, number, sets=1)]
        with replacing(path) as file:
            np.savez(file, pictures=np.stack(shown))
    with np.load(path) as stored:
        return list(stored["pictures"]), felt


def kept_out(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 24, 7) seconds of people kept out, as reading sees them, (N,) what they feel, and (N,) who they are."""
    from kinesics.reading._person import faced, tracks
    from kinesics.reading._recording import ROW, row_of
    from kinesics.see.face_network import FaceReader
    from kinesics.see.tracking import Tracker

    folder.mkdir(parents=True, exist_ok=True)
    reader, seen, labels, who = FaceReader(threads=1), [], [], []
    for number in progress(range(PEOPLE), "people kept out", total=PEOPLE):
        pictures, felt = film(folder, number)
        tracker = Tracker(float(SHOWN), people=1, hands=False, body=False, smooth=False, threads=1)
        found = [tracker.push(picture) for picture in pictures]
        rows = np.array([row_of(here[0]) if here else np.zeros((), ROW) for here in found], ROW)
        person = faced(tracks(rows, SHOWN, 0.0), rows, reader)
        for k in range(len(FELT)):
            part = slice(k * SHOWN, (k + 1) * SHOWN)
            if "face" not in person or not (rows["face_score"][part] > 0).all():
                continue
            second = Face(person.face.values[part], person.face.names, SHOWN)
            measured = units.from_arkit(features.arkit(second, 25))
            seen.append(over_time.summary(measured.values[None], measured.known)[0])
            labels.append(felt[k * SHOWN])
            who.append(number)
    return np.stack(seen), np.array(labels), np.array(who)


def calibrate(folder: Path, shipped: Path) -> None:
    """Find the temperature of the exported network's labels, and write it into its card."""
    system, networks = load_system(shipped)
    plain = type(system)(system.config.changed(temperature=1.0))
    seen, labels, who = kept_out(folder)
    scores = np.log(np.maximum(plain.labels(seen, networks)[0], 1e-12))
    fit = who % 2 == 0
    temperature = round(temperature_of(scores[fit], labels[fit]), 3)
    told: dict[str, object] = {"seed": SEED, "people": PEOPLE, "seconds": int((~fit).sum())}
    for name, t in (("before", 1.0), ("after", temperature)):
        shares, true = shares_of(scores[~fit], t), labels[~fit]
        told[name] = {
            "right": round(float((shares.argmax(1) == true).mean()), 3), "sure": round(float(shares.max(1).mean()), 3),
            "calibration error": round(calibration_error(shares, true), 3), "unlikeliness": round(unlikeliness(shares, true), 3),
        }  # fmt: skip
    path = shipped / "system.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["config"]["temperature"], card["calibration"] = temperature, told
    with replacing(path) as file:
        file.write(json.dumps(card, indent=1, sort_keys=True).encode())
    print(f"temperature {temperature}: {json.dumps(told)}")


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
    parser.add_argument("--only", choices=("calibration",), help="what is done of all this")
    given = parser.parse_args()
    if given.only is None:
        learn(given)
    calibrate(given.work / "kept out", given.out)


def learn(given: argparse.Namespace) -> None:
    """Train both stages and export what came of them."""
    system = find("expllm")()
    faces, check = (
        lab.Arrays.of_performances(system, (face(seed, i) for i in progress(range(n), what, total=n)), split)
        for seed, n, what, split in (
            (1, given.faces, "faces", "train"),
            (2, given.faces // 10, "to check", "val"),
        )
    )
    start = None
    for stage in system.stages:
        done = lab.fit(system, faces, given.work, stage=stage, start=start, validation=check, every=250)
        print(f"{stage}: {done.losses}")
        start = done.checkpoint
    print(lab.export(start, given.out))


if __name__ == "__main__":
    main()
