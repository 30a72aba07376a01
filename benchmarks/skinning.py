"""Posing an avatar: morphs and skinning in numpy.

`kinesics.bodies.avatar.skin` on 60 consecutive frames, one at a time as a viewer asks for them, with all 55 joints and
all 52 morphs moving (`benchmarks/_take.py`); milliseconds per frame, the median over the runs of 60 frames.
"""

from __future__ import annotations

from benchmarks._measure import Figure, timed
from benchmarks._take import take
from kinesics.bodies.avatar import avatars, load_avatar, skin
from kinesics.bodies.export import face_for_export


def run(runs: int) -> list[Figure]:
    """Measure."""
    show = take(1)
    weights = face_for_export(show.face, show.body).values
    out = []
    for name in avatars():
        person = load_avatar(name)

        def frames(person=person) -> None:
            for q, root, face in zip(show.body.rotations, show.body.root, weights, strict=True):
                skin(person, q, root=root, weights=face)

        out.append(
            timed(
                f"{name} ({len(person.vertices)} vertices): a frame",
                frames,
                runs,
                scale=1e3 / 60,
                note="target ≤ 2 ms",
            )
        )
    return out
