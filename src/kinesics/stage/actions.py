"""Motions with words: one action, one after the other, and several at the same time, each part of the body known.

A clip shows a synthetic person who does what its captions say. What the legs and the whole body do comes from a
library of sixty excerpts of CMU's motion capture (walking, running, jumping, kicking, sitting down, dancing …), what
arms and head do besides from the gesture notation, performed as everywhere in Kinesics; turning on the spot is made
of steps. Motions at the same time are composed part by part, as in SINC: legs and the body's place from the one,
arms, head or trunk from the other. Variation: which take of the library, its mirror image, tempo, how far arms
swing, how long and how often, how the way bends, where the person faces, who they are and how they hold themselves.

What is told of a clip, all of it exact because the clip was made from it:

- the tier ``actions``: start, end and verb phrase of every action; for those with parts, ``subactions``;
- a tier for each of SINC's six parts (``global``, ``torso``, ``left arm``, ``right arm``, ``left leg``,
  ``right leg``): which action that part is doing, and when;
- ``contacts``: how surely heels and balls of both feet stand, 0 to 1;
- ``gestures`` and ``plan``: phases of the gestures, and the BML they were performed from;
- ``meta["actions"]``: captions in varied grammar, the events of the clip in chronological order (as CAR asks
  for) with the six numbers of SINC for each action, which part does what, and the split the clip belongs to.

Combinations in ``test`` and ``val`` do not occur in ``train``: whether a combination of two or more actions is seen in
training is decided by the combination, left and right taken as one.

Motions from CMU: the data used in this project was obtained from mocap.cs.cmu.edu. The database was created with
funding from NSF EIA-0196217.
"""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from kinesics import seeds
from kinesics.bodies.avatar import load_avatar
from kinesics.errors import DataError, FormatError, choose
from kinesics.files import replacing, writable
from kinesics.formats import kin
from kinesics.performance import Performance
from kinesics.performance._sampled import exact_rate
from kinesics.progress import progress as bar
from kinesics.stage._action_library import ATTRIBUTION
from kinesics.stage._action_score import Event, Score, Undone
from kinesics.stage._action_text import describe
from kinesics.stage._action_words import PARTS, Action, action, actions

log = logging.getLogger(__name__)

VERSION = 1
"""Of what :func:`make_actions` writes; clips of another version are not continued."""
KINDS: Mapping[str, float] = {"single": 0.4, "then": 0.3, "while": 0.2, "then while": 0.1}
"""Kinds of clips and how many of each: one action, a sequence, at the same time, and both."""
SPLITS: Mapping[str, float] = {"train": 0.8, "val": 0.05, "test": 0.15}
_GROUPS = {"go": 0.3, "once": 0.25, "keep": 0.12, "turn": 0.08, "gesture": 0.19, "head": 0.04, "stand": 0.02}
_LONGEST = 600


