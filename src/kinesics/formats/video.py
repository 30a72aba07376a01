"""Video files: pictures and their sound, as every camera and player has them.

Carries ``video`` and ``speech``; a body or face without a ``video`` is filmed: painted on the avatar, with its sound. Needs the extra ``video`` (PyAV). Read are MP4, MOV, Matroska, WebM, AVI, MPEG and what else PyAV
decodes; the content counts, not the ending, and a file is opened only as what its first bytes say, so that a playlist in
disguise reaches no other file or address.

**Pictures stay in the file.** The track ``video`` remembers which picture is shown when; ``video.frames()`` decodes them one
after the other, in flat memory. So the file must stay where it is. Reading lists the packets and decodes
the first picture alone. The rate is exact (24000/1001, not 23.98). Files with a variable rate are put on a uniform clock of their usual rate: each sample shows the picture
that is on screen then (``meta["video"]["variable_rate"]``). Pictures before an edit list's start are left out. A rotation flag is applied (``"rotation"``: degrees, counter-clockwise); pixels that are not
square are left as they are and told (``"pixel_aspect"``). Both tracks start where their time stamps say, from the file's own beginning.

**Sound** is the first sound track, at its own rate and channels. What is cut off or damaged is told in the log and in ``meta["video"]``
(``pictures_missing``, ``packets_damaged``); the pictures around it are used, a damaged one is replaced by the one before, and damaged sound is silent. Further facts there: ``codec``, ``pictures``, ``sound_codec``, ``metadata``,
and ``synthetic``, true for files that say so. Pictures above 67 million pixels, more than 10 million of them, and sound out of all proportion to the file are refused.

**Filmed** are body and face on a deterministic rasteriser; ``view=`` is ``"face"``, ``"bust"``, ``"half"`` or ``"body"``, ``width=``, ``height=`` and ``fps=`` the
film's, ``avatar=`` who is seen. A track ``video`` has its own of these.

**Annotated.** A scene is written as the video that it was read from with what was read drawn into it (see :mod:`kinesics.reading.overlay`),
and its sound; the comment then says ``annotated``.

**Written** is MP4, MOV or Matroska with H.264 (libx264 where PyAV has it, else AV1 or VP9, which is logged) and AAC at 128 kbit/s a channel, WebM with
VP9 and Opus; ``codec=`` chooses, ``quality=`` is the codec's constant rate factor (lower is better). Colours are BT.709 with halved colour resolution, so pictures come back nearly, never exactly. An odd width or height
gains a line. Time 0 is the file's beginning: what lies before is cut, a later start is kept to a sixtieth of a second or better. The file's
comment says that it is synthetic, unless the pictures were read from a file that does not; body, face, tiers and plans are not in it: save a ``.kin`` of them beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError, MissingExtra, choose
from kinesics.files import replacing
from kinesics.formats._format import Format
from kinesics.formats._media_sound import sound_of
from kinesics.performance import Audio, Performance, Scene, Video
from kinesics.performance.video import probe
from kinesics.upward import calls

log = logging.getLogger(__name__)

COMMENT = "synthetic: made with Kinesics"
"""What the file's comment begins with where nobody filmed this."""

_FILMED = "made with Kinesics from a recording"
_ANNOTATED = "annotated with Kinesics from a recording"
_SYNTHETIC_ANNOTATED = "synthetic: made and annotated with Kinesics"
_CODECS = {
    "h264": (("libx264",), 20, {"preset": "medium"}),
    "av1": (("libsvtav1", "libaom-av1"), 30, {"preset": "8"}),
    "vp9": (("libvpx-vp9",), 30, {"deadline": "good", "cpu-used": "4", "b": "0"}),
}
_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)


