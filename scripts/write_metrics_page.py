"""Write the table of metrics into docs/metrics.md; run it after changing one.

python scripts/write_metrics_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kinesics import metrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def page(text: str) -> str:
    """The page with its table renewed."""
    head, rest = text.split(BEGIN)
    rows = ["| task | metric | | unit | takes | from |", "|---|---|---|---|---|---|"]
    for m in metrics.available():
        takes = m.needs if m.over else f"arrays: {m.needs}"
        cells = (m.task, f"`{m.name}`", m.arrow, m.unit, takes, m.paper)
        rows.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in sys.argv and new != old:
        sys.exit(f"{PAGE} is out of date; run {Path(__file__).name}")
    PAGE.write_text(new, encoding="utf-8")
