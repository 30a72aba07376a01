"""Perform a sentence and save it for a game engine, an animation tool and later editing."""

import sys
from pathlib import Path

import kinesics as kn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
show = kn.perform("We caught a fish this big, honestly.", emotion="happy", intensity=0.7, seed=3)
show.save(folder / "fish.glb", folder / "fish.bvh", folder / "fish.bml")
for stroke in show.tier("gestures"):
    print(f"{stroke.start:6.2f} {stroke.end:6.2f}  {stroke.label}")
