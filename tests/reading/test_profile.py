"""A face that turns away: what is not seen is not told."""

from __future__ import annotations

import numpy as np
import pytest

import kinesics as kn
from kinesics.geometry import rotations as rot
from kinesics.performance import Tier
from kinesics.see import models
from tests.faces import REST, write

pytest.importorskip("av")
pytestmark = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")

TOLD = (
    "blinks",
    "smile",
    "frown",
    "brow_raise",
    "brow_lower",
    "nose_wrinkle",
    "lip_press",
    "cheek_puff",
    "tongue_out",
)
FRONT = 1.4
"""Seconds until the face is turned."""


@pytest.mark.parametrize("degrees", [60, 75, -70])
def test_of_a_face_in_profile_nothing_is_invented(tmp_path, degrees):
    from kinesics.stage.identities import identity
    from kinesics.stage.pixels import Set, Studio

    stage = Set((0.3, 0.5, 0.8), (0.3, 0.3, 0.32), "plain", 0.0, 1)
    studio = Studio(identity(41, 1), stage, view="bust", size=320)

    def seen(yaw: float) -> np.ndarray:
        turned = REST.copy()
        turned[0] = rot.from_axis_angle(np.array([0.0, 1, 0]), np.radians(yaw)).astype(np.float32)
        return studio.shoot(turned, None, np.zeros(52, np.float32)).rgb

    away = seen(degrees)
    film = [seen(0)] * 25 + [seen(degrees * k / 5) for k in range(1, 5)] + [away] * 46
    read = kn.read(write(tmp_path / "away.mp4", film), hands=False, body=False, speech=False, progress=False)
    (person,) = read.people.values()
    front = person["head"].times < 1.0
    late = person["head"].times > FRONT
    assert person["action_units"].confidence[front].mean() > 0.4
    for name in ("head", "gaze", "action_units"):
        assert (person[name].confidence[late] < 0.5).all(), name
    for name in TOLD:
        assert all(i.label == "unknown" for i in person.tier(name) if i.start > FRONT), name
    for name, tier in person.tracks.items():
        if isinstance(tier, Tier) and name in ("expression", "looks_at"):
            assert all(i.label == "unknown" for i in tier if i.start > FRONT + 0.5), name
    assert not len([i for i in person.tier("reasons") if i.start > FRONT + 0.5])
