"""Paint moments of performances into one picture, a row for each file.

python scripts/contact_sheet.py walk.bvh dance.npz hello.laban.json --out sheet.jpg [--moments 6] [--view body] [--turn 20]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from kinesics import formats
from kinesics.bodies.avatar import load_avatar
from kinesics.performance import Performance
from kinesics.render import Film, view_of


def row(path: Path, given: argparse.Namespace) -> np.ndarray:
    """One file's moments, side by side; the person stays in the middle."""
    show = formats.load(path)
    if "body" not in show and "plan" in show:
        from kinesics.behaviour.perform import perform

        show = perform(plan=show.plan)
    width, height = given.size
    avatar = load_avatar(show.meta.get("avatar", "maya"))
    camera = view_of(avatar, given.view, width=width, height=height, turn=given.turn)
    body = show.body
    at = np.linspace(body.start, body.end, given.moments + 2)[1:-1]
    moments = body.at(at)
    middle = moments.root * np.float32([1, 0, 1])
    tracks = {"body": replace(moments, root=moments.root - middle, fps=30, start=0.0)}
    if "face" in show:
        tracks["face"] = replace(show.face.at(at), fps=30, start=0.0)
    return np.concatenate(list(Film(Performance(tracks), avatar, camera, 30).frames()), axis=1)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("sheet.jpg"))
    parser.add_argument("--moments", type=int, default=6)
    parser.add_argument("--view", default="body")
    parser.add_argument("--turn", type=float, default=20.0)
    parser.add_argument("--size", type=int, nargs=2, default=(160, 240))
    given = parser.parse_args()
    sheet = np.concatenate([row(path, given) for path in given.files], axis=0)
    codec = av.CodecContext.create("mjpeg" if given.out.suffix == ".jpg" else "png", "w")
    codec.width, codec.height, codec.time_base = sheet.shape[1], sheet.shape[0], Fraction(1)
    codec.pix_fmt = "yuvj420p" if given.out.suffix == ".jpg" else "rgb24"
    codec.options = {"q": "3"}
    frame = av.VideoFrame.from_ndarray(sheet, format="rgb24").reformat(format=codec.pix_fmt)
    given.out.write_bytes(b"".join(bytes(p) for p in [*codec.encode(frame), *codec.encode(None)]))


if __name__ == "__main__":
    main()
