"""Speakers: who they are, how they move, how they sound; and corpora of their performances.

``make_speakers`` writes a folder::

    corpus/manifest.json                       settings; the folder goes on only with the same ones
    corpus/s0003/speaker.json                  identity, habits and voice of a speaker
    corpus/s0003/s0003_anger_2_005.kin         one take
    corpus/corpus.json                         written last: counts, version, and a hash over all files

A take holds ``speech``, ``words``, ``phones`` and the other tiers and signals of hearing, ``body``, ``face``,
``gestures`` (phases), ``plan``, ``emotion`` (a tier; value: intensity) and ``emotion levels`` (a signal of the
eight), and ``semantic``: an interval for every phrase that calls for a gesture, labelled with its kind and
gesture; its value is the phrase's score where the gesture was made, else 0.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from kinesics.behaviour.controls import EMOTIONS
from kinesics.behaviour.lexicon import lexicon
from kinesics.bodies.avatar import Avatar
from kinesics.errors import DataError, MissingExtra
from kinesics.seeds import rng
from kinesics.stage.traits import Traits, draw_traits

log = logging.getLogger(__name__)

VERSION = 1
"""Of the corpus folder; another number means that the same seed gives other takes."""
_BUNDLE = 6  # takes of one speaker that a worker makes in a row: their body is built once
CONDITIONS: tuple[tuple[str, int], ...] = tuple((e, k) for e in EMOTIONS for k in (1, 2, 3))
"""Eight emotions at three levels; a speaker's takes go through all of them before one comes back."""


@dataclass(frozen=True)
class Habits:
    """How somebody moves.

    Parameters
    ----------
    rate
        Strokes a minute at level 2.
    handedness
        Which hand leads.
    amplitude, tempo
        Factors on size and speed of gestures.
    beats
        Favourite beats; no others are used.
    lead, jitter
        Seconds by which strokes come after the stress (negative: before), and how unsteadily.
    lip_gain
        Factor on how far the mouth opens.
    gaze
        Where they look when they look at somebody: azimuth and elevation, degrees.
    expressiveness
        Factor on the intensity of an emotion.
    sway
        Group of channels (root, hips, spine, head) → factor on its drift.
    posture
        Channel → degrees of mean posture.
    """

    rate: float
    handedness: str
    amplitude: float
    tempo: float
    beats: tuple[str, ...]
    lead: float
    jitter: float
    lip_gain: float
    gaze: tuple[float, float]
    expressiveness: float
    sway: Mapping[str, float]
    posture: Mapping[str, float]


@dataclass(frozen=True)
class Voice:
    """How somebody sounds.

    Parameters
    ----------
    voice
        Of espeak-ng, with its variant.
    rate
        Words a minute.
    pitch, pitch_range
        0 to 100 as espeak-ng has them.
    tract
        Length of the vocal tract relative to the voice's own: above 1 all formants are lower.
    """

    voice: str
    rate: float
    pitch: float
    pitch_range: float
    tract: float


@dataclass(frozen=True)
class Speaker:
    """One person of the stage."""

    seed: int
    number: int
    traits: Traits
    habits: Habits
    voice: Voice

    @property
    def name(self) -> str:
        """``"s0003"``."""
        return f"s{self.number:04d}"

    @property
    def identity(self) -> Avatar:
        """The person to look at, painted; needs the extra ``video``."""
        from kinesics.stage.identities import identity

        return identity(self.seed, self.number)

    def describe(self) -> dict[str, Any]:
        """Everything about them as plain values."""
        return {
            "speaker": self.name, "seed": self.seed, "number": self.number, "traits": _plain(self.traits),
            "habits": _plain(self.habits), "voice": _plain(self.voice),
        }  # fmt: skip


