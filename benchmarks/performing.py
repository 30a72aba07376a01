"""How fast speech becomes a performance, how long a sentence takes from a cold start, and how memory grows.

Speech is espeak-ng's reading of a fixed text, so that it runs anywhere. "Aligned" starts from sound
and transcript, "phones given" from sound with known word and phone times; both make all tracks.
The cold start is a new process from a sentence to a GLB on disk. Memory is how much higher the peak
of a new process gets for every further minute of speech (the text eight times over beside four
times), and what the returned tracks take of that.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = """The harbour was quiet that morning. Nobody had seen the boat come in, and nobody asked whose it was.
Three men stood on the pier, looking down at the ropes. The first one said it was far too big for our little
town. The second shook his head. No, he said, it is exactly the size we need! And the third, who never said much,
pointed up at the mast and laughed. Why would anyone paint it yellow? I still don't know. But when the wind turned,
it left as it had come, slowly, between the rocks, and we never saw it again."""

_PERFORM = """
import json, resource, sys
import kinesics as kn
times = int(sys.argv[1])
heard = kn.speak(" ".join([{text!r}] * times))
show = kn.perform(audio=heard.speech, words=heard.tier("words"), phones=heard.tier("phones"), progress=False)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = sum(a.nbytes for a in (show.body.rotations, show.body.root, show.face.values, show.speech.samples))
print(json.dumps([show.duration, peak / 1024, size / 2**20]))
"""


def _timed(function, runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run(runs: int = 3) -> list[dict[str, object]]:
    """Rows of results."""
    import kinesics as kn

    heard = kn.speak(TEXT)
    sound, words, phones = heard.speech, heard.tier("words"), heard.tier("phones")
    kn.perform(audio=sound.slice(0, 2), words=words.slice(0, 2), phones=phones.slice(0, 2), progress=False)
    aligned = _timed(lambda: kn.perform(audio=sound, transcript=TEXT, progress=False), runs)
    given = _timed(lambda: kn.perform(audio=sound, words=words, phones=phones, progress=False), runs)
    rows: list[dict[str, object]] = [
        {
            "what": "sound and transcript to all tracks",
            "value": sound.duration / aligned,
            "unit": "× real time",
            "wanted": "≥ 20",
        },
        {
            "what": "sound with phone times to all tracks",
            "value": sound.duration / given,
            "unit": "× real time",
            "wanted": "≥ 60",
        },
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kinesics", "perform", "We caught a fish this big, honestly.", "-o"]
        cold = _timed(
            lambda: subprocess.run([*command, str(Path(folder) / "x.glb")], check=True, capture_output=True),
            2 * runs - 1,
        )
    rows.append({"what": "a sentence to a GLB, cold start", "value": cold, "unit": "s", "wanted": "≤ 3"})
    seen = []
    for times in (4, 8):
        command = [sys.executable, "-c", _PERFORM.format(text=TEXT), str(times)]
        seen.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    minutes = (seen[1][0] - seen[0][0]) / 60
    rows.append(
        {
            "what": "memory for a further minute",
            "value": (seen[1][1] - seen[0][1]) / minutes,
            "unit": "MB",
            "wanted": "",
        }
    )
    rows.append(
        {
            "what": "of which the tracks",
            "value": (seen[1][2] - seen[0][2]) / minutes,
            "unit": "MB",
            "wanted": "",
        }
    )
    return rows
