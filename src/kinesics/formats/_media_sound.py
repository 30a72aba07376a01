"""The sound of a file that PyAV decodes."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError
from kinesics.files import Scratch
from kinesics.performance import Audio
from kinesics.performance.video import open_media, zero_of

log = logging.getLogger(__name__)

_MOST = 1_000_000_000
"""Numbers of a sound: 4 GB, almost six hours of one channel at 48 kHz."""

_EXPANDS = 5_000
"""Numbers that a byte of a file may become: silence in Opus is that small."""

_ALWAYS = 10_000_000
_BLOCK = 1 << 20
_GAP = 0.05  # seconds: a hole in the time stamps that is wider is filled with silence


def sound_of(path: Path) -> tuple[Audio | None, dict[str, Any]]:
    """The first sound track (None if there is none), and what was done to read it.

    Parts that cannot be decoded become silence, which is told. A sound of more than 32 MB lies in a temporary file that
    is mapped, and gone with it.

    Raises
    ------
    FormatError
        If there is sound, but none of it can be decoded, or far more than the file's size can justify.
    MissingExtra
        Without the extra ``video``.
    """
    failed: Any = None
    with open_media(path, "sound") as container:
        import av

        if not container.streams.audio:
            return None, {}
        stream = container.streams.audio[0]
        context = stream.codec_context
        if context is None or not 0 < context.rate <= 1_000_000 or not 0 < context.channels <= 64:
            raise FormatError(path, "sound", "a codec, rate and channels that are known", "convert it to WAV")
        rate, codec = int(context.rate), context.name
        zero = zero_of(container)
        most = min(_MOST, _ALWAYS + _EXPANDS * path.stat().st_size)
        resampler = av.AudioResampler(format="fltp", layout=context.layout, rate=rate)
        kept = Scratch()
        start: float | None = None
        damaged = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.FFmpegError as error:
                failed, damaged = error, damaged + 1
                break
            try:
                frames = [r for f in stream.decode(packet) for r in _plain(resampler, f)]
            except (av.FFmpegError, ValueError) as error:
                failed, damaged = error, damaged + 1
                continue
            for when, samples in frames:
                if start is None:
                    start = when or 0.0
                hole = 0 if when is None else round((when - start) * rate) - len(kept)
                if hole > _GAP * rate:
                    if (len(kept) + hole) * samples.shape[1] > most:
                        hole = 0  # a wild time stamp
                    _silence(kept, hole, samples.shape[1])
                kept.add(
                    np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
                )  # what is no number becomes silence
                if len(kept) * samples.shape[1] > most:
                    raise FormatError(
                        path,
                        "sound",
                        f"at most {most / rate:.0f} s of it in a file of this size",
                        "cut it into parts",
                    )
    if not len(kept):
        why = f" ({' '.join(str(failed).split())[:100]})" if failed else ""
        raise FormatError(
            path, "sound", f"samples, found none{why}", "it is cut off or damaged; copy it again"
        )
    samples = kept.whole()
    facts: dict[str, Any] = {"codec": codec, "rate": rate, "channels": samples.shape[1]}
    if damaged:
        facts["packets_damaged"] = damaged
        log.warning("%s: %d packets of its sound are damaged and silent", path, damaged)
    start = (start or 0.0) - zero
    if start < 0:  # the codec starting up
        samples, start = samples[round(-start * rate) :], 0.0
    return Audio(samples[:, 0] if samples.shape[1] == 1 else samples, Fraction(rate), round(start, 9)), facts


def _silence(kept: Scratch, count: int, channels: int) -> None:
    """Add so many zeros."""
    for first in range(0, count, _BLOCK):
        kept.add(np.zeros((min(_BLOCK, count - first), channels), np.float32))


def _plain(resampler: Any, frame: Any) -> list[tuple[float | None, NDArray[np.float32]]]:
    """Float samples (N, C) of a frame, with its second."""
    when = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
    out = []
    for part in resampler.resample(frame):
        out.append((when, np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)))
        when = None
    return out