def read(path: str | Path) -> Performance:
    """Read a video file.

    Returns
    -------
    Performance
        With ``video`` and, where there is sound, ``speech``.

    Raises
    ------
    FormatError
        If it is no video, or nothing of it can be decoded.
    MissingExtra
        Without the extra ``video``.

    Examples
    --------
    >>> show = read("talk.mp4")  # doctest: +SKIP
    >>> show["video"].fps, show.speech.rate, show.meta["video"]["codec"]  # doctest: +SKIP
    (Fraction(25, 1), 48000, 'h264')
    """
    path = Path(path)
    video, about = probe(path)
    tracks: dict[str, Any] = {"video": video}
    try:
        speech, sound = sound_of(path)
    except FormatError as error:
        log.warning("%s: its sound cannot be read: %s", path, error)
        speech, sound = None, {"codec": "unreadable"}
    if speech is not None:
        tracks["speech"] = speech
    about |= {("sound_codec" if k == "codec" else k): v for k, v in sound.items()}
    about["synthetic"] = _synthetic(about)
    return Performance(tracks, {"video": about})


def write(
    performance: Performance | Scene,
    path: str | Path,
    *,
    codec: str = "auto",
    quality: int | None = None,
    avatar: str | Path | None = None,
    view: str = "half",
    width: int = 640,
    height: int = 360,
    fps: object = 30,
) -> None:
    """Write pictures and sound as a video file.

    Parameters
    ----------
    performance
        With the track ``video``, or a body or face to be filmed, and ``speech`` where there is sound; or a scene.
    path
        The file: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``.
    codec
        ``"h264"``, ``"av1"``, ``"vp9"`` or ``"auto"``: the first of these that is there (WebM: VP9, AV1).
    quality
        Constant rate factor, 0 (best) to 63; None: 20 for H.264, 30 for the others.
    avatar
        Who is filmed; by default ``meta["avatar"]``.
    view
        ``"face"``, ``"bust"``, ``"half"`` or ``"body"``.
    width, height
        Pixels of a film.
    fps
        Pictures a second of a film.

    Raises
    ------
    DataError
        If there is no video with pictures, or no codec that this file can hold.
    FormatError
        If the pictures' own file is gone or damaged; what was at ``path`` stays.
    MissingExtra
        Without the extra ``video``.
    """
    path = Path(path)
    told = performance.meta.get("video")
    comment = _FILMED if isinstance(told, Mapping) and told.get("synthetic") is not True else COMMENT
    if isinstance(performance, Scene):
        video, speech, comment = _annotated(performance, path)
    else:
        video, speech = performance.get("video"), performance.get("speech")
    if isinstance(video, Video):
        video = video.slice(0, np.inf)
    elif video is None and ("body" in performance or "face" in performance):
        video = calls["film"](performance, avatar=avatar, view=view, width=width, height=height, fps=fps)
    elif video is None:
        raise DataError(f"{path}: the performance has no video, and neither body nor face to film")
    if not len(video):
        raise DataError(f"{path}: the video has no pictures from second 0 on")
    if quality is not None and not 0 <= quality <= 63:
        raise DataError(f"quality {quality}: expected 0 (best) to 63")
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "writing video") from error
    muxer = _MUXERS[path.suffix.lower()]
    name, options = _encoder(path, muxer, codec, quality)
    with replacing(path) as file:
        flags = {"fflags": "+bitexact"}  # no random numbers, no time of day
        with av.open(file, "w", format=muxer, options=flags) as out:
            out.metadata["comment"] = comment
            pictures = _picture_stream(out, name, video, options)
            sound = _sound_stream(out, muxer, speech)
            _stream(out, pictures, video, sound, speech)


def _annotated(scene: Scene, path: Path) -> tuple[Any, Audio | None, str]:
    """The pictures of a scene with what was read drawn into them, their sound, and what the file says of itself."""
    drawn = calls["overlay"](scene)
    if path.exists() and path.samefile(drawn.video.path):
        raise DataError(f"{path} is the video that was read; give the annotated one another name")
    speech = scene.shared.get("speech")
    if speech is None:
        speech = sound_of(drawn.video.path)[0]
    synthetic = _synthetic(probe(drawn.video.path)[1])
    return drawn, speech, _SYNTHETIC_ANNOTATED if synthetic else _ANNOTATED


def _synthetic(about: Mapping[str, Any]) -> bool:
    """Whether a file's comment says so; Matroska shouts its keys."""
    comments = [v for k, v in about["metadata"].items() if k.lower() == "comment"]
    return any(c.startswith("synthetic") for c in comments)


