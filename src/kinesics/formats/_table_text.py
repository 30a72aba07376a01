"""Both layouts as CSV."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.files import replacing
from kinesics.formats._delimited import cells_of, delimiter_of, numbers_of, sheet_of
from kinesics.formats._encode import from_json, to_json
from kinesics.formats._table_long import (
    ABOUT,
    PERSON,
    PIECE,
    Long,
    blocks,
    columns_of,
    joined,
    who_and_what,
)
from kinesics.formats._table_wide import Wide
from kinesics.performance import Performance

log = logging.getLogger(__name__)

MARK = "# kinesics: "
_ROWS = 512
_MISSING = {"", "na", "n/a", "nan", "-nan", "nan(ind)", "-nan(ind)", "null", "none", "#n/a", "-", "."}
_TRUE = {"true": 1.0, "false": 0.0}
_COMMA = re.compile(r"-?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_LONGEST = 100_000


def _quoted(text: str) -> str:
    if text and (text != text.strip() or any(c in text for c in ',"\n\r')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _numbers(values: NDArray[np.floating]) -> NDArray[np.str_]:
    """The shortest decimals that give back the same numbers of that size; empty where NaN."""
    out = values.astype(np.str_)
    out[np.isnan(values)] = ""
    return out


def write_wide(path: Path, wide: Wide, about: dict[str, Any] | None) -> None:
    """A line per moment; with ``about``, a first line ``# kinesics: {…}``."""
    names = list(wide.columns)
    with replacing(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        if about is not None:
            text.write(MARK + to_json(about, "this performance's meta").decode("utf-8") + "\n")
        text.write(",".join(["time", *map(_quoted, names)]) + "\n")
        for i in range(0, len(wide.times), _ROWS):
            part = slice(i, i + _ROWS)
            cells = _numbers(np.stack([wide.columns[n][part] for n in names], axis=1)).tolist()
            times = _numbers(wide.times[part]).tolist()
            text.write("".join(f"{t},{','.join(row)}\n" for t, row in zip(times, cells, strict=True)))
        text.flush()
        text.detach()


def write_long(path: Path, performance: Performance, about: dict[str, Any] | None) -> None:
    """A line per number or interval; the description comes last, in rows of type ``about``."""
    people = "scene" in performance.meta
    with replacing(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        text.write(",".join(columns_of(people)) + "\n")
        for lines in _long_lines(performance, people):
            text.write(lines)
        if about is not None:
            whole = to_json(about, "this performance's meta").decode("utf-8")
            for i in range(0, len(whole), PIECE):
                text.write(f"{',' * people},{ABOUT},,,,{i // PIECE},,{_quoted(whole[i : i + PIECE])}\n")
        text.flush()
        text.detach()


def _long_lines(performance: Performance, people: bool) -> Iterator[str]:
    for block in blocks(performance.tracks):
        who, what = who_and_what(block.track, people)
        head = f"{_quoted(who)},{_quoted(what)}" if people else _quoted(what)
        head = f"{head},{block.kind}"
        times = _numbers(block.time).tolist()
        values, sure = _numbers(block.values).tolist(), _numbers(block.confidence).tolist()
        if block.names:
            names = [_quoted(n) for n in block.names]
            for t, row, certain in zip(times, values, sure, strict=True):
                before = f"{head},{t},,"
                yield "".join(f"{before}{n},{v},{c},\n" for n, v, c in zip(names, row, certain, strict=True))
        else:
            ends = _numbers(block.end).tolist()
            for t, end, value, certain, label in zip(times, ends, values, sure, block.labels, strict=True):
                if len(label) > _LONGEST:
                    raise DataError(
                        f"a label of {len(label)} characters in {block.track!r}; a table takes {_LONGEST}"
                    )
                yield f"{head},{t},{end},,{value[0]},{certain[0]},{_quoted(label)}\n"


class _Codes(dict[str, int]):
    """Numbers words in the order in which they first come."""

    def __missing__(self, word: str) -> int:
        self[word] = code = len(self)
        return code


def read_long(path: Path, text: str) -> Long:
    """The rows of a long table; a FormatError names the line of what is wrong."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.split("\n", 1)[0]))
    words = {c: _Codes() for c in ("track", "type", "name")}
    codes: dict[str, list[NDArray[np.intp]]] = {c: [] for c in words}
    numbers: dict[str, list[NDArray[np.float64]]] = {c: [] for c in ("time", "end", "value", "confidence")}
    labels: list[str] = []
    try:
        header = [c.strip().lower() for c in next(reader)]
        for rows in _chunks(path, reader, len(header)):
            columns = dict(zip(header, zip(*rows, strict=True), strict=False))
            empty = ("",) * len(rows)
            if PERSON in columns:
                pairs = zip(columns[PERSON], columns.get("track", empty), strict=True)
                columns["track"] = tuple(joined(who, what) for who, what in pairs)
            for name, known in words.items():
                codes[name].append(np.array([known[c] for c in columns.get(name, empty)], dtype=np.intp))
            for name, parts in numbers.items():
                parts.append(_column(path, columns.get(name, empty), name, len(labels)))
            labels.extend(columns.get("label", empty))
    except csv.Error as error:
        raise FormatError(
            path, f"line {reader.line_num}", f"CSV ({error})", "mend the quotes there"
        ) from error
    none = np.zeros(0)
    coded = [(list(w), np.concatenate([none.astype(np.intp), *codes[c]])) for c, w in words.items()]
    return Long(*coded, *(np.concatenate([none, *parts]) for parts in numbers.values()), labels)


def _chunks(path: Path, reader: Any, width: int) -> Iterator[list[list[str]]]:
    """Rows in thousands, without blank ones."""
    rows: list[list[str]] = []
    for row in reader:
        if len(row) != width:
            if not any(row):
                continue
            raise FormatError(
                path, f"line {reader.line_num}", f"{width} cells, found {len(row)}", "mend or delete the row"
            )
        rows.append(row)
        if len(rows) == 8192:
            yield rows
            rows = []
    if rows:
        yield rows


def _column(path: Path, cells: Sequence[str], name: str, before: int) -> NDArray[np.float64]:
    numbers, bad = _parsed(cells)
    if bad is not None:
        raise FormatError(
            path,
            f"row {before + bad + 1}, column {name!r}",
            f"a number, found {cells[bad][:40]!r}",
            "mend the cell",
        )
    return numbers


def _parsed(cells: Sequence[str]) -> tuple[NDArray[np.float64], int | None]:
    """Numbers, NaN where a cell is missing, and the first cell that is neither."""
    try:
        if not any("_" in c for c in cells):
            quick = np.array([c or "nan" for c in cells], dtype=np.float64)
            return np.where(np.isfinite(quick), quick, np.nan), None
    except ValueError:
        pass  # words, or other ways to say that nothing is there
    out = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if not cell:
            continue
        try:
            out[i] = float(cell) if "_" not in cell else np.nan
            if "_" in cell:
                return out, i
        except ValueError:
            low = cell.strip().lower()
            if low in _TRUE:
                out[i] = _TRUE[low]
            elif low not in _MISSING:
                return out, i
    out[np.isinf(out)] = np.nan
    return out, None


def about_line(text: str) -> tuple[Any, str]:
    """The description in a first line ``# kinesics: {…}`` (None without one), and the table below all comments."""
    about, at = None, 0
    while text.startswith(("#", "%", "//"), at):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text.startswith(MARK, at):
            about = from_json(text[at + len(MARK) : end].encode("utf-8", "surrogatepass"))
        at = min(end + 1, len(text))
    return about, text[at:]


def read_wide(path: Path, text: str, first: int) -> tuple[dict[str, NDArray[np.float64]], list[str]]:
    """The columns of numbers of a wide table, and the names of those that are not numbers.

    ``first`` is the number of lines before the header.
    """
    sheet = sheet_of(path, "\n" * first + text)
    if not sheet.lines:
        raise FormatError(path, "line 2", "rows below the header", "the table is empty or cut off")
    names = _unique(path, sheet.names)
    if sheet.delimiter == ";" and any(_COMMA.fullmatch(c) for c in cells_of(sheet.lines[0], ";")):
        log.info("%s: decimal commas", path)
        sheet.lines[:] = [line.replace(",", ".") for line in sheet.lines]
    words = _words([cells_of(line, sheet.delimiter) for line in sheet.lines[:200]], len(names))
    plain = [i for i in range(len(names)) if i not in words]
    try:
        values = numbers_of(sheet, plain)
        return {names[i]: values[:, k] for k, i in enumerate(plain)}, [names[i] for i in sorted(words)]
    except FormatError:
        pass  # cells are empty, or words turn up further down: column by column then
    columns: dict[str, NDArray[np.float64]] = {}
    words = set()
    rows = [cells_of(line, sheet.delimiter) for line in sheet.lines]
    for i, name in enumerate(names):
        column, bad = _parsed([row[i] if i < len(row) else "" for row in rows])
        if bad is None:
            columns[name] = column
        else:
            words.add(i)
    return columns, [names[i] for i in sorted(words)]


def _words(rows: list[list[str]], count: int) -> set[int]:
    return {
        i for i in range(count) if _parsed([row[i] if i < len(row) else "" for row in rows])[1] is not None
    }


def _unique(path: Path, names: tuple[str, ...]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for i, name in enumerate(names):
        name = name or f"column {i + 1}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            log.warning("%s: the column %r repeats and is numbered", path, name)
            name = f"{name} ({seen[name]})"
            while name in seen:
                name += "'"
            seen[name] = 1
        out.append(name)
    return out
