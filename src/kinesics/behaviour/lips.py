"""Lips from phones: dominance functions for the flow, hard constraints for what must be seen.

Every phone claims jaw, rounding, spreading, parting and tongue with a strength and a reach of its own
(dominance functions, Cohen & Massaro 1993), so neighbours blend; bilabials, labiodentals, rounding,
sibilants and open vowels are then enforced on the finished face, whatever the speed and the emotion.
Everything is a pure function of time and of the phones that start no later than `Lips.anticipation`
after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.visemes import CLAIM, DECAY, GROUPS, LIP_COLUMNS, ONSET, VISEME_INDEX, columns, shapes
from kinesics.bodies.arkit import INDEX
from kinesics.errors import DataError
from kinesics.hear.phones import is_arpabet, is_silence, is_vowel, plain, viseme
from kinesics.performance import Interval

Floats = NDArray[np.float64]

LEAD = 0.025
"""Seconds by which the mouth's movement precedes the sound (closures are centred in theirs)."""
LONGEST_LEAD = 0.15
"""Seconds before a phone's start at which it may first be seen."""
BREATH_LEAD = 0.42
"""Seconds before speech at which the breath for it is seen at its fullest."""
PAUSE = 0.35
"""Silence in seconds after which a breath is drawn."""

_FPS = 60
_SMOOTHING = np.array([0.08, 0.24, 0.36, 0.24, 0.08])  # over five frames; muscles have no corners

