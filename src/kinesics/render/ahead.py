"""Pictures are made ahead of whoever takes them, several at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Made = TypeVar("Made")


def ahead(make: Callable[[Job], Made], jobs: Iterable[Job], *, threads: int | None = None) -> Iterator[Made]:
    """``make`` of every job, in order, while the next are already being made.

    Parameters
    ----------
    make
        Called from several threads at once; what it does in compiled code runs side by side.
    jobs
        Taken one by one, never more than the threads and one ahead: memory does not grow with their number.
    threads
        How many; by default one per core, and at most 8.

    Examples
    --------
    >>> list(ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    count = threads or min(_cores(), 8)
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="picture")
    try:
        for job in jobs:
            waiting.append(pool.submit(make, job))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
