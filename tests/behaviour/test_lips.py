"""Lips do what the phones say, seen on the mesh: at any speed, in any emotion, however frames are asked for."""

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.lips import textgrid_phones
from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.lips import Lips
from kinesics.behaviour.visemes import VISEME_INDEX, columns, shapes
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.bodies.avatar import avatars, load_avatar
from kinesics.errors import DataError
from kinesics.hear.phones import VISEMES
from kinesics.metrics.lips import lip_score
from kinesics.metrics.mouth import Mouth
from kinesics.performance import Interval, Signal

CONSONANTS = "P B M F V TH T D K S Z SH CH N L R W Y HH".split()
VOWELS = "AA AE AH AO AY AW EH ER EY IH IY OW OY UH UW".split()


def tier(text, length=0.08, start=0.3):
    """Phones of equal length."""
    return [Interval(start + i * length, start + (i + 1) * length, p) for i, p in enumerate(text.split())]


def faces(phones, *, seconds=None, look_ahead=2.0, **controls):
    """All frames of a clip."""
    face = FaceRealiser(Controls(**controls), look_ahead=look_ahead)
    face.hear(phones)
    return face.frames(0, int(60 * (seconds or phones[-1].end + 0.5)))


@cache
def measured(name):
    """The mouth of an avatar, made once."""
    return Mouth(load_avatar(name))


@pytest.fixture
def mouth():
    return measured("maya")


@st.composite
def sequences(draw):
    """Random phones, fast and slow, with pauses."""
    t, out = draw(st.floats(0.1, 0.4)), []
    for _ in range(draw(st.integers(3, 14))):
        label = draw(st.sampled_from(CONSONANTS + VOWELS))
        length = draw(st.floats(0.03, 0.2))
        out.append(Interval(t, t + length, label))
        t += length + draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.01, 0.3]))
    return out


@settings(max_examples=60, deadline=None)
@given(sequences(), st.sampled_from(EMOTIONS), st.integers(0, 3))
def test_every_bilabial_closes_and_every_labiodental_touches(phones, emotion, seed):
    weights = faces(phones, emotion=emotion, intensity=1.0, seed=seed)
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.max() <= 1
    score = lip_score(phones, weights, measured("maya"))
    assert score.closed == score.closures
    assert score.touched == score.contacts


@pytest.mark.parametrize("name", avatars())
@pytest.mark.parametrize("emotion", EMOTIONS)
def test_each_emotion_at_double_speed_on_each_avatar(name, emotion):
    words = "P AA P IY B L K AO M F AH N V IH M W UW B AE M B UW F IY M OW S P IH F T AY M Z"
    phones = tier(words, 0.06)
    score = lip_score(phones, faces(phones, emotion=emotion, intensity=1.0), measured(name))
    assert (score.closed, score.touched, score.opened) == (score.closures, score.contacts, score.vowels)
    assert score.frames_closed >= 2.5  # 40 ms


@pytest.mark.parametrize("length", [0.005, 0.01, 0.016, 0.02])
@pytest.mark.parametrize("offset", np.arange(8) / 480)
def test_a_closure_of_any_length_and_place_holds_a_frame(mouth, length, offset):
    phones = [
        Interval(0.2 + offset, 0.3 + offset, "AA"),
        Interval(0.3 + offset, 0.3 + offset + length, "P"),
        Interval(0.3 + offset + length, 0.45 + offset, "AA"),
    ]
    weights = faces(phones)
    assert lip_score(phones, weights, mouth).closed == 1
    assert mouth.measure(weights).closed[15:22].sum() >= 2


def test_vowels_open_between_closures(mouth):
    phones = tier("M AA M AA M IY M IY B EH B EH P UW P", 0.07)
    score = lip_score(phones, faces(phones, emotion="anger", intensity=1.0), mouth)
    assert score.opened == score.vowels == 7
    assert score.closed == score.closures == 8


def test_real_alignments_at_both_speeds(shared_data, mouth):
    folder = shared_data("free-speech") / "align"
    for name in ("mfa_acoustic_corpus", "mfa_cold_corpus"):
        phones = textgrid_phones(folder / f"{name}.TextGrid", None)
        for speed in (1.0, 2.0):
            fast = [Interval(p.start / speed, p.end / speed, p.label) for p in phones]
            score = lip_score(fast, faces(fast, emotion="happy", intensity=1.0), mouth)
            assert score.closures >= 12
            assert score.closed == score.closures
            assert score.touched == score.contacts
            assert score.opened >= 0.97 * score.vowels


@settings(max_examples=25, deadline=None)
@given(sequences(), st.integers(1, 40), st.sampled_from([0.1, 2.0]))
@example([Interval(0.25, 0.375, "P"), Interval(0.375, 0.5, "P"), Interval(0.8, 0.925, "F")], 1, 0.1)
def test_frames_do_not_depend_on_how_they_are_asked_for(phones, chunk, look_ahead):
    whole = faces(phones, look_ahead=look_ahead)
    face = FaceRealiser(Controls(), look_ahead=look_ahead)
    parts, heard = [], 0
    for first in range(0, len(whole), chunk):
        last = min(first + chunk, len(whole))
        # Live: a frame knows the phones that start within the look-ahead, no more.
        known = sum(p.start <= (last - 1) / 60 + look_ahead for p in phones)
        face.hear(phones[heard:known])
        heard = known
        parts.append(face.frames(first, last))
        face.forget(last / 60)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_lips_hold_with_a_tenth_of_a_second_of_look_ahead(mouth):
    phones = tier("P AA P IY B L K AO M F AH N V IH M W UW B AE M", 0.07)
    weights = faces(phones, look_ahead=0.1, emotion="happy", intensity=1.0)
    score = lip_score(phones, weights, mouth)
    assert (score.closed, score.touched, score.opened) == (score.closures, score.contacts, score.vowels)


