"""Paint the moving pictures of docs/gallery.md: what Kinesics' own systems make of a sentence, small enough for a page.

    python scripts/make_gallery.py [NAME …]

The extras ``voice`` and ``video`` and Pillow (extra ``dev``) are needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from PIL import Image

import kinesics as kn

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


def paint(name: str) -> Path:
    """One moving picture."""
    view, options = SHOWS[name]
    show = kn.perform(TEXT, seed=3, avatar="theo" if "-" in name else "maya", progress=False, **options)
    size = (256, 256) if view == "bust" else (320, 240)
    frames = [
        Image.fromarray(f) for f in kn.film(show, view=view, width=size[0], height=size[1], fps=FPS).frames()
    ]
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
    parser.add_argument("names", nargs="*", default=list(SHOWS), help=", ".join(SHOWS))
    for name in parser.parse_args().names:
        path = paint(name)
        print(f"{path.name}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
