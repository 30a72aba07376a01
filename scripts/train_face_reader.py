"""Make pictures of people who do not exist, find their landmarks, and train the networks that read faces from landmarks.

    kinesics fetch landmarks
    python scripts/train_face_reader.py --work FOLDER [--people 100] [--pictures 110] [--seed 52] [--jobs 2]

Writes ``src/kinesics/see/data/face_reader.onnx`` and ``.json`` (seed, hash of the pictures' landmarks, code version, errors on people kept out). Needs
the extras ``lab``, ``voice`` and ``video``. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "src" / "kinesics" / "see" / "data"
TAKES = 16
"""Performed takes whose moments everybody's face goes through."""


def takes(folder: Path, seed: int, speakers: range):
    """Performances of some speakers, kept in a folder."""
    from kinesics.formats import kin
    from kinesics.stage.acting import act
    from kinesics.stage.speakers import CONDITIONS, speaker
    from kinesics.stage.speech import script

    out = []
    for n in speakers:
        path = folder / f"take{n:03d}.kin"
        if not path.exists():
            emotion, level = CONDITIONS[(7 * n) % len(CONDITIONS)]
            text = script(seed, "reader", n, emotion=emotion, words=18)
            kin.write(act(speaker(seed, n), text, emotion=emotion, level=level), path)
        out.append(kin.read(path))
    return out


def pictures(job: tuple[Path, int, int, int]) -> None:
    """Landmarks, patches and truth of one person, kept as ``person###.npz``."""
    folder, seed, number, count = job
    path = folder / f"person{number:03d}.npz"
    if path.exists():
        return
    from kinesics.files import replacing
    from kinesics.see.face_shape import patch
    from kinesics.see.landmarks import FaceMesh, _around, _turn
    from kinesics.seeds import rng
    from kinesics.stage.face_pictures import acted_poses, drawn_poses, shoot
    from kinesics.stage.identities import identity

    random = rng(seed, "reader", number)
    half = count // 2
    poses = acted_poses(takes(folder, seed, range(TAKES)), half, seed, number)
    poses += drawn_poses(count - half, seed, number)
    poses = [poses[i] for i in random.permutation(count)]
    mesh, rows = FaceMesh(threads=1), []
    for picture in shoot(identity(seed, number), poses, seed, number):
        # Where the tracker would look: around the points of the picture before, not quite these.
        around = _around(picture.mesh[:468], _turn(picture.mesh[33], picture.mesh[263], 0.0), 1.5)
        region = type(around)(
            around.x + around.size * random.normal(0, 0.02), around.y + around.size * random.normal(0, 0.02),
            around.size * float(np.exp(random.normal(0, 0.04))), around.turn + random.normal(0, 0.04),
        )  # fmt: skip
        found = mesh(picture.rgb, region)
        rows.append(
            (found.points, found.score, patch(picture.rgb, found.points), picture.face, picture.head, picture.gaze,
             picture.acted, picture.mesh)
        )  # fmt: skip
    names = ("points", "score", "patch", "face", "head", "gaze", "acted", "mesh")
    with replacing(path) as file:
        np.savez(file, **{n: np.array(v) for n, v in zip(names, zip(*rows, strict=True), strict=True)})


def main() -> None:
    """Pictures, then training, then the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=110)
    parser.add_argument("--seed", type=int, default=52)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=("pictures", "training"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    takes(given.work, given.seed, range(TAKES))
    jobs = [(given.work, given.seed, n, given.pictures) for n in range(given.people)]
    if given.only != "training":
        with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
            for done, _ in enumerate(pool.imap_unordered(pictures, jobs)):
                print(f"{done + 1} of {len(jobs)} people", flush=True)


if __name__ == "__main__":
    main()
