"""How fast people are painted: a film of speech, and labelled pictures of the stage.

A film is what ``kinesics perform … -o talk.mp4`` paints and encodes: 640 × 360, 30 pictures a second, to the hips, H.264 and sound;
speech becoming movement is not in it. Labelled pictures are 128 × 128 of ``render_clip`` with masks, landmarks, mesh, joints, depth and flow. Before it
counts everything ran once, so that compiling is not in it. "Of one core" is what the process computed, whatever else the machine did.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

TEXT = "We caught a fish this big, honestly, and nobody on the pier would believe a word of it."


def run(runs: int = 3) -> list[dict[str, object]]:
    """Rows of results."""
    import kinesics as kn
    from kinesics.stage import render_clip
    from kinesics.stage.identities import identity

    show = kn.perform(TEXT, seed=1, progress=False)
    person = identity(7, 0)
    pictures = len(list(render_clip(show, person, 128)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.mp4"
        show.save(path)
        films = [_spent(lambda: show.save(path)) for _ in range(runs)]
    clips = [_spent(lambda: list(render_clip(show, person, 128))) for _ in range(runs)]
    wall, own = (min(f[k] for f in films) for k in (0, 1))
    clip_wall, clip_own = (min(c[k] for c in clips) for k in (0, 1))
    return [
        {"what": "film", "value": show.duration / wall, "unit": "× real time", "wanted": "≥ 1", "runs": runs},
        {"what": "film, of one core", "value": 1e3 * own / (30 * show.duration), "unit": "ms a picture", "runs": runs},
        {"what": "labelled pictures", "value": pictures / clip_wall, "unit": "a second", "wanted": "≥ 60", "runs": runs},
        {"what": "labelled pictures, of one core", "value": 1e3 * clip_own / pictures, "unit": "ms a picture", "runs": runs},
    ]  # fmt: skip


def _spent(call) -> tuple[float, float]:
    """Seconds on the wall, and of processor time."""
    wall, own = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - own
