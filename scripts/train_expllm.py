"""Train the networks of ExpLLM that ship, on faces of the stage, and export them.

    kinesics fetch landmarks
    python scripts/train_expllm.py [--faces 4000] [--work FOLDER] [--only calibration]

Every second face does more than it feels. No recording of anybody is looked at. About a quarter of an hour on two cores; a killed run goes on.

First, films of other people of the stage are painted and read as films are (landmark models, the face reader that ships). A third of
these people tell how faces are misread: six of ten faces that are learnt from carry the errors of a second of theirs that is like it. The
second third tells how sure a label may be: the temperature under which what they feel is likeliest. What that does on the last third is printed and
kept in ``system.json``. ``--only calibration`` looks for the temperature alone, in a minute or two once the films are painted.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from kinesics import lab
from kinesics.bodies import action_units as units
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX
from kinesics.files import replacing
from kinesics.geometry import rotations as rot
from kinesics.lab.calibrating import calibration_error, shares_of, temperature_of, unlikeliness
from kinesics.performance import Face, Performance
from kinesics.progress import progress
from kinesics.reading._person import faced, tracks
from kinesics.reading._recording import ROW, row_of
from kinesics.see.face_network import FaceReader
from kinesics.see.tracking import Tracker
from kinesics.seeds import rng
from kinesics.stage.expressions import expressive
from kinesics.stage.face_pictures import Pose, shoot
from kinesics.stage.identities import identity
from kinesics.systems import _face_features as features
from kinesics.systems import find, load_system
from kinesics.systems.read import _expressions as over_time

SHIPPED = Path(__file__).parents[1] / "src/kinesics/systems/read/expllm/shipped"


SEED, PEOPLE, SHOWN = 83, 30, 4
"""Of the people who are kept out; how many; pictures of each second of theirs."""
FELT = (*range(8), 0, 0)
"""What each of them feels, a second each: all emotions, and neutral as often as in what is learnt from."""


MISREAD = 0.6
"""Share of the faces learnt from that are as the face reader has them; the others are as cameras with depth, and people, measure faces."""
LIKE = 8
"""Seconds that are like a face, one of which gives its errors."""


@dataclass(frozen=True)
class Seconds:
    """Seconds of people kept out: (N, 4, 52) ARKit weights as they were and as they were read, (N,) what is felt, and by whom."""

    true: np.ndarray
    read: np.ndarray
    felt: np.ndarray
    who: np.ndarray

    def of(self, third: int) -> Seconds:
        """Those of every third person."""
        some = self.who % 3 == third
        return Seconds(self.true[some], self.read[some], self.felt[some], self.who[some])

    def seen(self) -> np.ndarray:
        """(N, 24, 7) of them as reading sees them."""
        out = []
        for read in self.read:
            measured = units.from_arkit(features.arkit(Face(read, ARKIT, SHOWN), 25))
            out.append(over_time.summary(measured.values[None], measured.known)[0])
        return np.stack(out)


def poses(number: int) -> list[Pose]:
    """What a person kept out does, :data:`SHOWN` moments of each second."""
    out = []
    for k, emotion in enumerate(FELT):
        stream = rng(SEED, "kept out", number, k)
        show = expressive(SEED, 100 * number + k, emotion=features.EMOTIONS[emotion], busy=k % 2 == 1)
        begin, turn = stream.uniform(0.1, 1.2), np.radians(stream.normal(0, [8, 5, 4]))
        face = show.face.at(begin + (np.arange(SHOWN) + 0.5) / SHOWN).values
        rotations = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
        for axis, angle in zip(np.eye(3)[[1, 0, 2]], turn, strict=True):
            more = rot.from_axis_angle(axis, angle)
            rotations[INDEX["head"]] = rot.multiply(rotations[INDEX["head"]], more)
        out += [Pose(rotations, row, True) for row in face]
    return out


def kept_out(folder: Path) -> Seconds:
    """People kept out, filmed (pictures are kept in a folder) and read."""
    folder.mkdir(parents=True, exist_ok=True)
    reader, rows_of = FaceReader(threads=1), []
    for number in progress(range(PEOPLE), "people kept out", total=PEOPLE):
        path, done = folder / f"person{number:03d}.npz", poses(number)
        if not path.exists():
            shown = [p.rgb for p in shoot(identity(SEED, number), done, SEED, number, sets=1)]
            with replacing(path) as file:
                np.savez(file, pictures=np.stack(shown))
        with np.load(path) as stored:
            pictures = stored["pictures"]
        tracker = Tracker(float(SHOWN), people=1, hands=False, body=False, smooth=False, threads=1)
        found = [tracker.push(picture) for picture in pictures]
        rows = np.array([row_of(here[0]) if here else np.zeros((), ROW) for here in found], ROW)
        person = faced(tracks(rows, Fraction(SHOWN), 0.0), rows, reader)
        for k, emotion in enumerate(FELT):
            part = slice(k * SHOWN, (k + 1) * SHOWN)
            if "face" in person and (rows["face_score"][part] > 0).all():
                rows_of.append(
                    (np.stack([p.face for p in done[part]]), person.face.values[part], emotion, number)
                )
    return Seconds(*(np.array(column) for column in zip(*rows_of, strict=True)))


def face(seed: int, number: int, errors: Seconds) -> Performance:
    """A face to learn from: emotions in turn, every second turn busy, every fifth face neutral, as most faces are; most of them misread."""
    emotion = "neutral" if number % 5 == 4 else None
    show = expressive(seed, number, emotion=emotion, busy=number // 8 % 2 == 1)
    stream = rng(seed, "misread", number)
    if stream.random() >= MISREAD:
        return show
    away = np.square(errors.true.mean(axis=1) - show.face.values.mean(axis=0)).sum(axis=1)
    like = int(stream.choice(np.argsort(away)[:LIKE]))
    error = (errors.read[like] - errors.true[like]).mean(axis=0)
    values = np.clip(show.face.values + float(stream.uniform(0.6, 1.2)) * error, 0, 1)
    return show.with_tracks(face=replace(show.face, values=values.astype(np.float32)))


def calibrate(seconds: Seconds, shipped: Path) -> None:
    """Find the temperature of the exported network's labels, and write it into its card."""
    system, networks = load_system(shipped)
    plain = type(system)(system.config.changed(temperature=1.0))
    parts = [seconds.of(third) for third in (1, 2)]
    fit, judge = (np.log(np.maximum(plain.labels(p.seen(), networks)[0], 1e-12)) for p in parts)
    temperature = round(temperature_of(fit, parts[0].felt), 3)
    true = parts[1].felt
    told: dict[str, object] = {"seed": SEED, "people": PEOPLE // 3, "seconds": len(true)}
    for name, t in (("before", 1.0), ("after", temperature)):
        shares = shares_of(judge, t)
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
    seconds = kept_out(given.work / "kept out")
    if given.only is None:
        learn(given, seconds.of(0))
    calibrate(seconds, given.out)


def learn(given: argparse.Namespace, errors: Seconds) -> None:
    """Train both stages and export what came of them."""
    system = find("expllm")()
    faces, check = (
        lab.Arrays.of_performances(
            system, (face(seed, i, errors) for i in progress(range(n), what, total=n)), split
        )
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