@dataclass(frozen=True)
class Options:
    """What a corpus of actions is made with.

    Parameters
    ----------
    fps
        Frames a second of its clips. HumanML3D's people want 20.
    captions
        Descriptions of each clip.
    avatars
        Who is seen.
    kinds
        How many of the clips are of which of :data:`KINDS`, in any unit.
    events
        Most actions in a sequence.
    facing
        Degrees to either side of +Z which people face to begin with, at most.
    """

    fps: Fraction = Fraction(30)
    captions: int = 4
    avatars: tuple[str, ...] = ("maya", "theo")
    kinds: Mapping[str, float] = field(default_factory=lambda: dict(KINDS))
    events: int = 3
    facing: float = 180.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "fps", exact_rate(self.fps, "actions"))
        object.__setattr__(self, "avatars", tuple(self.avatars))
        for kind in self.kinds:
            choose("kind of clip", kind, KINDS)
        shares = list(self.kinds.values())
        if not all(math.isfinite(s) and s >= 0 for s in shares) or not sum(shares) > 0:
            raise DataError(f"kinds {dict(self.kinds)}; expected shares of 0 or more, not all 0")
        if not (1 <= self.captions <= 20 and 2 <= self.events <= 6 and 0 <= self.facing <= 180):
            raise DataError(
                f"captions {self.captions}, events {self.events}, facing {self.facing}; expected 1 to 20, 2 to 6 and "
                "0 to 180 degrees"
            )
        if not self.avatars:
            raise DataError("actions need an avatar; give at least one")

    def told(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {**vars(self), "fps": str(self.fps), "avatars": list(self.avatars), "kinds": dict(self.kinds)}


def act(
    script: Sequence[Sequence[str] | str],
    *,
    seed: int = 0,
    fps: float | Fraction = 60,
    avatar: str = "maya",
    captions: int = 4,
    facing: float = 0.0,
) -> Performance:
    """Do what a script says.

    Parameters
    ----------
    script
        One action after the other; names of several actions where they are done at the same time, what the
        legs do first. An adverb may follow the first name after a comma: ``"squat, slowly"``.
    seed
        Everything the script leaves open is drawn from it.
    fps
        Frames a second.
    avatar
        Who acts.
    captions
        How many descriptions.
    facing
        Degrees to the left of +Z.

    Returns
    -------
    Performance
        ``body``, ``face``, the tiers named above, and ``meta["actions"]``.

    Raises
    ------
    DataError
        If an action is unknown, or actions cannot be done at the same time; says why.

    Examples
    --------
    >>> clip = act([["walk", "wave right"], "jump up"], seed=1)
    >>> clip.tier("actions").labels
    ('walk forward', 'wave with the right hand', 'jump up')
    >>> clip.tier("right arm").labels
    ('wave with the right hand', 'jump up')
    """
    if not script or len(script) > _LONGEST:
        raise DataError(f"a script of {len(script)} events; expected 1 to {_LONGEST}")
    events = [_event([names] if isinstance(names, str) else list(names)) for names in script]
    return _performed(events, seed, exact_rate(fps, "actions"), avatar, captions, math.radians(facing))


def action_names() -> list[str]:
    """Names of all actions, as scripts use them.

    >>> "walk" in action_names(), "wave left" in action_names()
    (True, True)
    """
    return sorted(actions())


def _event(names: list[str]) -> Event:
    if not names:
        raise DataError("an event of the script names no action")
    first, _, tempo = names[0].partition(",")
    if tempo.strip():
        choose("adverb", tempo.strip(), ("slowly", "quickly"))
    event = Event(tuple(action(n.strip()) for n in [first, *names[1:]]), tempo.strip())
    if event.tempo and not event.actions[0].adverbs:
        raise DataError(f"{first!r} cannot be done {event.tempo}")
    if why := _clash(event.actions):
        raise DataError(why)
    return event


def _clash(done: Sequence[Action]) -> str:
    """Why actions cannot be done at the same time; "" when they can."""
    base, *over = done
    if over and not (base.under or base.behaves):
        return f"nothing can be done while doing {base.name!r}"
    for a in over:
        if not a.over or (base.behaves and not a.behaves):
            return f"{a.name!r} cannot be done beside {base.name!r}; name what the legs do first"
    taken: dict[str, str] = {}
    for a in done:
        for part in a.parts:
            if part in taken:
                return f"{taken[part]!r} and {a.name!r} both need the {part}"
            taken[part] = a.name
    return ""


def _performed(
    events: Sequence[Event], seed: int, fps: Fraction, avatar: str, captions: int, facing: float
) -> Performance:
    score = Score(events, load_avatar(avatar), seed)
    made = score.perform(fps, facing=facing)
    said = [[(a, e.tempo if a is e.actions[0] else "") for a in e.actions] for e in events]
    texts, steps = describe(said, seeds.rng(seed, "captions"), captions)
    about = {
        "captions": texts,
        "events": [
            {
                "text": text,
                "start": round(a, 4),
                "end": round(b, 4),
                "actions": [x.name for x in e.actions],
                "parts": [[int(p in x.parts) for p in PARTS] for x in e.actions],
            }
            for text, e, (a, b) in zip(steps, events, score.spans(), strict=True)
        ],
        "parts": {p: [e.label(a) for e in events for a in e.actions if p in a.parts] for p in PARTS},
        "kind": _kind(events),
    }
    return replace(made, meta={**made.meta, "actions": about})


def _kind(events: Sequence[Event]) -> str:
    together = any(len(e.actions) > 1 for e in events)
    if len(events) > 1:
        return "then while" if together else "then"
    return "while" if together else "single"


def make_actions(
    folder: str | Path,
    count: int,
    seed: int = 0,
    *,
    options: Options | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Make a corpus of clips.

    Parameters
    ----------
    folder
        Where it is written. A folder in which a corpus of the same seed and options was begun is
        completed; a greater count extends it, clips that are there stay.
    count
        Clips.
    seed
        Decides everything; clip i does not depend on how many there are, nor on how many workers made them.
    options
        See :class:`Options`.
    workers
        Processes; by default as many as there are cores.
    progress
        Show a bar.

    Returns
    -------
    Path
        ``folder/corpus.json``, which is written last: a folder without it is not complete. Beside it
        ``clips/000000.kin`` …, ``clips.jsonl`` (a line for each clip: path, split, duration, captions, events,
        parts, actions) and ``splits/train.txt`` …

    Raises
    ------
    DataError
        If the folder holds another corpus, an option is out of range, or the disk does not take the files.

    Examples
    --------
    >>> make_actions("corpus/actions", 1000, seed=7)  # doctest: +SKIP
    PosixPath('corpus/actions/corpus.json')
    """
    folder, options = Path(folder), options or Options()
    if count < 1:
        raise DataError(f"{count} clips; expected 1 or more")
    for name in options.avatars:
        load_avatar(name)
    recipe = {"what": "actions", "version": VERSION, "seed": int(seed), "options": options.told()}
    _claim(folder, recipe)
    (folder / "corpus.json").unlink(missing_ok=True)
    todo = [k for k in range(count) if not _whole(_path(folder, k))]
    if 0 < len(todo) < count:
        log.info("%s: %d of %d clips are there already", folder, count - len(todo), count)
    _make(folder, todo, seed, options, workers, progress)
    rows = []
    for k in bar(range(count), "listing", unit="clip") if progress else range(count):
        made = kin.read(_path(folder, k))
        about = made.meta["actions"]
        rows.append(
            {
                "id": f"{k:06d}",
                "path": f"clips/{k:06d}.kin",
                "split": about["split"],
                "kind": about["kind"],
                "seconds": round(made.body.duration, 4),
                "fps": str(made.body.fps),
                "avatar": made.meta["avatar"],
                "captions": about["captions"],
                "events": about["events"],
                "parts": about["parts"],
                "actions": [[round(i.start, 4), round(i.end, 4), i.label] for i in made.tier("actions")],
            }
        )
    _write(folder / "clips.jsonl", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    for split in SPLITS:
        chosen = [r["id"] for r in rows if r["split"] == split]
        _write(folder / "splits" / f"{split}.txt", "".join(f"{i}\n" for i in chosen))
    whole = {**recipe, "count": count, "synthetic": True, "acknowledgement": ATTRIBUTION}
    _write(folder / "corpus.json", json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return folder / "corpus.json"


def _path(folder: Path, k: int) -> Path:
    return folder / "clips" / f"{k:06d}.kin"


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def _claim(folder: Path, recipe: dict[str, Any]) -> None:
    """Make sure that the folder is free, or holds the same corpus begun."""
    path = folder / "recipe.json"
    if not path.exists():
        if folder.is_dir() and any((folder / "clips").glob("*.kin")):
            raise DataError(f"{folder} holds clips but no recipe.json; give another folder")
        writable(path)
        _write(path, json.dumps(recipe, indent=1) + "\n")
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); remove the folder, or give another one") from error
    if there != recipe:
        keys = [k for k in recipe if not isinstance(there, dict) or there.get(k) != recipe[k]]
        raise DataError(
            f"{folder} holds another corpus (it differs in: {', '.join(keys)}); give another folder, or the same options"
        )


def _whole(path: Path) -> bool:
    """Whether a clip is there; what is damaged is told and made anew."""
    if not path.exists():
        return False
    try:
        return "split" in kin.read(path).meta["actions"]
    except (FormatError, KeyError, TypeError) as error:
        log.warning("%s is made anew: %s", path, error)
        return False


def _make(
    folder: Path, todo: Sequence[int], seed: int, options: Options, workers: int | None, progress: bool
) -> None:
    workers = max(1, min(workers or os.cpu_count() or 1, len(todo)))

    def done() -> Iterator[None]:
        if workers == 1:
            for k in todo:
                yield _save(folder, k, seed, options)
            return
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            waiting = [pool.submit(_save, folder, k, seed, options) for k in todo]
            try:
                for future in as_completed(waiting):
                    yield future.result()
            finally:  # one that failed, or Ctrl-C, leaves nothing waiting
                pool.shutdown(wait=False, cancel_futures=True)

    made = done()
    for _ in bar(made, "acting", total=len(todo), unit="clip") if progress else made:
        pass


def _save(folder: Path, k: int, seed: int, options: Options) -> None:
    kin.write(make_clip(k, seed, options), _path(folder, k))


def make_clip(index: int, seed: int = 0, options: Options | None = None) -> Performance:
    """The clip of a corpus that has this index.

    Parameters
    ----------
    index
        Its number.
    seed, options
        The corpus's.
    """
    options = options or Options()
    for attempt in range(20):
        draw = seeds.rng(seed, "actions", index, attempt)
        events = _invent(draw, options)
        avatar = str(draw.choice(options.avatars))
        own = int(draw.integers(2**62))
        facing = math.radians(options.facing) * float(draw.uniform(-1, 1))
        try:
            made = _performed(events, own, options.fps, avatar, options.captions, facing)
        except Undone as error:
            log.info("clip %d, attempt %d: %s", index, attempt, error)
            continue
        about = {**made.meta["actions"], "split": _split(events, seed, index)}
        return replace(made, meta={**made.meta, "actions": about, "index": index})
    raise DataError(f"clip {index} of seed {seed}: twenty attempts failed")


def _split(events: Sequence[Event], seed: int, index: int) -> str:
    """By the clip where it shows one action; else by what is combined, whichever side it is done with."""
    names = [sorted(_sideless(a.name) for a in e.actions) for e in events]
    single = len(events) == 1 and len(names[0]) == 1
    draw = seeds.rng(seed, "split", index) if single else seeds.rng(seed, "split", json.dumps(names))
    return str(draw.choice(list(SPLITS), p=list(SPLITS.values())))


def _sideless(name: str) -> str:
    return " ".join(w for w in name.split() if w not in ("left", "right"))


def _invent(draw: np.random.Generator, options: Options) -> list[Event]:
    """What is done in one clip."""
    shares = np.array([options.kinds.get(k, 0.0) for k in KINDS], dtype=np.float64)
    kind = str(draw.choice(list(KINDS), p=shares / shares.sum()))
    count = 1 if "then" not in kind else int(draw.integers(2, options.events + 1))
    together = {"while": {0}, "then while": {int(draw.integers(count))}}.get(kind, set())
    events: list[Event] = []
    while len(events) < count:
        done = _together(draw) if len(events) in together else (_one(draw),)
        if events and _sideless(done[0].name) == _sideless(events[-1].actions[0].name):
            continue
        tempo = ""
        if done[0].adverbs and draw.random() < 0.25:
            tempo = "slowly" if draw.random() < 0.5 else "quickly"
        events.append(Event(done, tempo))
    return events


def _group(a: Action) -> str:
    if a.kind == "cycle":
        return "go" if a.travels else "keep"
    return {"posture": "head", "pointing": "gesture"}.get(a.kind, a.kind)


def _any(draw: np.random.Generator, among: Sequence[Action]) -> Action:
    """One of some actions; what can be done to either side is not therefore done twice as often."""
    names = list(dict.fromkeys(_sideless(a.name) for a in among))
    name = names[int(draw.integers(len(names)))]
    sides = [a for a in among if _sideless(a.name) == name]
    return sides[int(draw.integers(len(sides)))]


def _one(draw: np.random.Generator) -> Action:
    group = str(draw.choice(list(_GROUPS), p=list(_GROUPS.values())))
    return _any(draw, [a for a in actions().values() if _group(a) == group])


def _together(draw: np.random.Generator) -> tuple[Action, ...]:
    """Two actions that can be done at the same time: something walked, or two gestures while standing."""
    over = [a for a in actions().values() if a.over]
    gestures = [a for a in over if a.behaves]
    while True:
        if draw.random() < 0.75:
            done = _any(draw, [a for a in actions().values() if a.under]), _any(draw, over)
        else:
            done = _any(draw, gestures), _any(draw, gestures)
        if not _clash(done):
            return done
