"""Write docs/formats/ from the format modules' docstrings, and their table into docs/formats.md.

python scripts/write_formats_pages.py [--check]
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from kinesics import formats

DOCS = Path(__file__).parents[1] / "docs"
PAGE, FOLDER = DOCS / "formats.md", DOCS / "formats"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def pages() -> dict[Path, str]:
    """Every page that follows from the modules, by its path."""
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    rows = ["| file | format | holds | read | written |", "|---|---|---|---|---|"]
    out = {}
    for name, endings in formats._MODULES.items():
        module = import_module(f"kinesics.formats.{name}")
        form = module.FORMAT
        files = " ".join(f"`{e}`" for e in endings)
        if form.also_reads:
            files += f" ({' '.join(f'`{e}`' for e in form.also_reads)})"
        yes = ["✔" if verb else "" for verb in (form.read, form.write)]
        rows.append(
            f"| {files} | [{form.name}](formats/{name}.md) | {', '.join(form.carries)} | {yes[0]} | {yes[1]} |"
        )
        out[FOLDER / f"{name}.md"] = _page(module.__doc__ or "", form, endings)
    out[PAGE] = f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{rest.split(END)[1]}"
    return out


def _page(doc: str, form: Any, endings: tuple[str, ...]) -> str:
    first, _, rest = inspect.cleandoc(doc).partition("\n\n")
    lines = [f"# {first.replace(chr(10), ' ').rstrip('.')}", ""]
    verbs = [verb for verb, call in (("read", form.read), ("written", form.write)) if call]
    lines += [f"Files: {', '.join(f'`{e}`' for e in endings)}, {' and '.join(verbs)}.", ""]
    if form.also_reads:
        lines[-2] += f" Read as well: {', '.join(f'`{e}`' for e in form.also_reads)}."
    lines += [_markdown(rest), ""]
    for title, call in (("Options of `load`", form.read), ("Options of `save`", form.write)):
        told = _options(call) if call else []
        if told:
            lines += [f"## {title}", "", "| option | default | meaning |", "|---|---|---|", *told, ""]
    lines.append(
        f"_Written from the docstring of `{_module_of(form)}` by `scripts/write_formats_pages.py`._\n"
    )
    return "\n".join(lines)


def _module_of(form: Any) -> str:
    return (form.read or form.write).__module__


def _markdown(text: str) -> str:
    text = text.replace("``", "`")
    # A bare URL is made a link; Sphinx roles are names.
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)


def _options(call: Any) -> list[str]:
    """Rows for the keyword-only parameters, as their numpydoc section explains them."""
    doc = inspect.cleandoc(call.__doc__ or "")
    section = doc.partition("Parameters\n----------\n")[2]
    section = re.split(r"\n\n\w+\n-+\n", section)[0]
    told: dict[str, str] = {}
    for names, body in re.findall(r"^(\w[\w, ]*)(?: *:.*)?\n((?:[ ]+.*\n?|\n(?=[ ]))+)", section, re.M):
        for name in names.split(","):
            told[name.strip()] = " ".join(body.split())
    rows = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            meaning = _markdown(told.get(parameter.name, "")).replace("|", "\\|")
            rows.append(f"| `{parameter.name}` | `{parameter.default!r}` | {meaning} |")
    return rows


def main() -> None:
    """Write the pages, or with --check only say which are out of date."""
    new = pages()
    stale = sorted({*FOLDER.glob("*.md")} - {*new})
    changed = [p for p, text in new.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv and (changed or stale):
        sys.exit(f"out of date: {', '.join(p.name for p in changed + stale)}; run {Path(__file__).name}")
    FOLDER.mkdir(exist_ok=True)
    for path in changed:
        path.write_text(new[path], encoding="utf-8")
    for path in stale:
        path.unlink()


if __name__ == "__main__":
    main()
