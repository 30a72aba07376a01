"""Plan, change one gesture by hand, and perform the changed plan."""

import sys
from dataclasses import replace
from pathlib import Path

import kinesics as kn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
show = kn.perform("It was a small boat on a big lake.", seed=1)
first = show.plan.of("gesture")[0]
waved = replace(first, attributes={**first.attributes, "lexeme": "WAVE"})
plan = replace(show.plan, behaviours=tuple(waved if b is first else b for b in show.plan), feedback=())
again = kn.perform(plan=plan, seed=1)
again.save(folder / "waved.glb", folder / "waved.bml")
print([b.attributes["lexeme"] for b in again.plan.of("gesture")])
