"""Make the letters that pictures are labelled with: coverage of each, from DejaVu Sans (needs Pillow and that font).

    python scripts/make_font.py /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf

Writes ``src/kinesics/reading/data/letters.npz``: Latin, Greek and Cyrillic letters, numbers and signs, 40 pixels to the
em, in 16 levels, two to a byte. DejaVu's licence allows it (docs/licences.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

EM = 40
TARGET = Path(__file__).parents[1] / "src/kinesics/reading/data/letters.npz"
RANGES = ((0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x2010, 0x2027), (0x2190, 0x2193))
MORE = "‰′″€−×≤≥≈●○■□▲▼▶◀★☆✓"


def main(font: str) -> None:
    face = ImageFont.truetype(font, EM)
    ascent, descent = face.getmetrics()
    missing = face.getmask("\uffff").getbbox()
    codes, places, widths, pixels = [], [], [], []
    at = 0
    for code in [c for a, b in RANGES for c in range(a, b + 1)] + [ord(c) for c in MORE]:
        letter = chr(code)
        mask = face.getmask(letter)
        if (not letter.isprintable() and letter != "\xa0") or (
            mask.getbbox() == missing and not letter.isspace()
        ):
            continue
        advance = face.getlength(letter)
        picture = Image.new("L", (int(advance) + 12, ascent + descent), 0)
        ImageDraw.Draw(picture).text((6, 0), letter, fill=255, font=face)
        ink = np.asarray(picture)
        columns = np.flatnonzero(ink.any(0))
        a, b = (columns[0], columns[-1] + 1) if len(columns) else (6, 6)
        codes.append(code)
        # width of the ink, its left edge from the pen, and how far the pen moves, in sixteenths
        places.append((at, b - a, a - 6))
        widths.append(round(advance * 16))
        pixels.append(ink[:, a:b].ravel())
        at += (b - a) * (ascent + descent)
    levels = (np.concatenate(pixels).astype(np.uint16) + 8) // 17
    levels = np.pad(levels, (0, len(levels) % 2))
    np.savez_compressed(
        TARGET,
        codes=np.array(codes, np.int32),
        places=np.array(places, np.int32),
        advances=np.array(widths, np.int32),
        metrics=np.array([EM, ascent, descent], np.int32),
        pixels=(levels[::2] << 4 | levels[1::2]).astype(np.uint8),
    )
    print(f"{TARGET}: {len(codes)} letters, {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1])
