"""Listeners: people who say nothing and move their heads, by plans that are known.

Speakers' heads hardly ever stand still; these ones nod, shake, tilt, turn, lift and lower them one thing at a
time, so that each movement has a beginning and an end.
"""

from __future__ import annotations

from kinesics.behaviour.perform import perform
from kinesics.performance import Behaviour, Interval, Performance, Plan, Sync, Tier
from kinesics.seeds import rng

_KINDS = {
    "NOD": 0.30, "SHAKE": 0.20, "TILT": 0.18, "TURN": 0.10, "RAISE": 0.07, "LOWER": 0.07, "TOSS": 0.04, "BOW": 0.04,
}  # fmt: skip
_DEGREES = {
    "NOD": 14.0,
    "SHAKE": 18.0,
    "TILT": 14.0,
}  # of the first swing at amount 1; see the head's lexicon


def listener(seed: int, number: int, *, seconds: float = 40.0) -> Performance:
    """Somebody who listens for a while.

    Parameters
    ----------
    seed, number
        Which; the same ones give the same listener.
    seconds
        About how long.

    Returns
    -------
    Performance
        ``body``, ``face``, ``plan``, and the tier ``head_events``: nods, shakes and tilts as they were performed; value:
        degrees.

    Examples
    --------
    >>> sorted(set(listener(1, 0, seconds=20).tier("head_events").labels) - {"nod", "shake", "tilt"})
    []
    """
    draw = rng(seed, "listener", number)
    kinds, chances = list(_KINDS), list(_KINDS.values())
    time, out = float(draw.uniform(0.4, 1.5)), []
    while time < seconds - 2:
        kind = kinds[int(draw.choice(len(kinds), p=chances))]
        count = int(draw.integers(1, 5))
        natural = {"NOD": 0.12 + 0.4 * count, "SHAKE": 0.2 + 0.34 * count}.get(kind, 1.2)
        length = natural * float(draw.uniform(0.75, 1.4))
        attributes = {
            "lexeme": kind, "amount": f"{draw.uniform(0.15, 0.9):.3f}", "repetition": str(count),
            "direction": "LEFT" if draw.random() < 0.5 else "RIGHT",
        }  # fmt: skip
        sync = {"start": Sync(time), "end": Sync(time + length)}
        out.append(Behaviour(f"head{len(out)}", "head", sync, attributes))
        if draw.random() < 0.35:
            to = f"{draw.uniform(-30, 30):.1f},{draw.uniform(-12, 10):.1f}"
            at = time + length + float(draw.uniform(-0.5, 1.0))
            sync = {"start": Sync(at), "end": Sync(at + float(draw.uniform(0.8, 2.5)))}
            out.append(Behaviour(f"gaze{len(out)}", "gaze", sync, {"target": to, "influence": "HEAD"}))
        time += length + float(draw.choice([draw.uniform(0.15, 0.6), draw.uniform(0.6, 3.5)]))
    show = perform(
        plan=Plan(tuple(out), (), "REPLACE"),
        avatar=("maya", "theo")[number % 2],
        seed=seed + number,
        progress=False,
    )
    return show.with_tracks(head_events=head_truth(show.plan))


def head_truth(plan: Plan) -> Tier:
    """Nods, shakes and tilts of a plan as they were performed; value: degrees.

    Parameters
    ----------
    plan
        With its feedback, as :func:`kinesics.perform` gives it.
    """
    told = {f.id: f for f in plan.feedback}
    rows = []
    for b in plan.of("head"):
        kind = b.attributes.get("lexeme", "NOD").upper()
        done = told.get(b.id)
        if kind not in _DEGREES or (done is not None and done.status in ("dropped", "unknown")):
            continue
        times = (
            done.times
            if done is not None and "end" in done.times
            else {k: s.offset for k, s in b.sync.items()}
        )
        start, end = times["start"], max(times["end"], times["start"])
        rows.append(Interval(start, end, kind.lower(), _DEGREES[kind] * b.number("amount", 0.5)))
    return Tier("head_events", tuple(rows))