def test_nothing_pops_at_a_natural_rate():
    phones = tier("HH AH L OW M AY N EY M IH Z M AE K S AE N D AY L AY K F IH SH V EH R IY M AH CH", 0.085)
    step = np.abs(np.diff(faces(phones, intensity=1.0), axis=0))
    assert step.max() < 0.45
    assert step[:, INDEX["jawOpen"]].max() < 0.12


def test_mouth_narrows_for_w_and_widens_for_ee_even_with_a_smile(mouth):
    for emotion in ("neutral", "happy"):
        phones = tier("W UW W UW T IY T IY", 0.12)
        width = mouth.measure(faces(phones, emotion=emotion, intensity=1.0)).width
        rounded, spread = width[24:45].min(), width[56:75].max()
        assert rounded < spread - 6


def test_rounding_starts_before_its_vowel():
    plain, rounded = faces(tier("AA T IY", 0.1)), faces(tier("AA T UW", 0.1))
    t_sound = slice(24, 30)  # the same t; its lips belong to the vowel that follows
    assert rounded[t_sound, INDEX["mouthPucker"]].mean() > plain[t_sound, INDEX["mouthPucker"]].mean() + 0.1


def test_sibilants_narrow_the_jaw_in_surprise_too():
    weights = faces(tier("AA S AA SH AA", 0.14), emotion="surprise", intensity=1.0)
    jaw = weights[:, INDEX["jawOpen"]]
    middle = lambda i: round(60 * (0.3 + 0.14 * (i + 0.5)))  # noqa: E731
    assert jaw[middle(1)] < 0.45 * jaw[middle(0)]
    assert jaw[middle(3)] < 0.45 * jaw[middle(2)]


def test_diphthongs_travel():
    weights = faces([Interval(0.3, 0.6, "AW")])
    early, late = weights[22], weights[33]
    assert early[INDEX["jawOpen"]] > late[INDEX["jawOpen"]] + 0.08
    assert late[INDEX["mouthPucker"]] > early[INDEX["mouthPucker"]] + 0.2


def test_pauses_relax_the_mouth():
    weights = faces([Interval(0.2, 0.4, "AA"), Interval(1.4, 1.6, "AA")], intensity=0.0)
    assert weights[50, INDEX["jawOpen"]] < 0.02


def test_ipa_and_arpabet_agree():
    latin = faces(tier("M IY T F UW D", 0.1))
    ipa = faces(tier("m iː t f uː d", 0.1))
    np.testing.assert_allclose(ipa, latin, atol=0.02)


def test_h_takes_the_shape_of_its_neighbour():
    alone, before_u = faces(tier("HH AA", 0.1)), faces(tier("HH UW", 0.1))
    assert before_u[22, INDEX["mouthPucker"]] > alone[22, INDEX["mouthPucker"]] + 0.1


def test_loud_speech_opens_wider():
    phones = tier("T AA T AA T AA T AA T AA T AA T AA T AA", 0.15)
    level = np.where(np.arange(320) / 100 > 1.5, -15.0, -32.0).astype(np.float32)
    energy = Signal(level[:, None], ("energy",), ("dB",), 100)
    face = FaceRealiser(Controls())
    face.hear(phones, energy)
    jaw = face.frames(0, 170)[:, INDEX["jawOpen"]]
    assert jaw[100:130].max() > 1.1 * jaw[40:70].max()


def test_a_breath_is_seen_before_speech(mouth):
    weights = faces([Interval(1.5, 1.6, "M"), Interval(1.6, 1.8, "AA")])
    gap = mouth.measure(weights).gap
    assert gap[64:76].max() > gap[30] + 1.0


def test_phones_heard_twice_count_once():
    phones = tier("M AA M")
    face = FaceRealiser(Controls())
    face.hear(phones)
    face.hear(phones)
    np.testing.assert_array_equal(face.frames(0, 60), faces(phones, seconds=1.0))


def test_memory_is_flat():
    lips = Lips()
    for k in range(300):
        lips.hear([Interval(k * 0.1, k * 0.1 + 0.1, "AA")])
        lips.forget(k * 0.1)
    assert len(lips._phones) < 20


def test_too_short_a_look_ahead_is_refused():
    with pytest.raises(DataError, match="look-ahead"):
        Lips(look_ahead=0.0)


def test_the_shipped_shapes_do_what_the_visemes_need(mouth):
    table = shapes()
    assert table.shape == (len(VISEMES), len(ARKIT))
    seen = mouth.measure(table)
    gap = dict(zip(VISEMES, seen.gap, strict=True))
    assert seen.closed[VISEME_INDEX["PP"]]
    assert gap["aa"] > gap["E"] > gap["ih"] > gap["SS"] > 1
    assert gap["oh"] > gap["ou"] > 2
    assert seen.width[VISEME_INDEX["ou"]] < seen.width[VISEME_INDEX["ih"]] - 6
    assert seen.protrusion[VISEME_INDEX["ou"]] > 2.5
    assert table[VISEME_INDEX["TH"], INDEX["tongueOut"]] > 0.1
    # Left and right agree: asymmetry comes from the person, not from the shape.
    left, right = columns("mouthStretch", "mouthUpperUp").reshape(2, 2).T
    np.testing.assert_array_equal(table[:, left], table[:, right])


def test_mouth_measures_refuse_other_shapes(mouth):
    with pytest.raises(DataError, match="expected"):
        mouth.measure(np.zeros((3, 51)))
