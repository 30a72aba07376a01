"""Video in, a scene out: everybody in it with landmarks, face, gaze, head, hands, body and what they do, on one clock."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kinesics
from kinesics.errors import DataError, FormatError, choose
from kinesics.files import let_go
from kinesics.formats._media_sound import sound_of
from kinesics.performance import Audio, Scene, Video
from kinesics.ports.language import LanguageModel
from kinesics.progress import progress as bar
from kinesics.reading._person import faced, refined, tracks, understood
from kinesics.reading._recording import Recording
from kinesics.see import models
from kinesics.see.face_network import FaceReader
from kinesics.see.together import relate
from kinesics.systems import load_system

log = logging.getLogger(__name__)

_KEPT: list[TemporaryDirectory] = []
"""Recordings without a folder of their own: their rows stay mapped until the process ends."""
_BLOCK = 10.0
"""Seconds of video after which what is found reaches the disk."""
_BRIEF = 0.4
"""Seconds: somebody seen for less is nobody."""


def read(
    source: str | PathLike[str] | Video,
    *,
    people: int = 8,
    hands: bool = True,
    body: bool = True,
    speech: bool = True,
    transcript: str | None = None,
    language: str = "en",
    reasons: LanguageModel | None = None,
    refine: str | PathLike[str] | None = None,
    fps: Any = None,
    smooth: bool = True,
    threads: int | None = None,
    work: str | PathLike[str] | None = None,
    progress: bool = True,
) -> Scene:
    """Read what people in a video express and do.

    Parameters
    ----------
    source
        A video file, or a part of one.
    people
        How many are followed at most.
    hands, body
        Whether these are looked for.
    speech
        Whether its sound is heard, too.
    transcript, language
        What is said, and in which language; see :func:`kinesics.hear.hear`.
    reasons
        A language model (:mod:`kinesics.ports.language`) that words why an expression was read, from the measured action units
        and the label alone: no picture and no sound leaves the machine. By default our own small network does.
    refine
        The folder of an exported SPECTRE (:mod:`kinesics.systems.read.spectre.spec`; ``scripts/train_spectre.py`` trains one), which refines mouths.
    fps
        Pictures a second that are looked at; by default the video's.
    smooth
        Whether landmarks are calmed (one-euro filter; lids, lips and irises hardly).
    threads
        How many networks run at a time; by default one for each processor, four at most.
    work
        Folder for what is found meanwhile, 17 kB a person and picture; a reading that was interrupted goes on from there.
        By default a temporary one, gone with the process.
    progress
        Show a bar.

    Returns
    -------
    Scene
        ``people`` by name (``person 1`` …), in the order they came in, each with the tracks of docs/reading.md;
        ``shared``: ``video`` and, with sound, ``speech``; ``meta`` tells the source, and what could not be decoded.

    Raises
    ------
    FormatError
        If it is no video.
    MissingModels
        Before ``kinesics fetch landmarks``.
    MissingExtra
        Without the extra ``video``.

    Examples
    --------
    >>> scene = read("interview.mp4")  # doctest: +SKIP
    >>> scene.people[0].tier("smile"), scene.people[0].body  # doctest: +SKIP
    """
    refiner = None if refine is None else _refiner(refine)
    video = source if isinstance(source, Video) else Video.load(source)
    video = video if fps is None else video.resample(fps)
    if not 1 <= people <= 100:
        raise DataError(f"people {people}; expected 1 to 100")
    models.load("face_detector")  # before anything is decoded
    settings = {"people": people, "hands": hands, "body": body, "smooth": smooth}
    recording = _watched(video, settings, threads=threads, work=work, progress=progress)
    sound = _sound(video) if speech else None
    everybody, reader = {}, FaceReader(threads=threads)
    for first, rows in recording.rows().values():
        there = (rows["face_score"] > 0) | (rows["pose_sure"].max(axis=1) > 0)
        if np.count_nonzero(there) / float(video.fps) >= _BRIEF:
            seen = tracks(rows, video.fps, video.start + first / float(video.fps))
            person = faced(seen, rows, reader)
            everybody[f"person {len(everybody) + 1}"] = (
                person if refiner is None else refined(person, rows, *refiner)
            )
            let_go(rows)
    shared: dict[str, Any] = {"video": video}
    if sound is not None:
        shared["speech"] = sound
    meta: dict[str, Any] = {
        "read": {
            **settings,
            "refine": None if refine is None else str(refine),
            "version": kinesics.__version__,
        }
    }
    if recording.lost:
        meta["lost pictures"] = len(recording.lost)
        log.warning(
            "%s: %d pictures could not be decoded; nothing is known of them", video.path, len(recording.lost)
        )
    if not everybody:
        log.warning("%s: nobody was found", video.path)
    scene = Scene(everybody, shared=shared, meta=meta)
    return _understood(scene, transcript=transcript, language=language, reasons=reasons, progress=progress)


def _refiner(folder: str | PathLike[str]) -> tuple[Any, Any]:
    system, networks = load_system(folder)
    choose("refine", system.name, ("spectre",))
    return system, networks


def _understood(
    scene: Scene, *, transcript: str | None, language: str, reasons: LanguageModel | None, progress: bool
) -> Scene:
    """All that follows from landmarks and sound."""
    if "speech" in scene.shared:
        scene = _heard(scene, transcript, language, progress)
    everybody = scene.people.items()
    if progress:
        everybody = bar(list(everybody), "understanding", unit="person")
    scene = replace(scene, people={name: understood(person, language=reasons) for name, person in everybody})
    return relate(scene)


def _watched(
    video: Video,
    settings: dict[str, Any],
    *,
    threads: int | None,
    work: str | PathLike[str] | None,
    progress: bool,
) -> Recording:
    """Follow everybody through the pictures."""
    from kinesics.see.tracking import Tracker

    if work is None:
        _KEPT.append(TemporaryDirectory(prefix="kinesics-reading-", ignore_cleanup_errors=True))
        work = _KEPT[-1].name
    stamp = video.path.stat()
    told = {
        **settings, "video": str(video.path.resolve()), "size": stamp.st_size, "changed": stamp.st_mtime_ns,
        "fps": str(video.fps), "start": video.start, "pictures": len(video), "version": kinesics.__version__,
    }  # fmt: skip
    recording = Recording(Path(work), told)
    tracker = Tracker(float(video.fps), threads=threads, **settings)
    tracker.meet_again(recording.people)
    every = max(1, round(_BLOCK * float(video.fps)))
    rest = video.slice(video.start + recording.frames / float(video.fps), math.inf)
    pictures: Iterator = _pictures(rest)
    if progress:
        pictures = bar(pictures, "reading", total=len(rest), unit="picture")
    here: list = []
    for image, shown in pictures:
        if shown == "new":
            here = tracker.push(image)
        recording.add(here, lost=shown == "lost")
        if recording.frames % every == 0:
            recording.keep(tracker)
    recording.keep(tracker)
    return recording


def _pictures(video: Video) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Pictures, each ``new``, ``same`` (shown again, as its file has a variable rate) or ``lost`` (it could not be decoded)."""
    last, pick = None, None
    for image, now in zip(video.frames(), video.picks.tolist(), strict=True):
        if image is not last:
            yield image, "new"
        else:
            yield image, "same" if now == pick else "lost"
        last, pick = image, now


def _sound(video: Video) -> Audio | None:
    try:
        sound, _ = sound_of(video.path)
    except FormatError as error:
        log.warning("%s: its sound cannot be read: %s", video.path, error)
        return None
    return None if sound is None or not len(sound) else sound.slice(video.start, video.end)


def _heard(scene: Scene, transcript: str | None, language: str, progress: bool) -> Scene:
    """The tiers of speech: with one person theirs, with several shared."""
    from kinesics.hear import hear

    sound = scene.shared["speech"]
    assert isinstance(sound, Audio)
    heard = hear(sound.shift(-sound.start), transcript=transcript, language=language, progress=progress)
    heard = heard.shift(sound.start)
    tiers = {n: t for n, t in heard.tracks.items() if n not in ("speech", "affect")}
    if len(scene.people) == 1:
        ((name, person),) = scene.people.items()
        return replace(scene, people={name: person.with_tracks(**tiers)})
    return replace(scene, shared={**scene.shared, **tiers})
