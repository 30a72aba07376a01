"""The acoustic model that pocketsphinx brings, evaluated with numpy: how well each frame fits each phone.

The files of the en-us model (phonetically tied mixtures: 42 codebooks of 128 Gaussians in three streams,
5126 tied states) are read and scored here, so that alignment can choose its own frame rate, see all states of
a text at once, and never loses its way to a narrow beam. Only the model's files are used, not the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from kinesics.errors import FormatError
from kinesics.files import let_go, passing
from kinesics.hear.dictionary import model_folder
from kinesics.hear.voice_activity import RATE
from kinesics.seeds import rng

STATES = 3
"""States of one phone."""
DITHER = 7e-4
"""Standard deviation of the noise laid under sound whose loudest per cent begins at 0.2."""
CENTRE = 0.0078
"""Seconds from a frame's nominal time to where its boundary is put: the middle between two windows of 25.6 ms. Exact synthetic
truth asks for 8 to 12 ms; labels made by aligners vary from 0 to 30 ms among the clips we have."""
_WINDOW, _FFT, _FILTERS, _CEPSTRA = 410, 512, 25, 13
_LOWEST, _HIGHEST, _LIFTER, _PREEMPHASIS = 130.0, 6800.0, 22, 0.97
_WEIGHT_STEP = 1024 * np.log(1.0001)  # mixture weights are stored as 8-bit logarithms to the base 1.0001^1024
_PRODUCT = 250_000
"""Multiplications in one matrix product: below this BLAS stays on one thread, which is many times faster for small
products on a busy machine, and gives the same bits everywhere."""
_INSIDE, _BEGIN, _END, _SINGLE = 0, 1, 2, 3


@dataclass(frozen=True)
class AcousticModel:
    """Gaussians, mixture weights and tied states.

    Parameters
    ----------
    phones
        Names of the 42 phones, ``SIL`` among them.
    scale, offset
        Per stream (42, 26, 128) and (42, 128): log density = [x², x] @ scale + offset.
    weights
        Per stream (128, S) mixture weights of all tied states.
    states : np.ndarray [shape=(sequences, 3)]
        Tied states of each sequence.
    codebook : np.ndarray [shape=(S,)]
        Phone whose codebook a tied state uses.
    keys, sequences
        Sorted codes of (position, phone, left, right) and their sequences; the first 42 of ``plain`` are
        those of phones without context.
    """

    phones: tuple[str, ...]
    scale: tuple[np.ndarray, ...]
    offset: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    states: np.ndarray
    codebook: np.ndarray
    keys: np.ndarray
    sequences: np.ndarray
    plain: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def sequence(self, phone: str, left: str, right: str, position: int) -> np.ndarray:
        """Tied states (3,) of a phone in context; unseen contexts fall back to other positions, then to none."""
        at = self.phones.index
        base, before, after = at(phone), at(left), at(right)
        for place in (position, _INSIDE, _BEGIN, _END, _SINGLE):
            code = _code(place, base, before, after)
            k = int(np.searchsorted(self.keys, code))
            if k < len(self.keys) and self.keys[k] == code:
                return self.states[self.sequences[k]]
        return self.states[self.plain[base]]

    def chain(self, phones: Sequence[str], *, left: str = "SIL", right: str = "SIL") -> np.ndarray:
        """Tied states (3 n,) of the n phones of a word between two neighbours."""
        count = len(phones)
        parts = []
        for k, phone in enumerate(phones):
            place = _SINGLE if count == 1 else _BEGIN if k == 0 else _END if k == count - 1 else _INSIDE
            before = phones[k - 1] if k else left
            after = phones[k + 1] if k + 1 < count else right
            parts.append(self.sequence(phone, before, after, place))
        return np.concatenate(parts)

    def monophones(self) -> np.ndarray:
        """Tied states of all 42 phones without context, (42, 3)."""
        return self.states[self.plain]


def _code(place: object, base: object, left: object, right: object) -> object:
    return ((place * 64 + base) * 64 + left) * 64 + right  # type: ignore[operator]


def _numbers(path: Path) -> tuple[np.ndarray, bytes]:
    """Leading integers after the text header of a sphinx parameter file, and the bytes after the header."""
    raw = path.read_bytes()
    mark = raw.find(b"endhdr\n")
    if mark < 0 or raw[mark + 7 : mark + 11] != b"\x44\x33\x22\x11":
        raise FormatError(path, "header", "a little-endian sphinx parameter file", "reinstall pocketsphinx")
    return np.frombuffer(raw, "<i4", 8, mark + 11), raw[mark + 11 :]


@cache
def load() -> AcousticModel:
    """Read the English model (once; 0.1 s)."""
    folder = model_folder() / "en-us"
    head, raw = _numbers(folder / "means")
    books, streams, densities = (int(n) for n in head[:3])
    size = int(head[3])
    at = 4 * (3 + streams + 1)
    means = np.frombuffer(raw, "<f4", books * streams * densities * size, at).reshape(
        books, streams, densities, size
    )
    _, raw = _numbers(folder / "variances")
    variances = np.frombuffer(raw, "<f4", means.size, at).reshape(means.shape)
    variances = np.maximum(variances, 1e-4)
    scale, offset = gaussians(means, variances)
    phones, keys, sequences, plain, states, codebook = _definitions(folder / "mdef")
    raw = (folder / "sendump").read_bytes()
    count = len(codebook)
    table = np.frombuffer(raw, np.uint8)[-streams * densities * count :].reshape(streams, densities, count)
    weights = tuple(np.exp(-_WEIGHT_STEP * table[s]).astype(np.float32) for s in range(streams))
    return AcousticModel(
        phones, scale, offset, weights, states, codebook, keys, sequences, plain, means, variances
    )


def gaussians(
    means: np.ndarray, variances: np.ndarray
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Turn means and variances (books, streams, densities, size) into products of [x², x]."""
    scale, offset = [], []
    for s in range(means.shape[1]):
        m, inverse = means[:, s], 1.0 / variances[:, s]
        scale.append(
            np.concatenate([-0.5 * inverse, m * inverse], axis=2).transpose(0, 2, 1).astype(np.float32)
        )
        norm = -0.5 * np.sum(m**2 * inverse + np.log(2 * np.pi / inverse), axis=2)
        offset.append(norm.astype(np.float32))
    return tuple(scale), tuple(offset)


