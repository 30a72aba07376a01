"""Every error Kinesics raises on purpose: one class per kind, one line per message.

A message says what is wrong, where, what was expected and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable


class KinesicsError(Exception):
    """Base of all errors that a user of Kinesics can cause or mend."""


class DataError(KinesicsError, ValueError):
    """A value handed to Kinesics is not what it must be (NaN, shape, rate, name, range)."""


class PlanError(KinesicsError, ValueError):
    """A plan cannot be performed: a cycle, an unknown reference, impossible sync."""


class FormatError(KinesicsError, ValueError):
    """A file is not what its format says.

    Parameters
    ----------
    file
        Path (or name) of the file.
    where
        Place in the file: a line, a byte, a key.
    expected
        What should have been there.
    fix
        What the user can do.
    """

    def __init__(self, file: object, where: str, expected: str, fix: str) -> None:
        self.file, self.where, self.expected, self.fix = str(file), where, expected, fix
        super().__init__(f"{self.file}: {_line(where)}: expected {_line(expected)}; {_line(fix)}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (self.file, self.where, self.expected, self.fix)


def _line(text: str, most: int = 400) -> str:
    # What is quoted from a bad file may be of any length and have any line ends.
    line = " ".join(text.splitlines())
    return line if len(line) <= most else line[: most - 1] + "…"


class MissingExtra(KinesicsError, ImportError):
    """An optional part is not installed.

    Parameters
    ----------
    extra
        Name of the extra that brings it.
    purpose
        What needs it.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra, self.purpose = extra, purpose
        super().__init__(f"{purpose} needs the extra '{extra}': pip install 'kinesics[{extra}]'")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.extra, self.purpose)


def choose(kind: str, name: object, valid: Iterable[str]) -> str:
    """Return ``name`` if it is one of ``valid``; else raise a DataError that lists them.

    >>> choose("emotion", "happy", ["happy", "sad"])
    'happy'
    """
    names = list(valid)
    if name in names:
        return str(name)
    raise DataError(f"unknown {kind} {name!r}; choose one of: {', '.join(map(str, names))}")