def _plain(thing: Any) -> Any:
    if dataclasses.is_dataclass(thing):
        return {f.name: _plain(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    if isinstance(thing, Mapping):
        return {k: _plain(v) for k, v in thing.items()}
    return list(map(_plain, thing)) if isinstance(thing, tuple) else thing


@cache
def variation() -> Mapping[str, Any]:
    """How standing people differ, measured on free motion capture; see the file for its source."""
    text = (resources.files("kinesics.stage") / "data" / "variation.json").read_text(encoding="utf-8")
    return json.loads(text)


@lru_cache(maxsize=64)
def speaker(seed: int, number: int) -> Speaker:
    """Speaker ``number`` of a seed.

    Examples
    --------
    >>> speaker(7, 3) == speaker(7, 3), speaker(7, 3).name
    (True, 's0003')
    """
    traits = draw_traits(seed, number)

    def stream(*names: str) -> np.random.Generator:
        return rng(seed, "speaker", number, *names)

    return Speaker(seed, number, traits, _habits(stream, traits), _voice(stream, traits))


def _habits(stream: Any, traits: Traits) -> Habits:
    free = variation()
    beats = [g.lexeme for g in lexicon().values() if g.category == "beat"]
    count = int(stream("beats").integers(3, 6))
    liked = stream("favourites").choice(len(beats), count, replace=False)

    def factor(name: str, log_sd: float, low: float, high: float) -> float:
        return round(float(np.clip(np.exp(log_sd * stream(name).standard_normal()), low, high)), 4)

    def degrees(name: str, share: float) -> float:
        # Actors between tasks stand more variously than people who talk: a share of what was measured (ours).
        sd = free["posture_degrees"][name] * share
        return round(float(np.clip(stream("posture", name).normal(0, sd), -2 * sd, 2 * sd)), 3)

    old = float(np.clip((traits.age - 50) / 32, 0, 1))
    posture = {
        n: degrees(n, 0.35) for n in ("spine_pitch", "spine_roll", "head_pitch", "head_roll", "spine_yaw")
    }
    posture["spine_pitch"] = round(posture["spine_pitch"] + 5.0 * old, 3)
    sway = {g: factor(f"sway {g}", min(s, 0.5), 0.5, 2.0) for g, s in free["sway_log"].items()}
    return Habits(
        rate=round(float(np.clip(np.exp(stream("rate").normal(np.log(18), 0.35)), 6, 34)), 2),
        handedness="left" if stream("handedness").random() < 0.11 else "right",
        amplitude=factor("amplitude", free["hand_reach_log"], 0.65, 1.4),
        tempo=round(factor("tempo", 0.4 * free["hand_speed_log"], 0.75, 1.35) * (1 - 0.12 * old), 4),
        beats=tuple(sorted(beats[i] for i in liked)),
        lead=round(float(np.clip(stream("lead").normal(-0.02, 0.03), -0.08, 0.06)), 4),
        jitter=round(float(stream("jitter").uniform(0.01, 0.05)), 4),
        lip_gain=factor("lip gain", 0.16, 0.7, 1.35),
        gaze=(round(float(stream("azimuth").normal(0, 6)), 2), round(float(stream("elevation").normal(0, 3)), 2)),
        expressiveness=factor("expressiveness", 0.14, 0.7, 1.3),
        sway=MappingProxyType(sway), posture=MappingProxyType(posture),
    )  # fmt: skip


_ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-us-nyc", "en-gb-scotland", "en-gb-x-gbclan", "en-029")
_WOMEN = ("f1", "f2", "f3", "f4", "f5", "Annie", "Andrea", "belinda", "linda", "steph", "anika", "Alicia")
_MEN = (
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "Andy",
    "Alex",
    "adam",
    "Lee",
    "john",
    "paul",
    "max",
    "Michael",
)


def _voice(stream: Any, traits: Traits) -> Voice:
    accent = str(stream("accent").choice(_ACCENTS, p=[0.46, 0.16, 0.10, 0.08, 0.08, 0.06, 0.06]))
    variants = _WOMEN if traits.woman else _MEN
    variant = variants[int(stream("variant").integers(len(variants)))]
    old = float(np.clip((traits.age - 45) / 37, 0, 1))
    # Tall people have long vocal tracts.
    tract = 1 + 0.6 * traits.body["stature"] + float(stream("tract").normal(0, 0.035))
    return Voice(
        voice=f"{accent}+{variant}",
        rate=round(float(np.clip(stream("speech rate").normal(168 - 12 * old, 14), 130, 205)), 1),
        pitch=round(float(np.clip(stream("pitch").normal(50, 11), 25, 75)), 1),
        pitch_range=round(float(np.clip(stream("pitch range").normal(55, 12), 25, 85)), 1),
        tract=round(float(np.clip(tract, 0.88, 1.12)), 4),
    )


def condition(seed: int, number: int, take: int) -> tuple[str, int]:
    """Emotion and level of a speaker's take: all 24 in an order of their own, again and again."""
    around, place = divmod(take, len(CONDITIONS))
    order = rng(seed, "speaker", number, "conditions", around).permutation(len(CONDITIONS))
    return CONDITIONS[int(order[place])]


@dataclass(frozen=True)
class Take:
    """One take of a corpus that was or will be made."""

    seed: int
    number: int
    take: int
    seconds: float
    folder: str

    @property
    def path(self) -> Path:
        """Its file."""
        emotion, level = condition(self.seed, self.number, self.take)
        name = f"s{self.number:04d}"
        return Path(self.folder) / name / f"{name}_{emotion}_{level}_{self.take:03d}.kin"


def make_speakers(
    folder: str | os.PathLike[str],
    count: int,
    seed: int,
    *,
    takes: int = 4,
    seconds: float = 10.0,
    jobs: int | None = None,
    progress: bool = True,
) -> Path:
    """Write a corpus of speakers; started again after an interruption it goes on where it was.

    Parameters
    ----------
    folder
        Where; made when it is missing. A folder with something else in it is refused.
    count
        Speakers.
    seed
        The same seed gives the same bytes, however many processes write them.
    takes
        Of each speaker.
    seconds
        About how long a take is; it ends with a sentence.
    jobs
        Processes; None for one per core.
    progress
        Show a bar.

    Returns
    -------
    Path
        Of ``corpus.json``.

    Raises
    ------
    DataError
        If a number makes no sense, the folder holds something else or another corpus, or a disk is full.
    MissingExtra
        Without the extra ``voice``.
    """
    from kinesics import __version__
    from kinesics.files import replacing
    from kinesics.hear import espeak

    for name, value, low, high in (
        ("count", count, 1, 100_000),
        ("takes", takes, 1, 10_000),
        ("seconds", seconds, 1, 600),
    ):
        if not low <= value <= high:
            raise DataError(f"{name} {value}; expected {low} to {high}")
    if not espeak.available():
        raise MissingExtra("voice", "making speakers")
    root = Path(folder)
    settings = {
        "kind": "speakers", "version": VERSION, "kinesics": __version__, "seed": int(seed), "speakers": int(count),
        "takes": int(takes), "seconds": float(seconds),
    }  # fmt: skip
    _open_folder(root, settings)
    wanted = [Take(seed, n, t, float(seconds), str(root)) for n in range(count) for t in range(takes)]
    for n in range(count):
        about = root / f"s{n:04d}" / "speaker.json"
        if not about.exists():
            with replacing(about) as file:
                file.write((json.dumps(speaker(seed, n).describe(), indent=1) + "\n").encode())
    missing = [t for t in wanted if not t.path.exists()]
    if len(missing) < len(wanted):
        log.info("%d of %d takes are there already", len(wanted) - len(missing), len(wanted))
    _make_all(missing, jobs or os.cpu_count() or 1, done=len(wanted) - len(missing), progress=progress)
    files = sorted([t.path for t in wanted] + [root / f"s{n:04d}" / "speaker.json" for n in range(count)])
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.blake2b(path.read_bytes(), digest_size=16).digest())
    counts: dict[str, int] = {}
    for t in wanted:
        emotion, level = condition(seed, t.number, t.take)
        counts[f"{emotion} {level}"] = counts.get(f"{emotion} {level}", 0) + 1
    done = {
        **settings, "files": len(wanted), "conditions": dict(sorted(counts.items())), "hash": digest.hexdigest(),
        "licence": "CC0; speech by espeak-ng's rules; drift after CMU Graphics Lab motion capture (mocap.cs.cmu.edu)",
        "synthetic": True,
    }  # fmt: skip
    with replacing(root / "corpus.json") as file:
        file.write((json.dumps(done, indent=1) + "\n").encode())
    return root / "corpus.json"


def _open_folder(root: Path, settings: dict[str, Any]) -> None:
    """Begin a corpus, or make sure that the one there is this one."""
    from kinesics.files import replacing

    manifest = root / "manifest.json"
    if manifest.exists():
        try:
            found = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{manifest} is damaged ({error}); remove the folder and start again") from error
        if found != settings:
            named = [k for k in settings if not isinstance(found, dict) or found.get(k) != settings[k]]
            raise DataError(
                f"{root} holds another corpus (it differs in {', '.join(named) or 'its keys'}); name another folder, "
                "or give the same settings to go on with it"
            )
        for left in root.rglob(".*.part"):  # of a run that was killed
            left.unlink(missing_ok=True)
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root} is not an empty folder; name a new one")
    with replacing(manifest) as file:
        file.write((json.dumps(settings, indent=1) + "\n").encode())


