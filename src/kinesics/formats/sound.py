"""Sound files of any kind, read into the track ``speech``; WAV, FLAC and OGG Vorbis, written from it.

Carries ``speech`` and nothing else. Read are WAV, FLAC, OGG (Vorbis and Opus), MP3, AIFF and CAF, and with the extra
``video`` whatever PyAV decodes: M4A and AAC, WMA, Opus in Matroska, AMR, AC-3, MP4. The content counts, not the ending. Sample rate and channels stay as they
are in the file; lossy codecs begin where their time stamps say, without the samples that only start the codec up. Parts that
cannot be decoded become silence; that, codec, rate and channels are in ``meta["sound"]`` of files that PyAV read.

WAV is written with 16 bits unless ``bits=24`` or ``bits=32``
(float); values beyond full scale ±1 are clipped, except in 32-bit float. A file holds no start
time: a speech that starts later is preceded by silence, one that starts before 0 loses what is before.
The same samples always give the same bytes: libsndfile would put a random number into OGG pages
and the time of day into float WAV, both are fixed here.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kinesics.errors import DataError, FormatError, MissingExtra
from kinesics.files import replacing
from kinesics.formats._format import Format
from kinesics.formats._media_sound import sound_of
from kinesics.performance import Audio, Performance

_BLOCK = 1 << 16
_LONGEST = 48 * 3600  # seconds of silence that a start time may ask for
_MIRROR = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))


def read(path: str | Path) -> Performance:
    """Read a sound file as the track ``speech``.

    Raises
    ------
    FormatError
        If it is not sound, or holds NaN.
    MissingExtra
        If it needs the extra ``video``, which is not installed.
    """
    path = Path(path)
    try:
        return Performance({"speech": Audio.load(path)})
    except FormatError as error:
        if not error.where.startswith("header"):
            raise
        return _decoded(path, error)


def _decoded(path: Path, error: FormatError) -> Performance:
    """What PyAV makes of a file that libsndfile does not know; ``error`` if it does not know it either."""
    try:
        speech, facts = sound_of(path)
    except MissingExtra:
        if path.suffix.lower() in (".wav", ".flac", ".ogg"):  # damaged rather than of another kind
            raise error from None
        raise
    except FormatError as other:
        raise (error if other.where == "first bytes" else other) from error
    if speech is None:
        raise FormatError(path, "streams", "sound, found pictures alone", "choose a file with sound")
    return Performance({"speech": speech}, {"sound": facts})


def write(performance: Performance, path: str | Path, *, bits: int = 16) -> None:
    """Write the track ``speech`` as sound.

    Parameters
    ----------
    performance
        With the track ``speech``.
    path
        The file; its extension tells WAV, FLAC or OGG.
    bits
        16, 24 or, for WAV alone, 32 (float, neither clipped nor rounded). OGG Vorbis has none.
    """
    path = Path(path)
    kind = path.suffix[1:].upper()
    if bits not in (16, 24, 32) or (bits == 32 and kind != "WAV"):
        raise DataError(f"bits={bits}: choose 16 or 24, or 32 for WAV")
    subtype = "VORBIS" if kind == "OGG" else {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}[bits]
    speech = performance.speech
    with replacing(path) as file:
        encode(speech, file, kind, subtype)


def encode(audio: Audio, file: BinaryIO, kind: str, subtype: str) -> int:
    """Write ``audio`` into an open file; return how many samples of silence precede it."""
    import soundfile

    rate, samples = audio.rate, audio.samples
    if audio.start > _LONGEST:
        raise DataError(f"speech starts at {audio.start:g} s; shift it nearer to 0 before saving it as sound")
    silence = max(0, round(audio.start * rate))
    samples = samples[max(0, round(-audio.start * rate)) :]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    # In memory first: the compressed sound is small, and its few random bytes are fixed there.
    mended = subtype in ("VORBIS", "FLOAT")
    target: BinaryIO = io.BytesIO() if mended else file
    with soundfile.SoundFile(
        target, "w", samplerate=rate, channels=channels, format=kind, subtype=subtype
    ) as out:
        # In blocks: an hour is never held twice, and libsndfile's Vorbis encoder does not stand
        # a very long single write.
        for first in range(0, silence, _BLOCK):
            out.write(np.zeros((min(_BLOCK, silence - first), *samples.shape[1:]), dtype=np.float32))
        for first in range(0, len(samples), _BLOCK):
            block = samples[first : first + _BLOCK]
            out.write(block if subtype == "FLOAT" else np.clip(block, -1, 1))
    if mended:
        target.seek(0)
        data = bytearray(target.read())
        if subtype == "VORBIS":
            _fix_ogg(data)
        else:
            peak = data.find(b"PEAK", 0, 256)
            if peak >= 0:
                data[peak + 12 : peak + 16] = bytes(4)
        file.write(data)
    return silence


def _fix_ogg(data: bytearray) -> None:
    """Give all pages the serial number 1 and their new checksums (RFC 3533 §6)."""
    place = 0
    while data[place : place + 4] == b"OggS":
        segments = data[place + 26]
        end = place + 27 + segments + sum(data[place + 27 : place + 27 + segments])
        data[place + 14 : place + 18] = (1).to_bytes(4, "little")
        data[place + 22 : place + 26] = bytes(4)
        # Ogg's CRC-32 is zlib's with all bits mirrored, and without its inversions.
        mirrored = bytes(data[place:end]).translate(_MIRROR)
        crc = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
        data[place + 22 : place + 26] = int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little")
        place = end


FORMAT = Format(
    "sound",
    (".wav", ".flac", ".ogg"),
    ("speech",),
    read,
    write,
    also_reads=(
        *(".mp3", ".m4a", ".aac", ".opus", ".oga", ".aiff", ".aif", ".aifc", ".caf", ".wma", ".mka", ".amr"),
        *(".ac3", ".au", ".w64"),
    ),
)
