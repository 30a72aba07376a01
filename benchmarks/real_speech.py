"""What systems trained on the stage make of real speech, beside the speaker who was recorded with it.

    python -m benchmarks.real_speech take.npz take.wav [--transcript take.txt] [--out docs/benchmarks]

The take is a BEAT2 file and its sound. Every system performs the sound anew; each score stands beside the recorded body
itself, a body that stands still, and the recorded body shifted by half its length. These are evaluations alone: nothing
is trained or chosen by them. The systems learnt from people of the stage, who are performed by rules, so the numbers say
how far these are from one real speaker, and nothing about the published networks.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

import kinesics as kn
from kinesics.bodies.humanoid import INDEX
from kinesics.metrics import measure
from kinesics.performance import Motion, Performance

_BODIES = ("gesturelsm", "livelyspeaker", "camn")
_MEASURES = ("FGD", "L1div", "BC-BEAT2")


def _held(body: Motion) -> Motion:
    return replace(
        body, rotations=body.rotations[:1].repeat(len(body), 0), root=body.root[:1].repeat(len(body), 0)
    )


def _shifted(body: Motion) -> Motion:
    half = len(body) // 2
    return replace(body, rotations=np.roll(body.rotations, half, 0), root=np.roll(body.root, half, 0))


def _speed(body: Motion) -> float:
    """Mean speed of the wrists against the hips, m/s."""
    places = body.positions()
    hands = places[:, [INDEX["leftHand"], INDEX["rightHand"]]] - places[:, :1]
    return float(np.linalg.norm(np.diff(hands, axis=0), axis=-1).mean() * float(body.fps))


def _row(name: str, real: Performance, made: Performance) -> dict[str, object]:
    length = min(real.duration, made.duration)
    one, other = real.slice(0, length), made.slice(0, length)
    scores = {m: measure(m, [one], [other]) for m in _MEASURES}
    return {
        "body": name,
        **{f"{s.name}{'*' * s.starred}": round(float(s.value), 4) for s in scores.values()},
        "wrists m/s": round(_speed(made.body), 3),
    }


def _jaw(real: Performance, made: Performance) -> float:
    """Correlation of how far the jaw is open, at 25 fps."""
    a, b = (show.face.resample(25).column("jawOpen") for show in (real, made))
    count = min(len(a), len(b))
    return float(np.corrcoef(a[:count], b[:count])[0, 1])


def scores(
    take: Path, sound: Path, transcript: str | None
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Rows of bodies and of faces."""
    real = kn.load(take)
    speech = kn.Audio.load(sound).slice(0, real.duration)
    real = real.with_tracks(speech=speech)
    options = {"audio": speech, "transcript": transcript, "progress": False}
    rules = kn.perform(**options)
    bodies = [_row("the recorded one", real, real)]
    bodies += [
        _row(n, real, real.with_tracks(body=f(real.body)))
        for n, f in (("still", _held), ("shifted", _shifted))
    ]
    bodies.append(_row("by the rules", real, rules))
    bodies += [_row(name, real, kn.perform(**options, system=name)) for name in _BODIES]
    spoken = kn.perform(**options, face="emote")
    late = spoken.with_tracks(
        face=replace(spoken.face, values=np.roll(spoken.face.values, len(spoken.face) // 2, 0))
    )
    faces = [
        {"face": n, "jaw r": round(_jaw(real, s), 3)}
        for n, s in (("by the rules", rules), ("emote", spoken), ("emote, shifted", late))
    ]
    return bodies, faces


def _table(rows: list[dict[str, object]]) -> str:
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(r[h]) for h in head) + " |" for r in rows])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("take", type=Path)
    parser.add_argument("sound", type=Path)
    parser.add_argument("--transcript", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    bodies, faces = scores(
        given.take, given.sound, given.transcript.read_text() if given.transcript else None
    )
    page = f"# real speech, {date.today()}\n\n{__doc__}\n{given.take.name}\n\n{_table(bodies)}\n\n{_table(faces)}\n"
    print(page)
    if given.out:
        (given.out / f"{date.today()}-real_speech.md").write_text(page)
        (given.out / f"{date.today()}-real_speech.json").write_text(
            json.dumps({"bodies": bodies, "faces": faces}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
