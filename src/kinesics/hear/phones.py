"""Phones: ARPAbet or IPA to visemes, vowels, sonority and syllables, by one function each.

An English phone is an ARPAbet label in capitals, with or without a stress digit (``AH0``); anything else
is read as IPA. The 15 visemes are those of the Oculus lip-sync set. Schwa is the one deliberate
difference between the alphabets: ARPAbet writes it ``AH`` like the open vowel of "cut" (``aa``), IPA
tells it apart (``E``, a nearly closed, relaxed mouth).
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""The 15 viseme classes; ``sil`` first."""

_ARPABET = {
    "PP": "P B M EM", "FF": "F V", "TH": "TH DH", "DD": "T D DX", "kk": "K G HH NG Q", "CH": "CH JH SH ZH",
    "SS": "S Z", "nn": "N L EN EL NX", "RR": "R ER AXR", "aa": "AA AE AH AY AW AX", "E": "EH EY",
    "ih": "IH IY Y IX", "oh": "AO OW OY", "ou": "UH UW W UX",
}  # fmt: skip
_IPA = {
    "PP": "pbmɸβɓʙ", "FF": "fvɱʋⱱ", "TH": "θð", "DD": "tdʈɖɾɗ", "kk": "kgɡxɣχʁqɢhɦħʕʔŋɴçʝcɟɰ", "CH": "ʃʒʂʐɕʑ",
    "SS": "sz", "nn": "nlɳɲɭʎɫɬɮʟ", "RR": "rɹɻʀɽɚɝ", "aa": "aɑɐæʌɶ", "E": "eɛəɜɘɤ", "ih": "iɪɨjɯᵻ",
    "oh": "oɔɒɵøœɞ", "ou": "uʊwʍɥyʏʉᵿ",
}  # fmt: skip
_VISEME = {label: v for v, labels in _ARPABET.items() for label in labels.split()}
_VISEME_IPA = {symbol: v for v, symbols in _IPA.items() for symbol in symbols}

ARPABET_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW AX IX AXR UX EM EN EL".split())
"""ARPAbet phones that carry a syllable."""
_IPA_VOWELS = frozenset("aɑɐæʌɶeɛəɜɘɤiɪɨɯᵻoɔɒɵøœɞuʊyʏʉᵿɚɝ")
_SILENT = frozenset({"", "sil", "sp", "spn", "nsn", "pau", "_", "_:", "<eps>", "br"})
_SYLLABIC = "\u0329"  # combining mark under a syllabic consonant

_STOPS = frozenset("P B T D K G Q CH JH".split()) | frozenset("pbtdkgɡqɢʈɖcɟʔɓɗ")
_FRICATIVES = frozenset("F V TH DH S Z SH ZH HH".split()) | frozenset("fvθðszʃʒʂʐɕʑçʝxɣχʁħʕhɦɸβ")
_NASALS = frozenset("M N NG NX".split()) | frozenset("mnŋɱɲɳɴ")
_LIQUIDS = frozenset("L R DX".split()) | frozenset("lrɹɻʀɽɾɭʎɫɬɮʟʋ")
_GLIDES = frozenset("W Y".split()) | frozenset("jwɥʍɰ")


def is_arpabet(phone: str) -> bool:
    """Tell whether a label is ARPAbet (ASCII capitals and an optional stress digit).

    >>> is_arpabet("AH0"), is_arpabet("ɑː")
    (True, False)
    """
    bare = phone.rstrip("012")
    return bare.isascii() and bare.isalpha() and bare.isupper()


def plain(phone: str) -> str:
    """Return a phone without stress, length or diacritics, in its own alphabet.

    >>> plain("AH0"), plain("ˈɑː"), plain("tʰ")
    ('AH', 'ɑ', 't')
    """
    if is_arpabet(phone):
        return phone.rstrip("012")
    kept = []
    for symbol in unicodedata.normalize("NFD", phone):
        # combining marks, modifier letters (length, aspiration, stress) and tie bars are no phones
        if unicodedata.category(symbol) in ("Mn", "Lm", "Sk") or symbol in "ˈˌːˑ'`-.":
            continue
        kept.append(symbol)
    return "".join(kept)


def is_silence(phone: str) -> bool:
    """Tell whether a label names no speech sound (empty, SIL, sp, spn …)."""
    return phone.strip().lower() in _SILENT or phone.startswith("+")


