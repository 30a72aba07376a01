"""Where sound has beats: librosa's onsets and beats, because the published scores are defined by them.

Needs the extra ``lab``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError, MissingExtra
from kinesics.metrics._checks import Floats, array_of, numbers


def librosa_for(purpose: str) -> Any:
    """Import librosa, or say which extra brings it."""
    try:
        import librosa
    except ImportError as error:
        raise MissingExtra("lab", purpose) from error
    return librosa


def _mono(samples: ArrayLike, what: str) -> Floats:
    sound = array_of(samples, what)
    return numbers(sound.mean(1) if sound.ndim == 2 else sound, ("N",), what)


def onsets(samples: ArrayLike, rate: float, *, start: float = 0.0, end: float | None = None) -> Floats:
    """Audio beats of `bc_beat2` and `bc_ted`: librosa's onsets of the part from ``start`` to ``end``.

    Parameters
    ----------
    samples
        (N,) or (N, channels) sound; brought to 16 kHz, hop 512.
    rate
        Samples per second.
    start, end
        Seconds to look at: the trimmed ends must be cut before, because librosa judges an onset by the
        loudest of the sound it is given.

    Returns
    -------
    numpy.ndarray
        Seconds on the recording's clock.

    Raises
    ------
    MissingExtra
        Without librosa, by which these scores are defined.
    """
    librosa = librosa_for("audio onsets")
    sound = librosa.resample(_mono(samples, "sound").astype(np.float32), orig_sr=rate, target_sr=16000)
    cut = sound[int(start * 16000) : None if end is None else int(end * 16000)]
    if not len(cut):
        raise DataError(
            f"sound: {len(sound) / 16000:.2f} s hold nothing from {start:g} s to the end asked for"
        )
    found = librosa.onset.onset_detect(y=cut, sr=16000, hop_length=512, units="time")
    return np.asarray(found, dtype=float) + int(start * 16000) / 16000


def onsets_beat2022(samples: ArrayLike, rate: float, *, span: tuple[int, int] = (10, 500)) -> Floats:
    """Audio beats of `bc_beat2022`: librosa's onsets moved back to the energy minimum before them.

    The published code leaves librosa's default rate of 22050 Hz everywhere, so the sound is brought to
    that rate; at 16 kHz the same code would stretch time by 0.73. The other arguments are those of :func:`onsets`.

    Raises
    ------
    MissingExtra
        Without librosa, by which this score is defined.
    """
    librosa = librosa_for("audio onsets")
    sound = librosa.resample(_mono(samples, "sound").astype(np.float32), orig_sr=rate, target_sr=22050)
    cut = sound[span[0] * 22050 : span[1] * 22050]
    if not len(cut):
        raise DataError(f"sound: {len(sound) / 22050:.2f} s hold nothing from {span[0]} s on")
    strength = librosa.onset.onset_strength(y=cut, sr=22050)
    raw = librosa.onset.onset_detect(onset_envelope=strength, backtrack=False)
    energy = librosa.feature.rms(S=np.abs(librosa.stft(y=cut)))[0]
    back = librosa.onset.onset_backtrack(raw, energy)
    return np.asarray(librosa.frames_to_time(back), dtype=float) + span[0]


def music_beats(samples: ArrayLike, rate: float, *, start: float = 0.0) -> Floats:
    """Music beats of `bas_aist`: librosa's beats in frames at 60 per second (hop 512 at 30720 Hz).

    Parameters
    ----------
    samples, rate
        The music.
    start
        Second of the music at which the motion's first frame is.
    """
    librosa = librosa_for("music beats")
    sound = librosa.resample(_mono(samples, "music").astype(np.float32), orig_sr=rate, target_sr=30720)
    frames = librosa.beat.beat_track(y=sound, sr=30720, hop_length=512, units="frames")[1]
    moved = np.asarray(frames, dtype=float) - round(start * 60)
    return moved[moved >= 0]
