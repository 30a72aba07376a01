"""ExpLLM's claim: what it is compared with, what counts as active, and when it holds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from kinesics.bodies.action_units import UNITS
from kinesics.lab import claims
from kinesics.lab.claims import expllm
from kinesics.seeds import rng
from kinesics.stage.expressions import expressive
from kinesics.systems.read._grounding import named


def results(**changed):
    good = {
        "label right": 0.9,
        "named are active": 0.95,
        "active are named": 0.8,
        "feeling in neutral talk": 0.1,
    }
    arms = claims.find("expllm").arms
    return {a.name: {m: np.full(3, changed.get(a.name, {}).get(m, v)) for m, v in good.items()} for a in arms}


def test_every_part_can_fail():
    less = {
        "EMFACS table": {"label right": 0.7},
        "mixed": {"label right": 0.8},
        "label-only template": {"named are active": 0.6},
    }
    holds = claims.find("expllm").holds
    assert all(holds(results(**less)).values())
    assert not any(
        holds(
            results(
                **{"label first": {"label right": 0.5, "named are active": 0.85, "active are named": 0.5}}
            )
        ).values()
    )


def test_the_table_reads_prototypes():
    faces = np.zeros((4, 24, 7), np.float32)
    for i, units in enumerate(
        (("AU06", "AU12"), ("AU01", "AU02", "AU05", "AU26"), ("AU09", "AU10", "AU16", "AU15", "AU17"), ())
    ):
        faces[i, [UNITS.index(u) for u in units], :6] = 0.7
    assert expllm.table_labels(faces) == ["happy", "surprise", "disgust", "neutral"]


def test_speech_is_not_among_what_is_active():
    talk = [expressive(21, i, emotion="neutral", talking=True, acted=True) for i in range(6)]
    assert all(not expllm._active(show) & {"AU18", "AU22", "AU26", "AU24"} for show in talk)
    assert "AU12" in expllm._active(expressive(21, 1, emotion="happy", level=3, acted=True))


def test_all_that_is_measured_is_named_with_its_errors():
    show = expressive(21, 1, emotion="happy", level=3, talking=False, acted=True)
    seen = np.stack([expllm._seen(show, rng(k, "errors")) for k in range(3)])
    assert np.abs(seen[0] - seen[1]).max() > 0.02
    run = claims.Run(0, True, None)
    for text in expllm._told(expllm._all_measured(seen, ["happy"] * 3), run):
        assert "AU12" in named(text)
