"""Progress bars for work that takes more than a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], what: str, *, total: float | None = None, unit: str = "it") -> Iterator[T]:
    """Yield ``items``; when it takes over a second, show a bar on standard error.

    Parameters
    ----------
    items
        What to go through.
    what
        What is being done, in a word or two.
    total
        How many there are, when ``items`` cannot say.
    unit
        What one of them is.

    Examples
    --------
    >>> list(progress([1, 2], "count"))
    [1, 2]
    """
    from tqdm import tqdm

    return iter(tqdm(items, desc=what, total=total, unit=unit, delay=1.0, leave=False, dynamic_ncols=True))