def _make_all(missing: list[Take], jobs: int, *, done: int, progress: bool) -> None:
    if not missing:
        return
    from tqdm import tqdm

    bundles = [
        own[first : first + _BUNDLE]
        for _, group in groupby(missing, key=lambda t: t.number)
        for own in [list(group)]
        for first in range(0, len(own), _BUNDLE)
    ]
    jobs = min(jobs, len(bundles))
    bar = tqdm(total=done + len(missing), initial=done, desc="speakers", unit="take", disable=not progress)
    with bar:
        if jobs == 1:
            for take in missing:
                _make_bundle([take])
                bar.update()
            return
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor, as_completed

        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, context, initializer=_follow, initargs=(os.getpid(),)) as pool:
            waiting = [pool.submit(_make_bundle, b) for b in bundles]
            try:
                for future in as_completed(waiting):
                    bar.update(future.result())
            finally:  # one that failed, or Ctrl-C, leaves nothing waiting
                pool.shutdown(wait=False, cancel_futures=True)


def _follow(parent: int) -> None:
    """End this worker when the one who started it is gone: a killed run leaves nobody behind."""
    import threading
    import time

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _make_bundle(takes: list[Take]) -> int:
    for take in takes:
        _make_one(take)
    return len(takes)


def _make_one(take: Take) -> None:
    from kinesics.formats import kin
    from kinesics.stage.acting import act
    from kinesics.stage.speech import script

    who = speaker(take.seed, take.number)
    emotion, level = condition(take.seed, take.number, take.take)
    words = max(4, round(take.seconds * who.voice.rate / 60 * 0.8))
    text = script(take.seed, "speaker", take.number, "take", take.take, emotion=emotion, words=words)
    kin.write(act(who, text, emotion=emotion, level=level, take=take.take), take.path)