def viseme(phone: str) -> str:
    """Return the viseme class of an ARPAbet or IPA phone.

    Diphthongs give the class of their first part, affricates that of their release.

    Parameters
    ----------
    phone
        One label of a phones tier; silence labels and unknown symbols give ``sil``.

    Returns
    -------
    str
        One of `VISEMES`.

    Examples
    --------
    >>> [viseme(p) for p in ("M", "AY1", "SIL", "tʃ", "yː")]
    ['PP', 'aa', 'sil', 'CH', 'ou']
    """
    if is_silence(phone):
        return "sil"
    bare = plain(phone)
    if is_arpabet(phone):
        return _VISEME.get(bare, "sil")
    found = [_VISEME_IPA[s] for s in bare if s in _VISEME_IPA]
    if not found:
        return "sil"
    if (
        len(found) > 1 and bare[0] in "tdp" and bare[1] in "ʃʒʂʐɕʑszf"
    ):  # tʃ, ts, pf: lips shape for the release
        return found[0] if found[0] == "PP" else found[1]
    return found[0]


def is_vowel(phone: str) -> bool:
    """Tell whether a phone carries a syllable: a vowel, a diphthong or a syllabic consonant.

    >>> is_vowel("ER0"), is_vowel("n̩"), is_vowel("n")
    (True, True, False)
    """
    if is_arpabet(phone):
        return plain(phone) in ARPABET_VOWELS
    if _SYLLABIC in unicodedata.normalize("NFD", phone):
        return True
    return plain(phone)[:1] in _IPA_VOWELS


def sonority(phone: str) -> int:
    """Return the sonority rank: 0 silence, 1 stop, 2 fricative, 3 nasal, 4 liquid, 5 glide, 6 vowel.

    >>> [sonority(p) for p in ("P", "S", "N", "L", "W", "AA1")]
    [1, 2, 3, 4, 5, 6]
    """
    if is_silence(phone):
        return 0
    if is_vowel(phone):
        return 6
    bare = plain(phone) if is_arpabet(phone) else plain(phone)[:1]
    for rank, members in ((1, _STOPS), (2, _FRICATIVES), (3, _NASALS), (4, _LIQUIDS), (5, _GLIDES)):
        if bare in members:
            return rank
    return 2


def _may_begin(cluster: Sequence[str]) -> bool:
    """Whether consonants can open a syllable: rising sonority, or s before a voiceless stop or nasal."""
    if len(cluster) < 2:
        return not (cluster and plain(cluster[0]) in ("NG", "ŋ"))
    first, second = plain(cluster[0]), plain(cluster[1])
    if first in ("NG", "ŋ") or not _may_begin(cluster[1:]):
        return False
    s_like = {"S", "s", "ʃ"}
    if first in s_like and second in {"P", "T", "K", "M", "N", "F", "p", "t", "k", "m", "n", "f"}:
        return True
    if second in ("L", "l") and first in ("T", "D", "TH", "DH", "t", "d", "θ", "ð"):
        return False
    if second in ("Y", "j"):
        return sonority(cluster[0]) <= 4
    low, high = sonority(cluster[0]), sonority(cluster[1])
    # stop+nasal and stop+fricative clusters open no English or Romance syllable in the middle of a word
    return low < high and high >= 4 and low != 3


def syllabify(phones: Sequence[str]) -> list[tuple[int, int]]:
    """Split the phones of a word into syllables by maximal onset.

    Parameters
    ----------
    phones
        ARPAbet or IPA labels of one word.

    Returns
    -------
    list of (int, int)
        Half-open index ranges that cover all phones; empty without phones; a word without a vowel is one
        syllable.

    Examples
    --------
    >>> w = "IH0 K S T R IY1 M L IY0".split()
    >>> [" ".join(w[a:b]) for a, b in syllabify(w)]
    ['IH0 K', 'S T R IY1 M', 'L IY0']
    """
    nuclei = [i for i, phone in enumerate(phones) if is_vowel(phone)]
    if not phones:
        return []
    if not nuclei:
        return [(0, len(phones))]
    starts = [0]
    for left, right in itertools.pairwise(nuclei):
        cut = right
        while cut > left + 1 and _may_begin(phones[cut - 1 : right]):
            cut -= 1
        starts.append(cut)
    return list(zip(starts, [*starts[1:], len(phones)], strict=True))
