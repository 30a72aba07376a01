"""Perform recorded speech with its transcript, and read off what was heard.

python examples/own_speech.py talk.wav talk.txt
"""

import sys
from pathlib import Path

import kinesics as kn

sound, text, *rest = sys.argv[1:]
folder = Path(rest[0] if rest else ".")
show = kn.perform(audio=sound, transcript=Path(text).read_text(encoding="utf-8"), intensity=0.6)
show.save(folder / "talk.glb", folder / "talk.kin")
for word in show.tier("words"):
    print(f"{word.start:6.2f} {word.end:6.2f}  {word.label}")