_PP, _FF, _SS, _CH, _OU, _OH = (VISEME_INDEX[v] for v in ("PP", "FF", "SS", "CH", "ou", "oh"))
_JAW = INDEX["jawOpen"]
_ROUND = GROUPS["round"]
_SPREAD = columns("mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown")
_SQUEEZE = columns("mouthClose", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower")
_OPENERS = columns("jawOpen", "mouthLowerDown", "mouthUpperUp")
_PUCKER, _CLOSE = INDEX["mouthPucker"], INDEX["mouthClose"]

_GLIDES = {"AY": "ih", "EY": "ih", "OY": "ih", "AW": "ou", "OW": "ou"}
"""Second target of the ARPAbet diphthongs."""
# How far a phone opens beside its viseme's shape (vowel height within a class; ours).
_OPENNESS = {
    "AA": 1.0, "AE": 1.0, "AO": 1.1, "AY": 1.0, "AW": 1.0, "AH": 0.75, "AX": 0.6, "EH": 1.0, "EY": 0.85,
    "IY": 0.9, "Y": 0.75, "UW": 0.9, "W": 0.7, "ER": 1.1, "HH": 1.0,
    "ɑ": 1.0, "a": 1.0, "ɐ": 0.75, "ʌ": 0.75, "ə": 0.75, "i": 0.9, "j": 0.75, "u": 0.9, "w": 0.7, "ɔ": 1.1,
    "ɜ": 0.9,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sound:
    """One phone, read: its visemes and what it demands."""

    first: int
    second: int  # of a diphthong, else the same
    openness: float
    vowel: bool
    silent: bool
    transparent: bool  # takes its neighbours' shape altogether: h, glottal stop


@cache
def _read(label: str) -> _Sound:
    if is_silence(label):
        return _Sound(0, 0, 1.0, False, True, False)
    bare = plain(label)
    name = viseme(label)
    first = second = VISEME_INDEX[name]
    vowel = is_vowel(label) and name not in ("PP", "nn")
    if is_arpabet(label):
        second = VISEME_INDEX[_GLIDES.get(bare, name)]
    elif vowel and len(bare) > 1 and is_vowel(bare[1]):
        second = VISEME_INDEX[viseme(bare[1])]
    openness = _OPENNESS.get(bare, _OPENNESS.get(bare[:1], 1.0) if not is_arpabet(label) else 1.0)
    if label.endswith("0"):  # written stress, where there is any: unstressed vowels open less
        openness *= 0.8
    return _Sound(first, second, openness, vowel, name == "sil", bare in ("HH", "Q", "h", "ɦ", "ʔ", "ħ"))


def _undershoot(length: Floats | float) -> Floats | float:
    """How much of its opening a vowel of ``length`` seconds reaches (Lindblom 1963); never nothing."""
    return 0.5 + 0.5 * np.minimum(1.0, np.asarray(length) / 0.12)


def ramp(x: Floats) -> Floats:
    """0 to 1 with rest at both ends (minimum jerk), for x from 0 to 1 and clamped outside."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def _bell(t: Floats, start: Floats, end: Floats, onset: Floats, decay: Floats) -> Floats:
    """(n, m) dominance over time: 1 from start to end, compact and smooth outside."""
    t = t[:, None]
    away = np.maximum(np.maximum(start - t, 0.0) / onset, np.maximum(t - end, 0.0) / decay)
    return np.square(np.maximum(1.0 - np.square(away), 0.0))


def _gate(t: Floats, start: Floats, end: Floats, attack: Floats, release: Floats) -> Floats:
    """(n,) the greatest of several gates, each 1 from start to end with minimum-jerk flanks."""
    near = (start - attack < t[-1] + 1e-9) & (end + release > t[0])
    if not near.any():
        return np.zeros(len(t))
    start, end, attack, release = start[near], end[near], attack[near], release[near]
    t = t[:, None]
    return (ramp((t - start + attack) / attack) * ramp((end + release - t) / release)).max(1)


class Lips:
    """Lips over time, from phones as they become known.

    Parameters
    ----------
    look_ahead
        Seconds ahead of a frame within which the phones that start are known by then.
    """

    def __init__(self, *, look_ahead: float = 2.0) -> None:
        if not look_ahead >= 0.06:
            raise DataError(f"look-ahead {look_ahead} s; lips need at least 0.06 s")
        self.anticipation = min(LONGEST_LEAD, look_ahead - 2 / _FPS)
        self._breathes = look_ahead >= BREATH_LEAD + 0.15
        self._phones: list[tuple[float, float, _Sound]] = []
        self._tracks: _Tracks | None = None

    def hear(self, phones: Sequence[Interval]) -> None:
        """Add phones in order of time; those heard before are passed over.

        Parameters
        ----------
        phones
            ARPAbet or IPA labels on the clock.
        """
        last = self._phones[-1][0] if self._phones else -np.inf
        for phone in sorted(phones, key=lambda p: p.start):
            if phone.start <= last or phone.end <= phone.start:
                continue
            sound = _read(phone.label)
            if not sound.silent:
                self._phones.append((phone.start, phone.end, sound))
                last = phone.start
                self._tracks = None

    def forget(self, before: float) -> None:
        """Drop what can no longer be seen at ``before`` or later."""
        keep = next((i for i, p in enumerate(self._phones) if p[1] > before - 0.6), len(self._phones))
        # One neighbour more: a constraint's flank may depend on it.
        keep = max(keep - 1, 0)
        if keep:
            del self._phones[:keep]
            self._tracks = None

    @property
    def tracks(self) -> _Tracks:
        """The phones as arrays of claims and constraints."""
        if self._tracks is None:
            self._tracks = _Tracks(self._phones, self.anticipation)
        return self._tracks

    def flow(self, t: Floats, gain: Floats | float = 1.0) -> Floats:
        """Blend the phones' shapes.

        Parameters
        ----------
        t
            (n,) seconds of successive frames at 60 fps.
        gain
            (n,) how far jaw and lips open beside the usual.

        Returns
        -------
        (n, 52) ARKit weights of speech alone.
        """
        around = np.r_[t[0] - 2 / _FPS, t[0] - 1 / _FPS, t, t[-1] + 1 / _FPS, t[-1] + 2 / _FPS]
        raw = self.tracks.flow(around)
        out = sum(share * raw[i : i + len(t)] for i, share in enumerate(_SMOOTHING))
        out[:, _OPENERS] *= np.broadcast_to(gain, t.shape)[:, None]
        return out

    def busy(self, t: Floats) -> Floats:
        """(n,) how much the mouth is given to speech, 0 to 1, steady through short gaps."""
        return _gate(t, *self.tracks.speaking)

    def breath(self, t: Floats) -> Floats:
        """(n,) the breath drawn before speech after a pause, 0 to 1; none where the look-ahead is short."""
        return _gate(t, *self.tracks.breaths) if self._breathes else np.zeros(len(t))

    def enforce(self, t: Floats, weights: Floats) -> Floats:
        """Apply the hard constraints to a finished face, weakest first.

        Open vowels, rounding, narrow sibilants, lip on teeth, closed lips: a later one wins.

        Parameters
        ----------
        t
            (n,) seconds.
        weights
            (n, 52) ARKit weights, not changed.

        Returns
        -------
        (n, 52) weights that keep the constraints.
        """
        return self.tracks.enforce(t, weights)


class _Tracks:
    """Phones as arrays: one row per target, and the times of every constraint."""

    def __init__(self, phones: Sequence[tuple[float, float, _Sound]], anticipation: float) -> None:
        start, end, shape, scale, weak = [], [], [], [], []
        for a, b, sound in phones:
            rows = [(a, b, sound.first)]
            if sound.second != sound.first:
                turn = a + 0.6 * (b - a)
                rows = [(a, turn, sound.first), (turn, b, sound.second)]
            for s, e, v in rows:
                start.append(s)
                end.append(e)
                shape.append(v)
                scale.append(sound.openness * _undershoot(b - a) if sound.vowel else 1.0)
                weak.append(0.15 if sound.transparent else 1.0)
        self.shape = np.array(shape, int)
        begin, finish = np.array(start, float), np.array(end, float)
        length = finish - begin
        pace = np.clip(length / 0.08, 0.5, 1.0)  # fast speech: shorter reach, or neighbours would smear
        self.start = begin + np.minimum(0.25 * length, 0.04) - LEAD
        self.end = np.maximum(self.start, finish - np.minimum(0.3 * length, 0.05) - LEAD)
        room = anticipation + (self.start - begin)
        self.onset = np.minimum(ONSET[self.shape] * pace, np.maximum(room, 0.015))
        self.decay = DECAY[self.shape] * pace
        lip_heavy = np.isin(self.shape, (_CH, _OU, _OH))
        self.round_onset = np.minimum(self.onset * np.where(lip_heavy, 1.5, 1.0), np.maximum(room, 0.01))
        self.round_decay = self.decay * np.where(lip_heavy, 1.4, 1.0)
        self.claim = CLAIM[self.shape] * np.array(weak)[:, None]
        target = shapes()[self.shape].astype(float)
        opening = np.r_[GROUPS["jaw"], columns("mouthLowerDown", "mouthUpperUp")]
        target[:, opening] *= np.array(scale)[:, None]
        self.target = target
        self._constrain(phones, anticipation)

    def _constrain(self, phones: Sequence[tuple[float, float, _Sound]], anticipation: float) -> None:
        """Times of closures, lip-on-teeth contacts, open vowels, rounding and sibilants."""
        n = len(phones)
        begin = np.array([p[0] for p in phones], float)
        end = np.array([p[1] for p in phones], float)
        first = np.array([p[2].first for p in phones], int)
        vowel = np.array([p[2].vowel for p in phones], bool)
        length = end - begin
        middle = 0.5 * (begin + end)
        hard = (first == _PP) | (first == _FF)
        # Closures are centred in the sound and never shorter than three frames of 60 fps.
        half = np.where(first == _PP, np.maximum(0.38 * length, 0.025), np.maximum(0.3 * length, 0.02))
        low, high = middle - half, middle + half
        attack, release = np.full(n, 0.075), np.full(n, 0.08)
        for i in range(n):
            if hard[i] and i:
                if hard[i - 1] and first[i - 1] == first[i] and begin[i] - end[i - 1] < 0.04:
                    low[i] = high[i - 1]  # one long closure, not two
                elif hard[i - 1]:
                    attack[i] = low[i] - high[i - 1]
                elif vowel[i - 1] and begin[i] - end[i - 1] < 0.04:
                    attack[i] = low[i] - middle[i - 1]
            if hard[i] and i + 1 < n:
                if hard[i + 1] and first[i + 1] != first[i]:
                    release[i] = low[i + 1] - high[i]
                elif vowel[i + 1] and begin[i + 1] - end[i] < 0.04:
                    release[i] = middle[i + 1] - high[i]
        attack = np.minimum(
            np.clip(attack, np.where(first == _FF, 0.055, 0.03), 0.085),
            np.maximum(anticipation + low - begin, 0.015),
        )
        release = np.clip(release, np.where(first == _FF, 0.05, 0.03), 0.09)
        even = np.full(n, 1.0)
        # An expression gives way within a tenth of a second and comes back slowly, not between two words.
        self.speaking = (begin, end, np.minimum(0.12, anticipation) * even, 0.45 * even)
        fresh = begin - np.r_[-np.inf, end[:-1]] > PAUSE if n else np.zeros(0, bool)
        self.breaths = tuple(x[fresh] for x in (begin - BREATH_LEAD, begin - 0.26, 0.15 * even, 0.16 * even))
        self.closures, self.contacts = (
            tuple(x[first == v] for x in (low, high, attack, release)) for v in (_PP, _FF)
        )
        edge = np.clip(0.5 * length, 0.03, 0.06)
        peak = np.minimum(0.15 * length, 0.05)
        rise = np.minimum(edge, anticipation)
        opens = (middle - peak, middle + peak, rise, edge)
        self.vowels = tuple(x[vowel] for x in opens)
        rows = np.array([p[2].first for p, v in zip(phones, vowel, strict=True) if v], int)
        open_ = np.array([p[2].openness for p, v in zip(phones, vowel, strict=True) if v], float)
        # Close rounded vowels hardly use the jaw, yet a mouth must be seen to be open.
        self.least_open = np.maximum(0.65 * shapes()[rows, _JAW] * open_ * _undershoot(length[vowel]), 0.1)
        rounded = np.isin(first, (_OU, _CH)) | np.isin([p[2].second for p in phones], (_OU,))
        # Rounding spreads beyond its sound, and slowly: a smile narrows, it does not twitch.
        late = np.isin(first, (_OU, _CH))
        low, high = np.where(late, begin, middle), np.maximum(middle, end - 0.03)
        wide = (low, high, np.minimum(0.09, anticipation) * even, 0.1 * even)
        self.rounded = tuple(x[rounded] for x in wide)
        sibilant = np.isin(first, (_SS, _CH))
        self.sibilants = tuple(x[sibilant] for x in (middle - peak, middle + peak, rise, edge))

    def flow(self, t: Floats) -> Floats:
        out = np.zeros((len(t), shapes().shape[1]))
        if not len(self.shape):
            return out
        near = (self.start - self.round_onset < t[-1]) & (self.end + self.round_decay > t[0])
        if not near.any():
            return out
        start, end, claim, target = self.start[near], self.end[near], self.claim[near], self.target[near]
        bell = _bell(t, start, end, self.onset[near], self.decay[near])
        wide = _bell(t, start, end, self.round_onset[near], self.round_decay[near])
        for g, (name, cols) in enumerate(GROUPS.items()):
            weight = (wide if name == "round" else bell) * claim[:, g]
            total = weight.sum(1)
            # What nobody claims belongs to the mouth at rest.
            rest = np.square(np.maximum(1.0 - total / 0.5, 0.0)) * 0.5
            out[:, cols] = weight @ target[:, cols] / (total + rest + 1e-9)[:, None]
        return out

    def enforce(self, t: Floats, weights: Floats) -> Floats:
        out = np.array(weights, float)
        closed = _gate(t, *self.closures)
        touch = _gate(t, *self.contacts)
        if len(self.least_open):
            low, high, rise, fall = self.vowels
            near = (low - rise < t[-1] + 1e-9) & (high + fall > t[0])
            if near.any():
                low, high, rise, fall, x = low[near], high[near], rise[near], fall[near], t[:, None]
                gate = ramp((x - low + rise) / rise) * ramp((high + fall - x) / fall)
                out[:, _JAW] = np.maximum(out[:, _JAW], (gate * self.least_open[near]).max(1))
                out[:, _SQUEEZE] *= (1.0 - 0.9 * gate.max(1))[:, None]
        rounding = _gate(t, *self.rounded)[:, None]
        out[:, _SPREAD] *= 1.0 - 0.65 * rounding
        out[:, _ROUND] = np.maximum(out[:, _ROUND], 0.75 * rounding * shapes()[_OU, _ROUND])
        narrow = _gate(t, *self.sibilants)
        cap = 2.0 * shapes()[_SS, _JAW]
        out[:, _JAW] -= narrow * np.maximum(out[:, _JAW] - cap, 0.0)
        for gate, row in ((touch, _FF), (closed, _PP)):
            if gate.any():
                goal = np.repeat(shapes()[row][None, :].astype(float), len(t), 0)
                # Rounding and a smile go on through a closure, but less.
                goal[:, _SPREAD] += (0.85 if row == _PP else 0.6) * out[:, _SPREAD]
                if row == _PP:
                    # The jaw stays a little open under closed lips; mouthClose undoes its opening one to one.
                    ajar = 0.3 * np.minimum(out[:, _JAW], 0.5)
                    goal[:, _JAW] += ajar
                    goal[:, _CLOSE] += ajar
                goal[:, _PUCKER] += (0.8 if row == _PP else 0.3) * out[:, _PUCKER]
                cols = LIP_COLUMNS
                out[:, cols] += gate[:, None] * (goal[:, cols] - out[:, cols])
        return out
