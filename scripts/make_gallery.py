"""Paint the moving pictures of docs/gallery.md: what Kinesics' own systems make of a sentence, small enough for a page.

    python scripts/make_gallery.py [NAME …]

The extras ``voice`` and ``video`` and Pillow (extra ``dev``) are needed; ``read`` also needs ``kinesics fetch landmarks``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import kinesics as kn
from kinesics.reading.overlay import overlay

OUT = Path(__file__).parents[1] / "docs/images/gallery"
TEXT = "We caught a fish this big, honestly! Would you believe it?"
SHOWS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules": ("half", {"emotion": "happy"}),
    "gesturelsm": ("half", {"emotion": "happy", "system": "gesturelsm"}),
    "livelyspeaker": ("half", {"emotion": "happy", "system": "livelyspeaker"}),
    "camn": ("half", {"emotion": "happy", "system": "camn"}),
    "emote-happy": ("bust", {"emotion": "happy", "intensity": 0.9, "face": "emote"}),
    "emote-anger": ("bust", {"emotion": "anger", "intensity": 0.9, "face": "emote"}),
    "emote-sad": ("bust", {"emotion": "sad", "intensity": 0.9, "face": "emote"}),
}
"""Name → view and how it is performed."""
FPS = 15


def paint(name: str) -> Iterable[NDArray[np.uint8]]:
    """Pictures of a performance."""
    view, options = SHOWS[name]
    show = kn.perform(TEXT, seed=3, avatar="theo" if "-" in name else "maya", progress=False, **options)
    size = (256, 256) if view == "bust" else (320, 240)
    return kn.film(show, view=view, width=size[0], height=size[1], fps=FPS).frames()


def read_back() -> Iterable[NDArray[np.uint8]]:
    """A film of somebody who does not exist, what is read in it, and another avatar that does what was read."""
    show = kn.perform(TEXT, seed=3, emotion="happy", progress=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.mp4"
        show.save(path, width=640, height=480, fps=2 * FPS)
        scene = kn.read(path)
        seen = overlay(scene).frames()
        mirrored = kn.film(scene.people[0], avatar="theo", view="half", width=320, height=240, fps=2 * FPS)
        for n, (one, other) in enumerate(zip(seen, mirrored.frames(), strict=False)):
            if n % 2 == 0:
                left = Image.fromarray(one)
                yield np.hstack([np.asarray(left.resize((240 * left.width // left.height, 240))), other])


def save(name: str, pictures: Iterable[NDArray[np.uint8]]) -> Path:
    """One moving picture."""
    frames = [Image.fromarray(f) for f in pictures]
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.webp"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / FPS),
        loop=0,
        quality=55,
        method=4,
    )
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*SHOWS, "read"]
    parser.add_argument("names", nargs="*", default=names, help=", ".join(names))
    for name in parser.parse_args().names:
        path = save(name, read_back() if name == "read" else paint(name))
        print(f"{path.name}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
