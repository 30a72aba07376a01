"""Pictures come in order, no more of them than asked for, and a fault reaches whoever takes them."""

from __future__ import annotations

import itertools
import threading

import pytest

from kinesics.render.ahead import ahead


def test_results_come_in_the_order_of_the_jobs_from_several_threads():
    meet, seen = threading.Barrier(3, timeout=5), set()

    def make(job: int) -> int:
        meet.wait()  # goes on only when three are at work at once
        seen.add(threading.get_ident())
        return 10 * job

    assert list(ahead(make, range(6), threads=3)) == [0, 10, 20, 30, 40, 50]
    assert len(seen) == 3


def test_jobs_are_taken_only_a_little_ahead():
    taken = itertools.count()
    made = ahead(lambda job: job, (next(taken) for _ in range(1000)), threads=2)
    assert next(made) == 0
    made.close()
    assert next(taken) <= 4


def test_what_goes_wrong_in_a_thread_is_raised_where_its_picture_is_taken():
    made = ahead(lambda job: 1 / job, [2, 1, 0, 1], threads=2)
    assert [next(made), next(made)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(made)