def adapted(model: AcousticModel, features: np.ndarray, labels: np.ndarray) -> AcousticModel:
    """Shift the model's means towards a speaker and a room.

    Each phone's Gaussians move together by the mean difference of its frames from where they were expected, held back
    towards the shift of all phones while frames are few (a maximum a posteriori estimate with 40 and 100 frames).

    Parameters
    ----------
    model
        From `load`.
    features : np.ndarray [shape=(T, 39)]
        Mean removed.
    labels : np.ndarray [shape=(T,)]
        Index of the phone in each frame, -1 where unknown.
    """
    streams = len(model.scale)
    moved = np.zeros((len(model.phones), streams, _CEPSTRA))
    count = np.zeros(len(model.phones))
    for book in np.unique(labels[labels >= 0]):
        inside = features[labels == book]
        count[book] = len(inside)
        usual = model.states[model.plain[book]]
        for s in range(streams):
            x = inside[:, _CEPSTRA * s : _CEPSTRA * (s + 1)]
            squares = np.concatenate([x * x, x], axis=1)
            density = product(squares, model.scale[s][book]) + model.offset[s][book]
            density += np.log(model.weights[s][:, usual].mean(axis=1) + 1e-10)
            share = np.exp(density - density.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
            moved[book, s] = (x - product(share, model.means[book, s])).sum(axis=0)
    everywhere = moved.sum(axis=0) / (count.sum() + 100.0)
    shift = (moved + 40.0 * everywhere) / (count[:, None, None] + 40.0)
    means = (model.means + shift[:, :, None, :]).astype(np.float32)
    scale, offset = gaussians(means, model.variances)
    return replace(model, scale=scale, offset=offset, means=means)


def _definitions(
    path: Path,
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    raw = path.read_bytes()
    if raw[:4] != b"BMDF":
        raise FormatError(path, "byte 0", "a little-endian binary model definition", "reinstall pocketsphinx")
    at = 12 + int(np.frombuffer(raw, "<i4", 1, 8)[0])
    n_plain, n_phones, n_states, _, n_tied, _, n_sequences, _, n_tree, _ = np.frombuffer(raw, "<i4", 10, at)
    at += 40
    begin, names = at, []
    for _ in range(n_plain):
        end = raw.index(b"\0", at)
        names.append(raw[at:end].decode())
        at = end + 1
    at = begin + (at - begin + 3) // 4 * 4
    at += 8 * int(n_tree)
    table = np.frombuffer(raw, np.dtype([("seq", "<i4"), ("tmat", "<i4"), ("info", "u1", 4)]), n_phones, at)
    at += 12 * int(n_phones) + 4
    states = (
        np.frombuffer(raw, "<u2", int(n_sequences) * int(n_states), at)
        .reshape(n_sequences, n_states)
        .astype(np.int64)
    )
    info = table["info"][n_plain:].astype(np.int64)
    keys = _code(info[:, 0], info[:, 1], info[:, 2], info[:, 3])
    order = np.argsort(keys, kind="stable")
    codebook = np.zeros(n_tied, np.int64)
    base = np.concatenate([np.arange(n_plain), info[:, 1]])
    codebook[states[table["seq"]]] = base[:, None]
    plain = table["seq"][:n_plain].astype(np.int64)
    return tuple(names), keys[order], table["seq"][n_plain:][order].astype(np.int64), plain, states, codebook


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Matrix product in blocks of rows that BLAS leaves on one thread (see ``_PRODUCT``)."""
    size = max(_PRODUCT // b.size, 1)
    if len(a) <= size:
        return a @ b
    return np.concatenate([a[k : k + size] @ b for k in range(0, len(a), size)])


@cache
def _filterbank() -> np.ndarray:
    """Triangles (257, 25) of equal area on the mel scale, their edges rounded to whole bins."""

    def mel(hz: float) -> float:
        return 2595.0 * np.log10(1.0 + hz / 700.0)

    edges = 700.0 * (10.0 ** (np.linspace(mel(_LOWEST), mel(_HIGHEST), _FILTERS + 2) / 2595.0) - 1.0)
    width = RATE / _FFT
    edges = np.floor(edges / width + 0.5) * width
    bins = np.arange(_FFT // 2 + 1)[:, None] * width
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (bins - low) / (mid - low), (high - bins) / (high - mid)
    return (np.clip(np.minimum(rise, fall), 0, None) * 2.0 / (high - low)).astype(np.float32)


@cache
def _cosines() -> np.ndarray:
    """Discrete cosine transform with liftering, (25, 13)."""
    k, n = np.arange(_CEPSTRA)[None, :], np.arange(_FILTERS)[:, None]
    basis = np.sqrt(2.0 / _FILTERS) * np.cos(np.pi * k * (n + 0.5) / _FILTERS)
    basis[:, 0] = np.sqrt(1.0 / _FILTERS)
    lift = 1.0 + _LIFTER / 2 * np.sin(np.pi * np.arange(_CEPSTRA) / _LIFTER)
    return (basis * lift).astype(np.float32)


class Conditioned:
    """Sound at the level the model likes, with faint seeded noise under it; its parts are made when they are asked for.

    Digital silence, as in edited or synthetic speech, has no logarithm: without the noise it wrecks whole clips.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz.
    pad
        Seconds of noise before and after.
    """

    def __init__(self, samples: np.ndarray, *, pad: float = 0.0) -> None:
        step = max(len(samples) // 1_000_000, 1)
        loud = [np.abs(part[::step]) for _, part in passing(samples, step * 10_000)]
        peak = float(np.percentile(np.concatenate(loud), 99)) if loud else 0.0
        self._samples, self._extra, self._gain = samples, int(pad * RATE), np.float32(0.2 / max(peak, 1e-3))
        self._noise = rng(0, "hear", "dither").normal(0.0, DITHER, 10 * RATE).astype(np.float32)

    def __len__(self) -> int:
        return len(self._samples) + 2 * self._extra

    def __getitem__(self, part: slice) -> np.ndarray:
        first, last, _ = part.indices(len(self))
        out = self._noise.take(np.arange(first, last), mode="wrap")
        a, b = max(first - self._extra, 0), min(last - self._extra, len(self._samples))
        if b > a:
            at = a + self._extra - first
            out[at : at + b - a] += self._samples[a:b] * self._gain
            let_go(self._samples)
        return out


def mel_energies(samples: np.ndarray, *, hop: int) -> np.ndarray:
    """Return mel filter energies (T, 25) of int16-scaled sound, windows of 25.6 ms starting every ``hop`` samples."""
    scaled = np.asarray(samples, np.float32) * 32768.0
    emphasised = np.concatenate([scaled[:1], scaled[1:] - _PREEMPHASIS * scaled[:-1]])
    count = max((len(samples) - _WINDOW) // hop + 1, 1)
    padded = np.pad(emphasised, (0, max((count - 1) * hop + _WINDOW - len(emphasised), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop][:count]
    window = np.hamming(_WINDOW).astype(np.float32)
    out = np.empty((count, _FILTERS), np.float32)
    size = _PRODUCT // (_FILTERS * (_FFT // 2 + 1))
    for a in range(0, count, size):
        spectrum = np.fft.rfft(frames[a : a + size] * window, _FFT)
        out[a : a + size] = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ _filterbank()
    return out


def denoised(mel: np.ndarray, *, phases: int) -> np.ndarray:
    """Suppress steady noise as the model's training did: asymmetric noise tracking and temporal masking.

    After Kim and Stern (2012), "Power-normalized cepstral coefficients". ``phases`` interleaved streams, each of 10 ms,
    are tracked side by side.
    """
    count = len(mel)
    rows = -(-count // phases)
    padded = np.concatenate([mel, np.repeat(mel[-1:], rows * phases - count, axis=0)]).astype(np.float64)
    stream = padded.reshape(rows, phases, -1)
    power = stream[0].copy()
    noise, floor, peak = power / 20.0, power / 20.0, np.zeros_like(power)
    gain = np.empty_like(stream)

    for t in range(rows):
        power = 0.7 * power + 0.3 * stream[t]
        rate = np.where(power >= noise, 0.995, 0.5)
        noise = rate * noise + (1 - rate) * power
        signal = np.maximum(power - noise, 1.0)
        rate = np.where(signal >= floor, 0.995, 0.5)
        floor = rate * floor + (1 - rate) * signal
        now = signal
        peak = 0.85 * peak
        signal = np.where(now < 0.85 * peak, peak * 0.2, now)
        peak = np.maximum(peak, now)
        signal = np.maximum(signal, floor)
        gain[t] = np.clip(signal / np.maximum(power, 1e-9), 0.05, 20.0)
    total = np.concatenate([np.zeros((rows, phases, 1)), np.cumsum(gain, axis=2)], axis=2)
    k = np.arange(_FILTERS)
    a, b = np.maximum(k - 4, 0), np.minimum(k + 4, _FILTERS - 1) + 1
    smooth = (total[:, :, b] - total[:, :, a]) / (b - a)
    return (stream * smooth).reshape(rows * phases, -1)[:count].astype(np.float32)


def cepstra(samples: np.ndarray, *, hop: int = 160, clean: bool = True) -> np.ndarray:
    """Return mel cepstra (T, 13), windows starting every ``hop`` samples of 16 kHz sound."""
    mel = mel_energies(samples, hop=hop)
    if clean:
        mel = denoised(mel, phases=max(160 // hop, 1))
    return product(np.log(np.maximum(mel, 1e-4)), _cosines())


def with_slopes(cepstrum: np.ndarray, *, hop: int = 160) -> np.ndarray:
    """Append first and second differences over the model's spans (±20 ms, ±30 ms): (T, 39)."""
    k = max(160 // hop, 1)
    padded = np.pad(cepstrum, ((3 * k, 3 * k), (0, 0)), mode="edge")
    count = len(cepstrum)

    def at(shift: int) -> np.ndarray:
        return padded[(3 + shift) * k : (3 + shift) * k + count]

    first = at(2) - at(-2)
    second = (at(3) - at(-1)) - (at(1) - at(-3))
    return np.concatenate([cepstrum, first, second], axis=1)


def score(
    model: AcousticModel, features: np.ndarray, states: np.ndarray, *, needed: np.ndarray | None = None
) -> np.ndarray:
    """Return log likelihoods (T, len(states)) of frames under tied states.

    Parameters
    ----------
    model
        From `load`.
    features : np.ndarray [shape=(T, 39)]
        From `with_slopes`, mean removed.
    states : np.ndarray [shape=(n,)]
        Tied states, without repetition.
    needed : np.ndarray [shape=(T, n), bool], optional
        Where a score is wanted; elsewhere it may be left at -1e30, which saves time.
    """
    out = np.full((len(features), len(states)), -1e30, np.float32)
    books = model.codebook[states]
    inputs = []
    for s in range(len(model.scale)):
        x = features[:, 13 * s : 13 * s + 13]
        inputs.append(np.concatenate([x * x, x], axis=1).astype(np.float32))
    for book in np.unique(books):
        columns = np.flatnonzero(books == book)
        weights = [np.ascontiguousarray(w[:, states[columns]]) for w in model.weights]
        rows = np.arange(len(features)) if needed is None else np.flatnonzero(needed[:, columns].any(axis=1))
        size = max(min(_PRODUCT // (26 * 128), _PRODUCT // (128 * len(columns))), 16)
        for a in range(0, len(rows), size):
            block = rows[a : a + size]
            part = np.zeros((len(block), len(columns)), np.float32)
            for s, whole in enumerate(inputs):
                density = whole[block] @ model.scale[s][book]
                density += model.offset[s][book]
                top = density.max(axis=1, keepdims=True)
                density -= top
                np.maximum(density, -30.0, out=density)
                np.exp(density, out=density)
                mixed = density @ weights[s]
                mixed += 1e-10
                np.log(mixed, out=mixed)
                part += mixed
                part += top
            out[block[:, None], columns] = part
    return out
