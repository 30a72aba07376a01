"""Write the tables of docs/claims.md from the records in claims/; ``--check`` only compares.

python scripts/write_claims_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kinesics.lab import claims

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- records: begin -->", "<!-- records: end -->"


def page(text: str) -> str:
    """The page with its tables renewed."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n\n{claims.table(ROOT / 'claims')}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in sys.argv and new != old:
        sys.exit(f"{PAGE} is out of date; run {Path(__file__).name}")
    PAGE.write_text(new, encoding="utf-8")
