"""What networks are trained on: all clips of a corpus as arrays at one rate, kept on the disk."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.corpora._kept import keep, kept_folder
from kinesics.errors import DataError, FormatError, choose
from kinesics.formats._encode import from_json
from kinesics.geometry import rotations as rot
from kinesics.hear import frames as sound
from kinesics.hear.phones import is_silence, plain
from kinesics.performance import Performance, Tier
from kinesics.performance._sampled import exact_rate
from kinesics.progress import progress
from kinesics.seeds import rng

if TYPE_CHECKING:
    from kinesics.corpora._corpus import Corpus

log = logging.getLogger(__name__)

VERSION = 1
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
PARTS = (
    "body", "root", "face", "mel", "onset", "amplitude", "wave", "words", "phones", "emotion", "semantic",
)  # fmt: skip
SILENT, UNKNOWN = 0, 1
"""Word ids of frames without a word, and of words that the vocabulary lacks."""

_NEEDS = {
    "body": "body", "root": "body", "face": "face", "mel": "speech", "onset": "speech", "amplitude": "speech",
    "wave": "speech", "words": "words", "phones": "phones", "emotion": "emotion", "semantic": "semantic",
}  # fmt: skip
_ABOUT = "about.json"
_WIDTH = 128


@dataclass(frozen=True)
class Features:
    """Which features, and how.

    Parameters
    ----------
    parts
        Of: ``body`` (6-D rotations of ``joints``), ``root`` (velocity of the hips along x in m/s, their height in m,
        velocity along z), ``face`` (coefficients of ``face``), ``mel`` (``bands`` log mel bands), ``onset`` (strength),
        ``amplitude``, ``wave`` (the samples of each frame; fps must divide 16000), ``words`` (ids), ``phones``
        (one-hot), ``emotion`` (intensity of eight), ``semantic`` (score).
    fps
        Frames per second.
    joints
        Names of canonical joints.
    face
        Names of ARKit coefficients.
    bands
        Mel bands.
    vectors
        Vectors of the vocabulary: ``""`` for none, ``"tfidf"`` (128 numbers, no model needed) or
        ``"minilm"`` (384, extra ``text``).
    """

    parts: tuple[str, ...] = ("body", "root", "face", "mel", "onset", "amplitude")
    fps: Any = 30
    joints: tuple[str, ...] = JOINTS[:22]
    face: tuple[str, ...] = ARKIT
    bands: int = 80
    vectors: str = ""

    def __post_init__(self) -> None:
        for name, valid in (("parts", PARTS), ("joints", JOINTS), ("face", ARKIT)):
            object.__setattr__(self, name, tuple(choose(name, v, valid) for v in getattr(self, name)))
        object.__setattr__(self, "fps", exact_rate(self.fps, "features"))
        choose("vectors", self.vectors, ("", "tfidf", "minilm"))
        if not self.parts or len(set(self.parts)) != len(self.parts):
            raise DataError("features: name at least one part, each once")
        if self.vectors and "words" not in self.parts:
            raise DataError("features: vectors are those of words; add the part 'words'")
        if not 1 <= self.bands <= 256:
            raise DataError(f"features: {self.bands} mel bands; expected 1 to 256")
        if "wave" in self.parts and (sound.RATE / self.fps).denominator != 1:
            raise DataError(
                f"features: {sound.RATE} samples cannot be dealt out to {self.fps} frames; change fps"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return json.loads(json.dumps(asdict(self) | {"fps": str(self.fps)}))

    def key(self, corpus_hash: str) -> str:
        """Of this specification on a corpus: what the kept arrays are found by."""
        text = json.dumps([VERSION, self.as_dict(), corpus_hash], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class FeatureTable:
    """All frames of a corpus, one array per part, memory-mapped.

    ``table["body"]`` is (frames of all clips, columns); :meth:`clip` gives those of one clip.
    """

    def __init__(self, folder: Path, splits: dict[str, str]) -> None:
        self.folder = folder
        try:
            about = from_json((folder / _ABOUT).read_bytes())
            self.spec = Features(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in about["spec"].items()}
            )
            self.columns: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in about["columns"].items()}
            self.vocabulary: tuple[str, ...] = tuple(about["vocabulary"])
            self.speakers: tuple[str, ...] = tuple(about["speakers"])
            self._rows = {n: (int(a), int(b), int(s), tuple(lacks)) for n, a, b, s, lacks in about["clips"]}
            self._arrays = {
                p: np.load(folder / f"{p}.npy", mmap_mode="r", allow_pickle=False) for p in self.spec.parts
            }
            if any(len(a) != self.frames for a in self._arrays.values()):
                raise ValueError("arrays of other lengths")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FormatError(
                folder, "kept features", f"arrays as kinesics wrote them ({error})", "remove this folder"
            ) from error
        self._splits = splits

    def __reduce__(self) -> tuple[type, tuple[Path, dict[str, str]]]:
        # Workers map the files themselves; the numbers are not sent.
        return type(self), (self.folder, self._splits)

    def __getitem__(self, part: str) -> NDArray[Any]:
        return self._arrays[choose("part", part, self._arrays)]

    def __iter__(self) -> Any:
        return iter(self._arrays)

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self.spec.fps

    @property
    def frames(self) -> int:
        """Of all clips together."""
        return max((b for _, b, _, _ in self._rows.values()), default=0)

    def rows(self, clip: str) -> slice:
        """Where the frames of a clip are."""
        first, last, _, _ = self._row(clip)
        return slice(first, last)

    def _row(self, clip: str) -> tuple[int, int, int, tuple[str, ...]]:
        if clip not in self._rows:
            raise DataError(f"features: no clip {clip!r}; there are {len(self._rows)}")
        return self._rows[clip]

    def clip(self, clip: str) -> dict[str, NDArray[Any]]:
        """The arrays of one clip, views into the files."""
        rows = self.rows(clip)
        return {p: a[rows] for p, a in self._arrays.items()}

    def speaker(self, clip: str) -> int:
        """Number of a clip's speaker in ``speakers``."""
        return self._row(clip)[2]

    def lacks(self, clip: str) -> tuple[str, ...]:
        """Parts of a clip that are zeros because it has no such track."""
        return self._row(clip)[3]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(words of the vocabulary, D) unit vectors; rows 0 and 1 (no word, unknown) are zeros."""
        return np.load(self.folder / "vectors.npy", mmap_mode="r", allow_pickle=False)

    def windows(
        self, length: int, stride: int, split: str | None = None, *, needs: Iterable[str] = ()
    ) -> NDArray[np.int64]:
        """First rows of windows of ``length`` frames, ``stride`` apart, each within one clip.

        Parameters
        ----------
        length, stride
            Frames.
        split
            Of one split; of all when None.
        needs
            Parts that a clip must really have.
        """
        if length < 1 or stride < 1:
            raise DataError(f"windows of {length} frames every {stride}; expected at least 1")
        if split is not None:
            choose("split", split, sorted(set(self._splits.values())))
        wanted = set(needs)
        out = [
            np.arange(first, last - length + 1, stride)
            for name, (first, last, _, lacks) in self._rows.items()
            if split in (None, self._splits[name]) and not wanted & set(lacks)
        ]
        return np.concatenate([np.zeros(0, np.int64), *out])

    def batch(self, starts: Sequence[int] | NDArray[np.int64], length: int) -> dict[str, NDArray[Any]]:
        """(windows, length, columns) of each part, and ``speaker`` (windows,)."""
        starts = np.asarray(starts, np.int64)
        rows = starts[:, None] + np.arange(length)
        firsts, speakers = self._owners
        out = {p: np.asarray(a[rows]) for p, a in self._arrays.items()}
        return out | {"speaker": speakers[np.searchsorted(firsts, starts, side="right") - 1]}

    @cached_property
    def _owners(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First row and speaker of every clip."""
        return tuple(np.array([row[k] for row in self._rows.values()]) for k in (0, 2))  # type: ignore[return-value]

    def statistics(
        self, part: str, split: str | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each column over the clips of a split that have the part."""
        array, total, square, count = self[part], 0.0, 0.0, 0
        for name, (first, last, _, lacks) in self._rows.items():
            if split in (None, self._splits[name]) and part not in lacks:
                values = np.asarray(array[first:last], np.float64)
                total, square, count = (
                    total + values.sum(0),
                    square + np.square(values).sum(0),
                    count + len(values),
                )
        if not count:
            raise DataError(f"features: no clip of split {split!r} has {part!r}")
        mean = np.asarray(total / count)
        return mean, np.sqrt(np.maximum(square / count - np.square(mean), 0))


def table_of(corpus: Corpus, spec: Features) -> FeatureTable:
    """The kept features of a corpus; made if they are not there yet."""
    folder = kept_folder(corpus.path, "features", spec.key(corpus.hash))
    splits = {n: corpus.entry(n).split for n in corpus}
    if not (folder / _ABOUT).is_file():
        keep(folder, _ABOUT, lambda work: _fill(corpus, spec, work))
    return FeatureTable(folder, splits)


def _fill(corpus: Corpus, spec: Features, folder: Path) -> None:
    counts = {n: int(corpus.entry(n).seconds * spec.fps + Fraction(1, 1000)) for n in corpus}
    total = sum(counts.values())
    vocabulary, phones = _labels(corpus, spec)
    if spec.vectors:  # first, as it may need what is not installed
        np.save(folder / "vectors.npy", _vectors(spec.vectors, vocabulary))
    columns = _columns(spec, phones)
    kinds = {"words": np.int32, "phones": np.uint8}
    arrays = {
        p: np.lib.format.open_memmap(
            folder / f"{p}.npy", "w+", kinds.get(p, np.float32), (total, *([len(columns[p])] if columns[p] else []))
        )
        for p in spec.parts
    } if total else {}  # fmt: skip
    if not total:
        raise DataError(f"{corpus.path}: no clip is as long as one frame at {spec.fps} per second")
    words = {w: i for i, w in enumerate(vocabulary)}
    people = {s: k for k, s in enumerate(corpus.speakers)}
    clips, first, missing = [], 0, Counter()
    for name, count in progress(counts.items(), "features", total=len(counts), unit="clip"):
        show = corpus.clip(name)
        lacks = [p for p in spec.parts if not _has(show, p)]
        missing.update(lacks)
        for part in spec.parts:
            if part not in lacks and count:
                arrays[part][first : first + count] = _part(show, part, spec, count, words, phones)
        clips.append([name, first, first + count, people[corpus.entry(name).speaker], lacks])
        first += count
    if nowhere := [p for p, number in missing.items() if number == len(clips)]:
        raise DataError(f"{corpus.name}: no clip has {', '.join(nowhere)}; leave these parts out")
    for part, number in missing.items():
        log.warning(
            "%s: %d of %d clips have no %s; their frames are zeros", corpus.name, number, len(clips), part
        )
    for array in arrays.values():
        array.flush()
    about = {
        "spec": spec.as_dict(), "corpus": corpus.name, "corpus_hash": corpus.hash, "columns": columns,
        "vocabulary": vocabulary, "speakers": corpus.speakers, "clips": clips,
    }  # fmt: skip
    (folder / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _has(show: Performance, part: str) -> bool:
    track = show.get(_NEEDS[part])
    return track is not None and (isinstance(track, Tier) or len(track) > 0)


def _columns(spec: Features, phones: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of the columns of each part; none for parts of one number a frame."""
    return {
        p: {
            "body": tuple(f"{j}.{k}" for j in spec.joints for k in range(6)),
            "root": ("velocity_x", "height", "velocity_z"),
            "face": spec.face,
            "mel": tuple(f"mel_{k}" for k in range(spec.bands)),
            "wave": tuple(f"sample_{k}" for k in range(int(sound.RATE / spec.fps))) if p == "wave" else (),
            "phones": tuple(phones),
            "emotion": EMOTIONS,
        }.get(p, ())
        for p in spec.parts
    }


def _labels(corpus: Corpus, spec: Features) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of the training split, most frequent first, and the phones of all clips."""
    said: Counter[str] = Counter()
    phones: set[str] = set()
    if {"words", "phones"} & set(spec.parts):
        training = "train" if "train" in corpus.splits else None
        learnt = set(corpus.names(training))
        for name in progress(corpus, "vocabulary", total=len(corpus), unit="clip"):
            show = corpus.clip(name)
            if name in learnt:
                said.update(w.label.lower() for w in show.tier("words"))
            phones |= {_phone(p.label) for p in show.tier("phones")}
    said.pop("", None)
    words = sorted(said, key=lambda w: (-said[w], w))
    return ("<silence>", "<unknown>", *words), ("sil", *sorted(phones - {"sil"}))


def _phone(label: str) -> str:
    return "sil" if is_silence(label) else plain(label)


def _vectors(kind: str, vocabulary: Sequence[str]) -> NDArray[np.float32]:
    words = list(vocabulary[2:])
    from kinesics.ports import embedder

    if kind == "minilm":
        found = embedder.MiniLM().embed(words) if words else np.zeros((0, 384), np.float32)
    else:
        found = np.zeros((len(words), _WIDTH), np.float32)
        port = embedder.TfIdf(words) if words else None
        turn: NDArray[np.float32] | None = None
        for first in range(0, len(words), 512) if port else ():
            sparse = port.embed(words[first : first + 512])
            if turn is None:
                turn = (
                    rng(0, "corpora", "word vectors")
                    .normal(size=(sparse.shape[1], _WIDTH))
                    .astype(np.float32)
                )
            part = sparse @ turn
            found[first : first + 512] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9)
    return np.concatenate([np.zeros((2, found.shape[1]), np.float32), found])


def _part(
    show: Performance, part: str, spec: Features, count: int, words: dict[str, int], phones: Sequence[str]
) -> NDArray[Any]:
    fps = float(spec.fps)
    times = np.arange(count) / fps
    if part in ("body", "root"):
        body = show.body
        if body.skeleton.names != JOINTS:
            raise DataError("features: the body is not on the canonical 55 joints; prepare the corpus again")
        body = body.at(times)
        if part == "body":
            return rot.to_6d(body.rotations[:, [INDEX[j] for j in spec.joints]]).reshape(count, -1)
        step = np.diff(
            body.root, axis=0, prepend=body.root[:1] * 2 - body.root[1:2] if count > 1 else body.root[:1]
        )
        return np.stack([step[:, 0] * fps, body.root[:, 1], step[:, 2] * fps], axis=1)
    if part == "face":
        return show.face.select(spec.face).at(times).values
    if part in ("mel", "onset", "amplitude", "wave"):
        return _sound(show, part, spec, count)
    if part == "words":
        ids = _on_frames(
            show.tier("words"),
            fps,
            count,
            lambda i: words.get(i.label.lower(), UNKNOWN) if i.label else SILENT,
        )
        return ids.astype(np.int32)
    if part == "phones":
        number = {p: k for k, p in enumerate(phones)}
        ids = _on_frames(show.tier("phones"), fps, count, lambda i: number[_phone(i.label)]).astype(int)
        return np.eye(len(phones), dtype=np.uint8)[ids]
    if part == "semantic":
        return _on_frames(show.tier("semantic"), fps, count, lambda i: 1.0 if i.value is None else i.value)
    out = np.zeros((count, len(EMOTIONS)), np.float32)
    for k, emotion in enumerate(EMOTIONS):
        own = Tier(emotion, tuple(i for i in show.tier("emotion") if i.label == emotion))
        out[:, k] = _on_frames(own, fps, count, lambda i: 1.0 if i.value is None else i.value)
    return out


def _sound(show: Performance, part: str, spec: Features, count: int) -> NDArray[np.float32]:
    speech = show.speech.mono().resample(sound.RATE)
    samples = np.asarray(speech.samples)
    offset = round(speech.start * sound.RATE)
    samples = np.pad(samples, (offset, 0)) if offset > 0 else samples[-offset:]
    if part == "wave":
        hop = int(sound.RATE / spec.fps)
        samples = samples[: count * hop]
        return np.pad(samples, (0, count * hop - len(samples))).reshape(count, hop)
    if part == "mel":
        return sound.log_mel(samples, fps=float(spec.fps), count=count, bands=spec.bands)
    return (sound.onset_strength if part == "onset" else sound.amplitude)(
        samples, fps=float(spec.fps), count=count
    )


def _on_frames(tier: Tier, fps: float, count: int, value: Any) -> NDArray[np.float64]:
    """(count,) value of the interval that holds each frame, 0 where there is none."""
    out = np.zeros(count)
    for interval in tier:
        first, last = (
            int(np.ceil(np.clip(s * fps - 1e-6, 0, count))) for s in (interval.start, interval.end)
        )
        out[first:last] = value(interval)
    return out
