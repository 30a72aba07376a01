"""Corpora of speakers in the folders of published data sets, so that one reader serves both.

- ``beat`` (Liu et al., ECCV 2022): ``<spk>/<spk>_<name>_0_<n>_<n>.{bvh,json,wav,TextGrid,csv,txt}``; BVH at 120 frames
  per second on BEAT's 75 joints, face at 60 without
  ``tongueOut``, sound at 16 kHz. The number of a sequence tells its emotion (0–64
  neutral, 65–72 happy …), so a speaker has room for as many takes of an emotion as BEAT gave it. ``csv`` holds name,
  start, end, duration, and the emotion's number in BEAT's order; ``txt`` the semantic classes.
- ``beat2`` (Liu et al., CVPR 2024): ``beat_english_v2.0.0/{smplxflame_30,wave16k,textgrid,sem}/<id>.*`` and
  ``train_test_split.csv``. ``expressions`` are zeros; the face lies in ``arkit`` with ``basis`` = ``"arkit"``.
- ``mead`` (Wang et al., ECCV 2020): ``<ID>/audio/<emotion>/level_<k>/<NNN>.m4a``, with ``video=True`` also
  ``<ID>/video/<view>/<emotion>/level_<k>/<NNN>.mp4``, and ``list_full_mead_annotated.txt`` with what is said.
  MEAD's neutral has one level.

- ``adnerf`` (Guo et al., ICCV 2021; SyncTalk, TalkingGaussian): a folder per speaker, all takes one after the other,
  see :mod:`kinesics.stage.person_folder`.

Semantic classes: a phrase that got its gesture is ``deictic``, ``iconic`` or ``metaphoric``, ``_l``, ``_m`` or ``_h`` by its score;
emblems, for which BEAT has no class, count as metaphoric. Beats are ``01_beat_align``.

Files are whole or not at all, and those that are there are kept: a run that was killed goes on.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from kinesics.behaviour.lexicon import lexicon
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError, MissingExtra, choose
from kinesics.files import replacing
from kinesics.formats import beat_face, bvh, kin, smplx, textgrid
from kinesics.performance import Audio, Performance
from kinesics.progress import progress as bar
from kinesics.stage.speakers import Speaker, speaker

log = logging.getLogger(__name__)

BEAT_EMOTIONS: dict[str, tuple[int, int]] = {
    "neutral": (0, 64), "happy": (65, 72), "anger": (73, 80), "sad": (81, 86), "contempt": (87, 94),
    "surprise": (95, 102), "fear": (103, 110), "disgust": (111, 118),
}  # fmt: skip
"""Emotion → first and last number of its sequences; its place here is its number in BEAT's csv."""
MEAD_EMOTIONS: dict[str, str] = {
    "neutral": "neutral", "happy": "happy", "sad": "sad", "surprise": "surprised", "fear": "fear",
    "disgust": "disgusted", "anger": "angry", "contempt": "contempt",
}  # fmt: skip
MEAD_VIEWS: dict[str, float] = {
    "front": 0.0, "left_30": 30.0, "left_60": 60.0, "right_30": -30.0, "right_60": -60.0,
}  # fmt: skip
"""View → degrees that the camera stands to the speaker's left."""
_SOUND = 16_000
_CLASSES = {"deictic": 2, "iconic": 5, "metaphoric": 8, "emblem": 8}


@dataclass(frozen=True)
class Clip:
    """One take of a corpus.

    Parameters
    ----------
    path
        Its ``.kin``.
    number, take
        Of the speaker and of their take.
    emotion, level
        Its condition.
    """

    path: Path
    number: int
    take: int
    emotion: str
    level: int

    def load(self) -> Performance:
        """Read it."""
        return kin.read(self.path)


def clips(corpus: str | PathLike[str]) -> tuple[dict[str, Any], list[Clip]]:
    """What ``corpus.json`` says, and all takes in order.

    Raises
    ------
    DataError
        If the folder is no finished corpus of speakers.
    FormatError
        If takes are missing, by the first one's name.
    """
    from kinesics.stage.speakers import Take, condition

    root = Path(corpus)
    try:
        about = json.loads((root / "corpus.json").read_text(encoding="utf-8"))
        seed, speakers, takes = (int(about[k]) for k in ("seed", "speakers", "takes"))
        kind = about["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{root} is not a finished corpus of speakers ({error}); make it first") from error
    if kind != "speakers":
        raise DataError(f"{root} is a corpus of {kind}; expected one of speakers")
    found = []
    for n in range(speakers):
        for t in range(takes):
            path = Take(seed, n, t, 0.0, str(root)).path
            if not path.is_file():
                raise FormatError(
                    path, "file", "a take of the corpus", "make the corpus again to fill the gap"
                )
            emotion, level = condition(seed, n, t)
            found.append(Clip(path, n, t, emotion, level))
    return about, found


