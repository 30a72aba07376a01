"""Write the table of gestures into docs/gestures.md; run it after changing the lexicon.

python scripts/write_gestures_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kinesics.behaviour.lexicon import gesture_table, lexicon

PAGE = Path(__file__).parents[1] / "docs" / "gestures.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def page(text: str) -> str:
    """The page with its table renewed."""
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n{len(lexicon())} gestures.\n\n{gesture_table()}\n{END}{tail}"


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in sys.argv and new != old:
        sys.exit(f"{PAGE} is out of date; run {Path(__file__).name}")
    PAGE.write_text(new, encoding="utf-8")
