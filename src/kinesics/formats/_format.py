"""What every format module hands to the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kinesics.performance import Performance


@dataclass(frozen=True)
class Format:
    """A file format.

    Parameters
    ----------
    name
        What people call it.
    extensions
        Lower-case endings, with the dot; the first is the usual one.
    carries
        Track names and kinds that the file can hold.
    read
        ``read(path, **options) -> Performance``, or None. Raises nothing but FormatError over a bad file.
    write
        ``write(performance, path, **options)``, or None. Raises a DataError when the performance
        lacks what the file must hold.
    recognises
        ``recognises(path) -> bool``: whether a file that several formats could read is of this one, from
        a short look at it; None where the ending alone decides, or for the format that takes what no
        other recognises. Raises nothing over a bad file.
    also_reads
        Endings that it reads but never writes: shared by many formats, or not worth writing.
    scenes
        Whether ``write`` takes a Scene as well; other formats are given one person.
    """

    name: str
    extensions: tuple[str, ...]
    carries: tuple[str, ...]
    read: Callable[..., Performance] | None = None
    write: Callable[..., None] | None = None
    recognises: Callable[[Path], bool] | None = None
    also_reads: tuple[str, ...] = ()
    scenes: bool = False

    def __post_init__(self) -> None:
        endings = (*self.extensions, *self.also_reads)
        assert all(e.startswith(".") and e == e.lower() for e in endings), endings
