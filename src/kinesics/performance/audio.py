"""Sound."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.performance._sampled import Sampled, checked

log = logging.getLogger(__name__)

_BLOCK = 1 << 20
_MOST, _ALWAYS, _EXPANDS = 1_000_000_000, 10_000_000, 1000
"""Numbers that a file may become at most, at least, and per byte: FLAC packs silence without end."""


def _cut_off(path: Path) -> bool:
    """Whether a WAV file is shorter than its header says (libsndfile mends the header in silence)."""
    with path.open("rb") as file:
        head = file.read(12)
    announced = int.from_bytes(head[4:8], "little")
    # Programs that write to a pipe leave 0 or the greatest number there.
    told = head[:4] == b"RIFF" and head[8:] == b"WAVE" and 0 < announced < 0xFFFFFF00
    return told and announced + 8 > path.stat().st_size + 1  # an odd chunk's pad byte is often left out


@dataclass(frozen=True, eq=False)
class Audio(Sampled):
    """Sound samples.

    Parameters
    ----------
    samples
        (N,) mono or (N, C) float32, full scale ±1.
    fps
        Samples per second (Hz).
    start
        Second of the first sample.

    Examples
    --------
    >>> Audio(np.zeros(8000), 16000).duration
    0.5
    """

    samples: NDArray[np.float32]
    fps: Fraction
    start: float = 0.0

    _arrays = ("samples",)

    def __post_init__(self) -> None:
        self._settle("audio")
        if self.fps.denominator != 1:
            raise DataError(f"audio: rate {self.fps}; expected whole samples per second")
        shape = (None,) if np.ndim(self.samples) == 1 else (None, None)
        object.__setattr__(self, "samples", checked(self.samples, shape, "audio samples"))

    @property
    def rate(self) -> int:
        """Samples per second (Hz)."""
        return int(self.fps)

    def mono(self) -> Audio:
        """The mean of the channels."""
        return self if self.samples.ndim == 1 else replace(self, samples=self.samples.mean(axis=1))

    def resample(self, fps: object) -> Audio:
        """The same sound at another rate (soxr, high quality)."""
        target = replace(self, fps=fps).rate  # type: ignore[arg-type]
        if target == self.rate or len(self) == 0:
            return replace(self, fps=Fraction(target))
        import soxr

        return replace(self, samples=soxr.resample(self.samples, self.rate, target), fps=Fraction(target))

    @staticmethod
    def load(path: str | PathLike[str]) -> Audio:
        """Read a sound file (WAV, FLAC, OGG, MP3, AIFF).

        What is left of a WAV file that is cut off is used, with a warning in the log.

        Raises
        ------
        FormatError
            If it is not sound, holds no sample (is cut off before the first), or holds NaN.
        """
        path = Path(path)
        if not path.is_file():
            raise FormatError(path, "file", "an existing sound file", "check the path")
        audio = Audio._read(str(path), path)
        if _cut_off(path):
            log.warning("%s is cut off: only its first %.1f s are there and used", path, audio.duration)
        return audio

    @staticmethod
    def decode(data: bytes, name: object = "sound") -> Audio:
        """Read sound from the bytes of a file; ``name`` is what error messages call it."""
        return Audio._read(io.BytesIO(data), name)

    @staticmethod
    def _read(source: str | io.BytesIO, name: object) -> Audio:
        import soundfile

        blocks: list[NDArray[np.float32]] = []
        size = Path(source).stat().st_size if isinstance(source, str) else source.getbuffer().nbytes
        held, most = 0, min(_MOST, _ALWAYS + _EXPANDS * size)
        try:
            with soundfile.SoundFile(source) as file:
                rate = file.samplerate
                if not 1 <= rate <= 1_000_000:
                    raise FormatError(
                        name, "header", f"1 to 1,000,000 samples per second, found {rate}", "export it again"
                    )
                # In blocks: a damaged header may announce more samples than any memory holds.
                while len(block := file.read(_BLOCK // file.channels + 1, dtype="float32")):
                    blocks.append(block)
                    held += block.size
                    if held > most:
                        raise FormatError(
                            name, "samples", f"at most {most} in a file of this size", "cut it into parts"
                        )
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise FormatError(
                name,
                f"header ({error})",
                "WAV, FLAC, OGG, MP3 or AIFF sound",
                "convert it, for instance to WAV",
            ) from error
        if not blocks:
            # libsndfile mends the header of a file that is cut off, so the number announced is lost.
            raise FormatError(
                name, "samples", "sound, found none", "the file is empty or cut off; copy it again"
            )
        samples = np.concatenate(blocks)
        if not np.isfinite(samples).all():
            bad = int(np.argmax(~np.isfinite(samples).reshape(len(samples), -1).all(axis=1)))
            raise FormatError(
                name, f"sample {bad}", "a finite number", "export the sound again; it holds NaN or infinity"
            )
        return Audio(samples, Fraction(rate))

    def wav(self) -> bytes:
        """The sound as a 16-bit WAV file; values beyond full scale are clipped."""
        import soundfile

        out = io.BytesIO()
        soundfile.write(out, np.clip(self.samples, -1, 1), self.rate, format="WAV", subtype="PCM_16")
        return out.getvalue()

    def _between(
        self, name: str, a: NDArray[Any], b: NDArray[Any], part: NDArray[np.float32]
    ) -> NDArray[Any]:
        raise DataError("audio is resampled with Audio.resample, not point by point")

    def _held(self, values: NDArray[Any], count: int) -> NDArray[Any]:
        return np.zeros((count, *values.shape[1:]), dtype=values.dtype)