def write_layout(
    corpus: str | PathLike[str],
    folder: str | PathLike[str],
    layout: str,
    *,
    video: bool = False,
    views: tuple[str, ...] = ("front",),
    size: int = 256,
    progress: bool = True,
) -> Path:
    """Write a corpus of speakers in the layout of a published data set.

    Parameters
    ----------
    corpus
        What :func:`kinesics.stage.speakers.make_speakers` wrote.
    folder
        Where the layout's folders go.
    layout
        ``"beat"``, ``"beat2"``, ``"mead"`` or ``"adnerf"``.
    video
        Also paint the films of MEAD.
    views, size
        Of these films: names of :data:`MEAD_VIEWS`, and pixels; AD-NeRF's pictures have this size, too.
    progress
        Show a bar.

    Returns
    -------
    Path
        Where a reader should look: ``folder``, or BEAT2's language folder in it.

    Raises
    ------
    DataError
        On an unknown layout, a corpus that is not finished, or more takes of an emotion than BEAT has numbers.
    MissingExtra
        For MEAD and AD-NeRF without the extra ``video``.
    """
    choose("layout", layout, LAYOUTS)
    about, found = clips(corpus)
    root = Path(folder)
    people = {c.number: speaker(int(about["seed"]), c.number) for c in found}
    return LAYOUTS[layout](root, found, people, _Options(video, views, size, progress))


@dataclass(frozen=True)
class _Options:
    video: bool
    views: tuple[str, ...]
    size: int
    progress: bool

    def through(self, found: list[Clip], what: str) -> Iterator[Clip]:
        return bar(found, what, total=len(found), unit="take") if self.progress else iter(found)


def beat_numbers(found: list[Clip]) -> dict[Path, int]:
    """Sequence number of every take, within its emotion's range."""
    used: dict[tuple[int, str], int] = {}
    out = {}
    for c in found:
        first, last = BEAT_EMOTIONS[c.emotion]
        number = first + used.get((c.number, c.emotion), 0)
        if number > last:
            raise DataError(
                f"speaker {c.number} has more than {last - first + 1} takes of {c.emotion!r}, for which BEAT has no numbers; "
                "make fewer takes of more speakers"
            )
        used[c.number, c.emotion] = number - first + 1
        out[c.path] = number
    return out


def _stem(c: Clip, numbers: dict[Path, int], name: str) -> str:
    n = numbers[c.path]
    return f"{c.number + 1}_{name}_0_{n}_{n}"


def _beat(root: Path, found: list[Clip], people: dict[int, Speaker], options: _Options) -> Path:
    numbers = beat_numbers(found)
    for c in options.through(found, "BEAT"):
        stem = root / str(c.number + 1) / _stem(c, numbers, people[c.number].name)
        last = stem.with_suffix(".txt")  # written last: where it is, all are
        if last.exists():
            continue
        show = c.load()
        bvh.write(_on_beat(show), stem.with_suffix(".bvh"))
        face = show.face.select(ARKIT[:-1])
        beat_face.write(show.with_tracks(face=face), stem.with_suffix(".json"))
        _bytes(stem.with_suffix(".wav"), show.speech.mono().resample(_SOUND).wav())
        textgrid.write(show, stem.with_suffix(".TextGrid"), tiers=("words", "phones"))
        emotion = [(c.emotion, 0.0, show.duration, show.duration, list(BEAT_EMOTIONS).index(c.emotion))]
        _bytes(stem.with_suffix(".csv"), _table(emotion, ","))
        _bytes(last, semantic_table(show))
    return root


def _on_beat(show: Performance) -> Performance:
    body = retarget(show.body.resample(120), "beat")
    return Performance({"body": body})


def _beat2(root: Path, found: list[Clip], people: dict[int, Speaker], options: _Options) -> Path:
    top = root / "beat_english_v2.0.0"
    numbers = beat_numbers(found)
    most = max(c.take for c in found)
    rows = []
    for c in options.through(found, "BEAT2"):
        stem = _stem(c, numbers, people[c.number].name)
        kind = (
            "test" if c.take == most and most > 0 else "val" if c.take == most - 1 and most > 2 else "train"
        )
        rows.append((stem, kind))
        last = top / "sem" / f"{stem}.txt"
        if last.exists():
            continue
        show = c.load()
        smplx.write(show, top / "smplxflame_30" / f"{stem}.npz", layout="beat2", fps=30)
        _bytes(top / "wave16k" / f"{stem}.wav", show.speech.mono().resample(_SOUND).wav())
        textgrid.write(show, top / "textgrid" / f"{stem}.TextGrid", tiers=("words", "phones"))
        _bytes(last, semantic_table(show))
    _bytes(top / "train_test_split.csv", _table([("id", "type"), *rows], ","))
    return top


