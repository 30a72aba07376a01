"""Moving pictures that stay in their file until they are looked at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError, MissingExtra
from kinesics.performance._sampled import Sampled, exact_rate

log = logging.getLogger(__name__)

MOST_PIXELS = 1 << 26
"""Pixels of one picture; twice those of 8K."""

MOST_FRAMES = 10_000_000
_JUMP = 10.0  # seconds ahead from which seeking beats decoding what lies between
_HELD = 2000  # samples that a picture may stay on screen on average
_STRAY = 0.5  # frames: times that lie nearer to an even clock all along are taken for it


@dataclass(frozen=True, eq=False)
class Video(Sampled):
    """Pictures over time, decoded when they are asked for and never kept.

    A video has a uniform clock like every sampled track. A file with a variable rate is put on
    one: each sample shows the picture that is on screen at its time, so some are shown twice and some
    not at all. Slicing, resampling and shifting change only which pictures are shown when, and cost nothing.

    Parameters
    ----------
    path
        The file.
    picks
        (T,) which picture of the file each sample shows: its time stamp in the file, or its number where ``numbered``.
    fps
        Samples per second.
    size
        Width and height in pixels, as shown (the file's rotation flag applied).
    start
        Second of the first sample.
    rotation
        Quarter turns, counter-clockwise, that bring a stored picture upright.
    numbered
        Whether ``picks`` are numbers of pictures, as in files whose time stamps cannot be trusted (AVI).

    Examples
    --------
    >>> clip = Video.load("talk.mp4").slice(2, 4)  # doctest: +SKIP
    >>> clip.fps, clip.size, len(clip)  # doctest: +SKIP
    (Fraction(25, 1), (1920, 1080), 50)
    >>> brightness = [image.mean() for image in clip.frames()]  # doctest: +SKIP
    """

    path: Path
    picks: NDArray[np.int64]
    fps: Fraction
    size: tuple[int, int]
    start: float = 0.0
    rotation: int = 0
    numbered: bool = False

    _arrays = ("picks",)

    def __post_init__(self) -> None:
        self._settle("video")
        picks = np.array(self.picks, dtype=np.int64)
        width, height = (int(x) for x in self.size)
        if picks.ndim != 1 or not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
            raise DataError(
                f"video: picks of shape {picks.shape}, size {width} × {height}; expected (T,) and pixels"
            )
        picks.setflags(write=False)
        object.__setattr__(self, "path", Path(self.path))
        object.__setattr__(self, "picks", picks)
        object.__setattr__(self, "size", (width, height))

    @staticmethod
    def load(path: str | PathLike[str]) -> Video:
        """Open a video file; its packets are listed and its first picture is decoded, no other.

        Raises
        ------
        FormatError
            If it is no video, is cut off before its first picture, or its pictures are absurdly many or large.
        MissingExtra
            Without the extra ``video``.
        """
        return probe(Path(path))[0]

    def frames(self, start: float | None = None, end: float | None = None) -> Iterator[NDArray[np.uint8]]:
        """The pictures (H, W, 3), RGB, read-only, one after the other; memory stays flat.

        Pictures that cannot be decoded are replaced by the one before, with a warning in the log.

        Parameters
        ----------
        start, end
            Seconds on the performance's clock, half-open; None: all.

        Raises
        ------
        FormatError
            If the file is gone, or not one picture can be decoded.
        """
        part = self
        if start is not None or end is not None:
            part = self.slice(self.start if start is None else start, self.end if end is None else end)
        if len(part):
            yield from _decoded(part)

    def difference(self, other: Self) -> float:
        """0 if the same pictures of the same file are shown, else infinite."""
        self._same_layout(other)
        alike = self.path == other.path and np.array_equal(self.picks, other.picks)
        return 0.0 if alike else float("inf")

    def _same_layout(self, other: Any) -> None:
        super()._same_layout(other)
        if (self.size, self.rotation, self.numbered) != (other.size, other.rotation, other.numbered):
            raise DataError("video: sizes differ; write them to files of one size first")

    def join(self, other: Self) -> Self:
        """This video, then ``other``, another part of the same file."""
        if isinstance(other, Video) and other.path != self.path:
            raise DataError(
                f"video: {self.path} and {other.path} are two files; join them with a video editor"
            )
        return super().join(other)

    def _between(
        self, name: str, a: NDArray[Any], b: NDArray[Any], part: NDArray[np.float32]
    ) -> NDArray[Any]:
        # A picture stays on screen until the next; the slack is for times that are not exact in binary.
        return np.where(part > 0.999, b, a)


def probe(path: Path) -> tuple[Video, dict[str, Any]]:
    """A video and what its file says besides: codec, rotation, clock, losses.

    Raises
    ------
    FormatError, MissingExtra
        As :meth:`Video.load`.
    """
    with open_media(path, "a video") as container:
        if not container.streams.video:
            raise FormatError(path, "streams", "pictures, found sound alone", "read it with format='sound'")
        stream = _ready(path, container, one_thread=True)
        zero = zero_of(container)
        numbered = container.format.name == "avi"
        announced, metadata = stream.frames, dict(container.metadata)
        stamps, hidden = _stamps(path, container, stream)
        if not len(stamps):
            raise FormatError(
                path, "pictures", "at least one, found none", "the file is cut off; copy it again"
            )
        numbered = numbered or bool((stamps == _NONE).any())
        base, codec = stream.time_base, stream.codec_context.name
        rates = [r for r in (stream.guessed_rate, stream.average_rate) if r]
        first = _first_picture(path, container, stream)
        rotation = round(first.rotation / 90) % 4
        size = (first.height, first.width) if rotation % 2 else (first.width, first.height)
        aspect = stream.sample_aspect_ratio
    rates = [r for r in rates if 0 < r <= 1000] or [Fraction(25)]
    if numbered:
        picks, fps, start, even = np.arange(len(stamps)), rates[0], 0.0, True
    else:
        stamps = np.unique(stamps)
        picks, fps, start, even = _uniform(path, stamps, stamps * float(base), rates)
        start -= zero
        # Containers round time stamps, Matroska to milliseconds.
        start = 0.0 if abs(start) < min(2e-3, 0.1 / float(fps)) else start
    facts: dict[str, Any] = {
        "codec": codec,
        "rotation": 90 * rotation,
        "variable_rate": not even,
        "pictures": len(stamps),
    }
    if aspect and aspect != 1:
        facts["pixel_aspect"] = str(aspect)
    if announced and len(stamps) + hidden < 0.98 * announced - 2:
        facts["pictures_missing"] = announced - hidden - len(stamps)
        log.warning(
            "%s is cut off: %d of %d pictures are missing", path, facts["pictures_missing"], announced
        )
    if not even:
        log.info("%s has a variable rate; put on %s pictures per second", path, fps)
    facts["metadata"] = {str(k): str(v) for k, v in metadata.items()}
    return Video(path, picks, fps, size, round(start, 9), rotation, numbered), facts


_NONE = np.iinfo(np.int64).min


def _stamps(path: Path, container: Any, stream: Any) -> tuple[NDArray[np.int64], int]:
    """Time stamps of all pictures, without decoding any (``_NONE`` where there is none), and how many are not shown."""
    import av

    stamps: list[int] = []
    hidden = 0
    try:
        for packet in container.demux(stream):
            if packet.size and packet.is_discard:
                hidden += 1  # cut away by an edit list
            elif packet.size:
                stamps.append(_NONE if packet.pts is None else packet.pts)
                if len(stamps) > MOST_FRAMES:
                    raise FormatError(path, "pictures", f"at most {MOST_FRAMES}", "cut the video into parts")
    except av.FFmpegError as error:
        log.warning("%s is damaged after %d pictures: %s", path, len(stamps), error)
    return np.array(stamps, dtype=np.int64), hidden


def _uniform(
    path: Path, stamps: NDArray[np.int64], times: NDArray[np.float64], rates: list[Fraction]
) -> tuple[NDArray[np.int64], Fraction, float, bool]:
    """Which picture each sample of a uniform clock shows, its rate and start, and whether that is each once."""
    start, order = float(times[0]), np.arange(len(times))
    for rate in rates:
        away = times - start - order / float(rate)
        if np.abs(away - np.median(away)).max() < _STRAY / float(rate):
            return stamps, exact_rate(rate, "video"), start + float(np.median(away)), True
    fps = exact_rate(rates[0].limit_denominator(1001), "video")
    count = round((float(times[-1]) - start) * float(fps)) + 1
    if count > min(MOST_FRAMES, _HELD * len(stamps) + 10_000):
        raise FormatError(
            path,
            "time stamps",
            f"a length that {len(stamps)} pictures can fill, found {count / float(fps):.0f} s",
            "cut the video into parts",
        )
    shown = np.searchsorted(times, start + (np.arange(count) + _STRAY) / float(fps), side="right") - 1
    return stamps[np.clip(shown, 0, len(stamps) - 1)], fps, start, False


@contextmanager
def open_media(path: Path, what: str) -> Iterator[Any]:
    """Open sound or video with PyAV: as what its first bytes say, and without following anything to other files.

    Raises
    ------
    FormatError
        If it is missing, of no known kind, or damaged at its head.
    MissingExtra
        Without the extra ``video``.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", f"reading {what} of this kind") from error
    if not path.is_file():
        raise FormatError(path, "file", what, "check the path")
    with path.open("rb") as file:
        kind = _kind(file.read(4096))
    if kind is None:
        raise FormatError(path, "first bytes", what, "convert it, for instance to MP4 or WAV")
    try:
        # Naming the kind keeps playlists from being tried, which could open files and addresses of their own.
        container = av.open(f"file:{path.resolve()}", format=kind, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise FormatError(
            path, f"head ({_plain(error)})", what, "it is cut off or damaged; copy it again"
        ) from error
    with container:
        yield container


def zero_of(container: Any) -> float:
    """The time stamp in seconds that is a file's second 0.

    MP4 and Matroska count from 0; streams from anywhere, and sound files from where their codec has started up.
    """
    counted = container.format.name.startswith(("mov", "matroska"))
    return 0.0 if counted or not container.start_time else float(container.start_time / 1_000_000)


_KINDS = (
    (0, b"\x1aE\xdf\xa3", "matroska"), (0, b"OggS", "ogg"), (0, b"fLaC", "flac"), (0, b"caff", "caf"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"), (0, b"FLV", "flv"), (0, b"ID3", "mp3"),
    (0, b"\x00\x00\x01\xba", "mpeg"), (0, b"#!AMR", "amr"), (0, b"\x0b\x77", "ac3"), (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"), (8, b"AIFF", "aiff"), (8, b"AIFC", "aiff"), (4, b"ftyp", "mov"), (4, b"moov", "mov"),
    (4, b"mdat", "mov"), (4, b"wide", "mov"), (4, b"free", "mov"), (4, b"skip", "mov"),
)  # fmt: skip


def _kind(head: bytes) -> str | None:
    for place, mark, kind in _KINDS:
        if head[place : place + len(mark)] == mark:
            return kind
    if len(head) > 188 and head[0] == head[188] == 0x47:
        return "mpegts"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    return None


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _ready(path: Path, container: Any, *, one_thread: bool = False) -> Any:
    import av

    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise FormatError(path, "pictures", "a codec that is known", "convert it to MP4 (H.264)")
    if not 0 < context.width * context.height <= MOST_PIXELS:
        raise FormatError(
            path,
            "pictures",
            f"1 to {MOST_PIXELS:,} pixels, found {context.width} × {context.height}",
            "scale it down",
        )
    # Pictures may grow in the middle of a file.
    context.options = {"max_pixels": str(MOST_PIXELS)}
    # FFmpeg's threads would wait for Python's lock to write a line into a log that somebody asked
    # PyAV for, and Python, closing the file, for them.
    context.thread_count = 1 if one_thread or av.logging.get_level() is not None else 0
    stream.thread_type = "AUTO"
    return stream


def _first_picture(path: Path, container: Any, stream: Any) -> Any:
    import av

    try:
        container.seek(0 if stream.start_time is None else stream.start_time, stream=stream)
    except av.FFmpegError as error:
        raise FormatError(
            path, "pictures", f"a file that can be rewound ({_plain(error)})", "convert it to MP4"
        ) from error
    for picture in _pictures(path, container, stream):
        return picture
    raise FormatError(path, "pictures", "at least one that can be decoded", "it is damaged; copy it again")


def _pictures(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Decoded pictures from where the container stands; what cannot be decoded is left out and told."""
    import av

    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.FFmpegError:
            damaged += 1
            break
        try:
            yield from stream.decode(packet)
        except av.FFmpegError:
            damaged += 1
    if damaged:
        log.warning("%s: %d packets are damaged; the picture before them stays", path, damaged)


def _decoded(video: Video) -> Iterator[NDArray[np.uint8]]:
    with open_media(video.path, "a video") as container:
        stream = _ready(video.path, container)
        reader = _Reader(video, container, stream)
        for pick in video.picks.tolist():
            yield reader.image(pick)


class _Reader:
    """The picture on screen at any time stamp, cheap as long as these rise."""

    def __init__(self, video: Video, container: Any, stream: Any) -> None:
        self._video, self._container, self._stream = video, container, stream
        self._jump = int(_JUMP / float(stream.time_base)) if stream.time_base else 0
        self._shown: Any = None
        self._image: NDArray[np.uint8] | None = None
        self._at = self._next_at = _NONE
        self._rewind(int(video.picks[0]))

    def _rewind(self, pick: int) -> None:
        target = 0 if self._video.numbered else pick
        second = 1 / float(self._stream.time_base or 1)
        # Files without an index of their pictures (MPEG streams) are searched by guess, and may be entered too late.
        for back in (0.0, 2.0, 20.0, target / second + 10.0):
            self._enter(target - int(back * second), first=not back)
            if self._video.numbered or (self._next is not None and self._next_at <= pick):
                return

    def _enter(self, target: int, *, first: bool) -> None:
        import av

        try:
            self._container.seek(target, stream=self._stream)
        except av.FFmpegError as error:
            if not first:
                return
            raise FormatError(
                self._video.path,
                "pictures",
                f"a file that can be searched ({_plain(error)})",
                "convert it to MP4",
            ) from error
        self._source = _pictures(self._video.path, self._container, self._stream)
        self._count = 0
        self._shown, self._at = None, _NONE
        self._advance()

    def _advance(self) -> None:
        self._next = next(self._source, None)
        if self._next is not None:
            stamp = self._next.pts if self._next.pts is not None else self._next_at
            self._next_at = self._count if self._video.numbered else stamp
            self._count += 1

    def image(self, pick: int) -> NDArray[np.uint8]:
        ahead = not self._video.numbered and self._next is not None and pick - self._next_at > self._jump
        if (self._shown is not None and pick < self._at) or ahead:
            self._rewind(pick)
        while self._next is not None and (self._next_at <= pick or self._shown is None):
            self._shown, self._at, self._image = self._next, self._next_at, None
            self._advance()
        if self._shown is None:
            if self._image is None:
                raise FormatError(
                    self._video.path,
                    "pictures",
                    "at least one that can be decoded",
                    "it is damaged; copy it again",
                )
            return self._image
        if self._image is None:
            self._image = self._upright(self._shown)
        return self._image

    def _upright(self, picture: Any) -> NDArray[np.uint8]:
        width, height = self._video.size if self._video.rotation % 2 == 0 else self._video.size[::-1]
        image = picture.to_ndarray(format="rgb24", width=width, height=height)
        image = np.ascontiguousarray(np.rot90(image, self._video.rotation))
        image.setflags(write=False)
        return image
