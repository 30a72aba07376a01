"""Tables of numbers as delimited text, that nobody vouches for: header, delimiter, rows, numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError

_DELIMITERS = (",", ";", "\t")
MOST_COLUMNS = 20_000


@dataclass(frozen=True)
class Sheet:
    """A header and the rows below it, still as text.

    Parameters
    ----------
    path
        The file.
    names
        The header's cells, stripped; empty where the file has no header.
    lines
        The rows that are not blank.
    numbers
        The line number of each in the file, from 1.
    delimiter
        What parts the cells.
    """

    path: Path
    names: tuple[str, ...]
    lines: list[str]
    numbers: list[int]
    delimiter: str

    def wrong(self, row: int, what: str, fix: str) -> FormatError:
        """The error for row ``row``."""
        return FormatError(self.path, f"line {self.numbers[row]}", what, fix)


def delimiter_of(line: str) -> str:
    """The delimiter that occurs most in a line; a comma where none does."""
    return max(_DELIMITERS, key=line.count)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line, stripped; quotes are taken off."""
    try:
        return [
            cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        ]
    except csv.Error:
        return []


def sheet_of(path: Path, text: str, *, header: bool = True) -> Sheet:
    """Split text into a header and rows; no cell may hold a line break.

    Raises
    ------
    FormatError
        If there is no header, it is absurdly wide, or a row has more or fewer cells than it.
    """
    rows = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not rows:
        raise FormatError(path, "line 1", "rows of numbers, found an empty file", "export it again")
    delimiter = delimiter_of(rows[0][1])
    first = cells_of(rows[0][1], delimiter)
    if not 0 < len(first) <= MOST_COLUMNS:
        raise FormatError(path, "line 1", f"1 to {MOST_COLUMNS} columns", "check that this is the right file")
    numbers, lines = [i for i, _ in rows], [line for _, line in rows]
    for i, line in rows:
        if line.count(delimiter) + 1 != len(first) and len(cells_of(line, delimiter)) != len(first):
            raise FormatError(
                path,
                f"line {i}",
                f"{len(first)} cells, found {line.count(delimiter) + 1}",
                "the row is cut off or torn; delete it or export the file again",
            )
    if header:
        return Sheet(path, tuple(first), lines[1:], numbers[1:], delimiter)
    return Sheet(path, (), lines, numbers, delimiter)


def column_of(sheet: Sheet, index: int) -> list[str]:
    """One column as text, stripped."""
    if index == 0:
        return [line.split(sheet.delimiter, 1)[0].strip().strip('"') for line in sheet.lines]
    return [cells_of(line, sheet.delimiter)[index] for line in sheet.lines]


def numbers_of(sheet: Sheet, columns: Sequence[int]) -> NDArray[np.float64]:
    """(rows, columns) finite numbers.

    Raises
    ------
    FormatError
        Naming line and column of the first cell that is not a finite number.
    """
    if not sheet.lines or not columns:
        return np.zeros((len(sheet.lines), len(columns)))
    try:
        values = np.loadtxt(
            io.StringIO("\n".join(sheet.lines)),
            delimiter=sheet.delimiter,
            usecols=columns,
            comments=None,
            quotechar='"',
            ndmin=2,
        )
        if values.shape[0] == len(sheet.lines) and (np.abs(values) < 1e30).all():
            return values
    except ValueError:
        pass
    for row, line in enumerate(sheet.lines):
        cells = cells_of(line, sheet.delimiter)
        for index in columns:
            cell = cells[index] if index < len(cells) else ""
            try:
                good = abs(float(cell)) < 1e30 and "_" not in cell
            except ValueError:
                good = False
            if not good:
                name = repr(sheet.names[index]) if sheet.names else str(index + 1)
                raise sheet.wrong(
                    row,
                    f"a finite number in column {name}, found {cell[:40]!r}",
                    "mend the cell or delete the row",
                )
    raise FormatError(sheet.path, "rows", "numbers without odd quotes", "export the file again")