def _mead(root: Path, found: list[Clip], people: dict[int, Speaker], options: _Options) -> Path:
    for view in options.views:
        choose("view", view, MEAD_VIEWS)
    running: dict[tuple[int, str, int], int] = {}
    lines = []
    for c in options.through(found, "MEAD"):
        who = people[c.number]
        name = f"{'W' if who.traits.woman else 'M'}{c.number + 1:03d}"
        level = 1 if c.emotion == "neutral" else c.level
        key = (c.number, c.emotion, level)
        running[key] = running.get(key, 0) + 1
        emotion, number = MEAD_EMOTIONS[c.emotion], f"{running[key]:03d}"
        place = Path(emotion) / f"level_{level}"
        show = None
        audio = root / name / "audio" / place / f"{number}.m4a"
        if not audio.exists():
            show = c.load()
            _m4a(audio, show.speech)
        for view in options.views if options.video else ():
            film = root / name / "video" / view / place / f"{number}.mp4"
            if not film.exists():
                show = show or c.load()
                _film(film, show, who, MEAD_VIEWS[view], options.size)
        text = (show or c.load()).meta["stage"]["text"]
        lines.append(f"{name}_level_{level}_{emotion}_{number} {text.upper()}\n")
    _bytes(root / "list_full_mead_annotated.txt", "".join(lines).encode())
    return root


def _adnerf(root: Path, found: list[Clip], people: dict[int, Speaker], options: _Options) -> Path:
    from kinesics.stage.person_folder import write_person

    own: dict[int, list[Clip]] = {}
    for c in found:
        own.setdefault(c.number, []).append(c)
    order = bar(own.items(), "AD-NeRF", total=len(own), unit="person") if options.progress else own.items()
    for number, takes in order:
        write_person(people[number], [c.load() for c in takes], root / people[number].name, size=options.size)
    return root


def _film(path: Path, show: Performance, who: Speaker, turn: float, size: int) -> None:
    from kinesics.formats import video
    from kinesics.render import view_of

    person = who.identity
    camera = view_of(person, "face", width=size, height=size, turn=turn)
    video.write(show, path, avatar=person, view=camera, width=size, height=size, fps=25)  # type: ignore[arg-type]


def _m4a(path: Path, speech: Audio) -> None:
    """Sound as AAC in an MP4 container, the same bytes every time."""
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "writing .m4a sound") from error
    sound = speech.mono().resample(48_000)
    with replacing(path) as file, av.open(file, "w", format="ipod", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("aac", rate=48_000)
        stream.bit_rate = 128_000
        stream.codec_context.layout = "mono"
        stream.codec_context.flags |= 0x00800000  # bit-exact: no version number in the stream
        for first in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(
                sound.samples[None, first : first + 1024].copy(), "fltp", "mono"
            )
            frame.sample_rate, frame.pts = 48_000, first
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def semantic_table(show: Performance) -> bytes:
    """BEAT's semantic file: class, start, end, duration, score and words, a line for each gesture.

    Lines are in order of time; those of beats come after those of phrases that hold the same moment, as
    readers take the first that fits.
    """
    words = show.tier("words")
    rows: list[tuple[float, int, tuple[Any, ...]]] = []
    for i in show.tier("semantic"):
        kind = i.label.split()[0]
        if not i.value or kind not in _CLASSES:
            continue
        degree = 0 if i.value < 0.6 else 1 if i.value < 0.8 else 2
        name = f"{_CLASSES[kind] + degree:02d}_{'metaphoric' if kind == 'emblem' else kind}_{'lmh'[degree]}"
        said = " ".join(w.label for w in words.slice(i.start, i.end))
        rows.append((i.start, 0, (name, i.start, i.end, i.duration, i.value, said)))
    for i in show.tier("gestures"):
        phase, _, lexeme = i.label.partition(" ")
        known = lexicon().get(lexeme.rsplit("_", 1)[0])
        if phase == "stroke" and known is not None and known.category == "beat":
            said = " ".join(w.label for w in words.slice(i.start, i.end))
            rows.append((i.start, 1, ("01_beat_align", i.start, i.end, i.duration, 0.1, said)))
    return _table([row for _, _, row in sorted(rows, key=lambda r: r[:2])], "\t")


def _table(rows: list[tuple[Any, ...]], separator: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([[f"{v:.4f}" if isinstance(v, float) else v for v in row] for row in rows])
    return out.getvalue().encode()


def _bytes(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)


LAYOUTS: dict[str, Callable[[Path, list[Clip], dict[int, Speaker], _Options], Path]] = {
    "adnerf": _adnerf, "beat": _beat, "beat2": _beat2, "mead": _mead,
}  # fmt: skip
"""Layout → its writer."""