def _encoder(path: Path, muxer: str, codec: str, quality: int | None) -> tuple[str, dict[str, str]]:
    import av

    choose("codec", codec, ["auto", *_CODECS])
    order = ["vp9", "av1"] if muxer == "webm" else ["h264", "av1", "vp9"]
    if codec != "auto":
        if codec not in order:
            raise DataError(f"{path}: WebM holds no {codec}; choose vp9 or av1, or save it as .mp4")
        order = [codec]
    for kind in order:
        names, usual, options = _CODECS[kind]
        for name in names:
            if name in av.codecs_available and _encodes(name):
                if codec == "auto" and kind != order[0]:
                    log.warning("%s: this PyAV has no %s; written as %s", path, order[0], kind)
                return name, options | {"crf": str(usual if quality is None else quality)}
    raise DataError(
        f"{path}: this PyAV encodes none of: {', '.join(order)}; install the wheels of the extra 'video'"
    )


def _encodes(name: str) -> bool:
    import av

    try:
        return av.Codec(name, "w") is not None
    except ValueError:  # av.codec.UnknownCodecError is one
        return False


def _picture_stream(out: Any, name: str, video: Video, options: dict[str, str]) -> Any:
    width, height = video.size
    stream = out.add_stream(name, rate=video.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
    stream.time_base = 1 / video.fps
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
    context.color_range = 1  # studio range
    return stream


def _sound_stream(out: Any, muxer: str, speech: Audio | None) -> Any:
    if speech is None or not len(speech) or speech.end <= 0:
        return None
    channels = 1 if speech.samples.ndim == 1 else min(2, speech.samples.shape[1])
    rate = 48000 if muxer == "webm" or speech.rate not in _AAC_RATES else speech.rate
    stream = out.add_stream("libopus" if muxer == "webm" else "aac", rate=rate)
    stream.layout = "mono" if channels == 1 else "stereo"
    stream.bit_rate = 128_000 * channels
    stream.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
    return stream


def _stream(out: Any, pictures: Any, video: Video, sound: Any, speech: Audio | None) -> None:
    """Encode both, in time order, so that neither waits in memory for the other."""
    import av

    heard = _sound_frames(speech, sound) if sound is not None and speech is not None else iter(())
    pending = next(heard, None)
    first = round(video.start * float(video.fps))
    for i, image in enumerate(video.frames()):
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = first + i, 1 / video.fps
        out.mux(pictures.encode(frame))
        now = video.start + float((i + 1) / video.fps)
        while pending is not None and pending[0] < now:
            out.mux(sound.encode(pending[1]))
            pending = next(heard, None)
    out.mux(pictures.encode(None))
    while pending is not None:
        out.mux(sound.encode(pending[1]))
        pending = next(heard, None)
    if sound is not None:
        out.mux(sound.encode(None))


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return image


def _sound_frames(speech: Audio, stream: Any) -> Iterator[tuple[float, Any]]:
    """(second, frame) of the sound from second 0 on."""
    import av

    samples = speech.samples if speech.samples.ndim == 2 else speech.samples[:, None]
    if samples.shape[1] > 2:
        log.warning("a sound of %d channels is written as the mean of them in two", samples.shape[1])
        samples = np.repeat(samples.mean(axis=1, keepdims=True), 2, axis=1)
    rate = stream.rate
    sound = Audio(samples, speech.fps, speech.start).resample(rate)
    samples = sound.samples[max(0, round(-sound.start * rate)) :]
    at = max(0, round(sound.start * rate))
    for place in range(0, len(samples), 1024):
        block = np.ascontiguousarray(np.clip(samples[place : place + 1024], -1, 1).T)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = rate, at + place, Fraction(1, rate)
        yield (at + place) / rate, frame


FORMAT = Format(
    "video",
    (".mp4", ".mov", ".mkv", ".webm"),
    ("video", "speech", "body", "face"),  # the last two are filmed
    read,
    write,
    scenes=True,
    also_reads=(".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".3gp"),
)
