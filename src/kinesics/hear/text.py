"""Written English to spoken words, each linked to the token it was written as.

Numbers, years, currency, clock times, ordinals, abbreviations, initials and symbols become words; the
spelling of the page is kept, so that the words tier shows what the user wrote.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_CURRENCY = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent"), "¥": ("yen", "")}
_SYMBOLS = {
    "&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "#": "number", "°": "degrees",
    "½": "a half", "¼": "a quarter", "¾": "three quarters", "×": "times", "§": "section",
}  # fmt: skip
_ABBREVIATIONS = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "st": "saint", "jr": "junior", "sr": "senior",
    "prof": "professor", "vs": "versus", "etc": "et cetera", "e.g": "for example", "i.e": "that is",
    "no": "number", "approx": "approximately", "dept": "department", "gov": "governor", "gen": "general",
    "sgt": "sergeant", "capt": "captain", "lt": "lieutenant", "col": "colonel", "sen": "senator",
    "rep": "representative", "rev": "reverend", "hon": "honorable", "ave": "avenue", "inc": "incorporated",
    "ltd": "limited", "corp": "corporation", "jan": "january", "feb": "february", "aug": "august",
    "sept": "september", "oct": "october", "nov": "november", "dec": "december", "a.m": "a m", "p.m": "p m",
}  # fmt: skip
_ALWAYS = {"mr", "mrs", "ms", "dr", "jr", "vs", "etc", "e.g", "i.e", "a.m", "p.m", "ltd", "dept", "sgt", "lt"}
_UNITS = {
    "km": "kilometers", "kg": "kilograms", "cm": "centimeters", "mm": "millimeters", "m": "meters", "g": "grams",
    "hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz", "ms": "milliseconds", "s": "seconds",
    "mb": "megabytes", "gb": "gigabytes", "tb": "terabytes", "ft": "feet", "lb": "pounds", "lbs": "pounds",
    "mph": "miles per hour", "am": "a m", "pm": "p m", "k": "thousand", "bn": "billion", "px": "pixels",
    "h": "hours", "min": "minutes", "x": "times", "d": "d",
}  # fmt: skip
_EDGE = "\"“”„‟«»()[]{}<>*_~`|\\…—–-.,;:!?¡¿'‘’"
_ENDS = ".,;:!?…—–"


@dataclass(frozen=True, slots=True)
class Token:
    """One written token and the words it is spoken as.

    Parameters
    ----------
    written
        The token as written, without the punctuation around it.
    spoken
        Lower-case words, apostrophes kept; empty where nothing is spoken.
    after
        Punctuation that followed (``"?"``, ``","``, ``""`` …); ends phrases.
    start
        Index of the token's first character in the text.
    """

    written: str
    spoken: tuple[str, ...]
    after: str
    start: int


def cardinal(number: int) -> str:
    """Return a whole number in words.

    >>> cardinal(1234)
    'one thousand two hundred thirty four'
    """
    if number < 0:
        return "minus " + cardinal(-number)
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (" " + _ONES[number % 10] if number % 10 else "")
    for scale, name in _SCALES:
        if number >= scale:
            rest = number % scale
            return f"{cardinal(number // scale)} {name}" + (f" {cardinal(rest)}" if rest else "")
    raise AssertionError(number)


def ordinal(number: int) -> str:
    """Return a whole number as an ordinal in words.

    >>> ordinal(42), ordinal(20)
    ('forty second', 'twentieth')
    """
    *head, last = cardinal(number).split()
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return " ".join([*head, last])


def year(number: int) -> str:
    """Return a four-digit number as a year is said.

    >>> year(1905), year(2024), year(2000)
    ('nineteen oh five', 'twenty twenty four', 'two thousand')
    """
    high, low = divmod(number, 100)
    if low == 0:
        return cardinal(number) if high % 10 == 0 else f"{cardinal(high)} hundred"
    if 2000 <= number < 2010:
        return cardinal(number)
    return f"{cardinal(high)} {'oh ' if low < 10 else ''}{cardinal(low)}"


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith("x") else "s")


def _digits(text: str) -> str:
    return " ".join(_ONES[int(c)] for c in text if c.isdigit())


def _number(text: str) -> str:
    """Words of a plain number with optional thousands commas and decimals."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(whole) > 15 or (len(whole) > 1 and whole[0] == "0"):
        said = _digits(whole)
    elif len(whole) == 4 and "," not in text and not fraction and 1100 <= int(whole) < 2100:
        said = year(int(whole))
    else:
        said = cardinal(int(whole or 0))
    return said + (f" point {_digits(fraction)}" if fraction else "")


def _money(sign: str, amount: str, scale: str) -> str:
    major, minor = _CURRENCY[sign]
    whole, _, cents = amount.replace(",", "").partition(".")
    if scale:
        return f"{_number(amount)} {scale} {major}s"
    number = int(whole or 0)
    said = f"{cardinal(number)} {major}{'s' if number != 1 and major != 'yen' else ''}"
    if cents and int(cents[:2].ljust(2, "0")) and minor:
        count = int(cents[:2].ljust(2, "0"))
        said += (
            f" {cardinal(count)} {minor if count == 1 else _plural(minor) if minor != 'penny' else 'pence'}"
        )
    return said


_SCALE_LETTER = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "": ""}
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"([$£€¥])([\d,]+(?:\.\d+)?)(k|m|bn|b|)$", re.I),
        lambda m: _money(m[1], m[2], _SCALE_LETTER[m[3].lower()]),
    ),
    (re.compile(r"([\d,]+)(?:st|nd|rd|th)$", re.I), lambda m: ordinal(int(m[1].replace(",", "")))),
    (re.compile(r"'?(\d*)(\d0)'?s$"), lambda m: _plural(year(int(m[1] + m[2])) if m[1] else cardinal(int(m[2])))),
    (
        re.compile(r"(\d{1,2}):(\d\d)(am|pm|)$", re.I),
        lambda m: " ".join(
            [
                cardinal(int(m[1])),
                "o'clock" if m[2] == "00" and not m[3] else "" if m[2] == "00" else
                ("oh " if m[2][0] == "0" else "") + cardinal(int(m[2])),
                " ".join(m[3].lower()),
            ]
        ),
    ),
    (re.compile(r"(-?)(\d[\d,]*(?:\.\d+)?|\.\d+)$"), lambda m: ("minus " if m[1] else "") + _number(m[2])),
    (re.compile(r"(-?\d[\d,]*(?:\.\d+)?)%$"), lambda m: _spoken_number(m[1]) + " percent"),
    (re.compile(r"(\d+)/(\d+)$"), lambda m: _fraction(int(m[1]), int(m[2]))),
    (
        re.compile(r"(\d[\d,]*(?:\.\d+)?)[-–](\d[\d,]*(?:\.\d+)?)(%?)$"),
        lambda m: f"{_number(m[1])} to {_number(m[2])}{' percent' if m[3] else ''}",
    ),
)  # fmt: skip


def _spoken_number(text: str) -> str:
    return ("minus " + _number(text[1:])) if text.startswith("-") else _number(text)


def _fraction(top: int, bottom: int) -> str:
    names = {2: "half", 4: "quarter"}
    if bottom < 2 or bottom > 20 or top > 20:
        return f"{cardinal(top)} slash {cardinal(bottom)}"
    name = names.get(bottom) or ordinal(bottom)
    return f"{cardinal(top)} {name if top == 1 else ('halves' if bottom == 2 else name + 's')}"


def _letters(word: str) -> list[str]:
    return [c for c in word.lower() if c.isalpha()]


def _ascii(word: str) -> str:
    """Latin letters without accents; other scripts are kept as they are."""
    flat = unicodedata.normalize(
        "NFKD", word.replace("’", "'").replace("‘", "'").replace("æ", "ae").replace("ß", "ss")
    )
    return "".join(c for c in flat if not unicodedata.combining(c))


def _say(written: str, after: str, known: Callable[[str], bool]) -> list[str]:
    """The spoken words of one written token."""
    token = _ascii(written)
    lower = token.lower()
    if lower in _ABBREVIATIONS and (lower in _ALWAYS or (after.startswith(".") and not known(lower))):
        return _ABBREVIATIONS[lower].split()
    for pattern, words in _PATTERNS:
        match = pattern.match(token)
        if match and match.end() == len(token):
            return words(match).split()
    if known(lower):
        # short capitals that are also words (US, IT) are spelled; longer ones are shouted
        if token not in {"US", "IT", "AM", "PM", "TV", "UK"}:
            return [lower]
        return _letters(token)
    unit = re.fullmatch(r"([$£€]?[\d,.]*\d)[-–]?([A-Za-z]+)", token)
    if unit and unit[2].lower() in _UNITS:
        return [*_say(unit[1], "", known), *_UNITS[unit[2].lower()].split()]
    possessive = re.fullmatch(r"(.+)'s?", token)
    if possessive and token.endswith("'") and known(possessive[1].lower()):
        return [possessive[1].lower()]
    if re.fullmatch(r"[A-Za-z](\.[A-Za-z])+", token) or (
        re.fullmatch(r"[A-Z]{2,5}s?", token) and not known(lower)
    ):
        return _letters(token)
    parts = [
        p for p in re.split(r"([^\w']|_|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z]))", token) if p and p.strip()
    ]
    if len(parts) > 1:
        spoken: list[str] = []
        for part in parts:
            if part == "." and len(parts) > 2:
                spoken.append("dot")
            elif part == "/":
                spoken.append("slash")
            elif part in _SYMBOLS:
                spoken.extend(_SYMBOLS[part].split())
            elif any(c.isalnum() for c in part):
                spoken.extend(_say(part, "", known))
        return spoken
    if token in _SYMBOLS:
        return _SYMBOLS[token].split()
    bare = "".join(c for c in lower if c.isalpha() or c == "'").strip("'")
    return [bare] if bare else []


def tokenize(text: str, *, known: Callable[[str], bool] = lambda _: False) -> list[Token]:
    """Split written English into tokens with the words they are spoken as.

    Parameters
    ----------
    text
        Any text; whitespace separates tokens.
    known
        Tells whether a lower-case word is in the pronouncing dictionary: such words are left as they are.

    Returns
    -------
    list of Token
        In order; tokens that are only punctuation are joined to the one before.

    Examples
    --------
    >>> [t.spoken for t in tokenize("Dr. Smith paid $5.50 in 1999!")][:3]
    [('doctor',), ('smith',), ('paid',)]
    >>> tokenize("$5.50")[0].spoken
    ('five', 'dollars', 'fifty', 'cents')
    """
    tokens: list[Token] = []
    if not any(c.islower() for c in text):
        text = (
            text.lower() if len(text.lower()) == len(text) else text
        )  # all capitals say nothing about initials
    for match in re.finditer(r"\S+", text):
        # a dash or dots between words without spaces separates them
        for piece in re.finditer(r"(?:(?!—|--|…|\.\.\.).)+(?:—|--|…|\.\.\.)*|(?:—|--|…|\.\.\.)+", match[0]):
            raw, start = piece[0], match.start() + piece.start()
            left = len(raw) - len(raw.lstrip(_EDGE.replace("-", "")))
            core = raw[left:].rstrip(_EDGE)
            tail = "".join(c for c in (raw[left + len(core) :] if core else raw) if c in _ENDS)
            if re.fullmatch(r"-\D.*", core):
                core, left = core[1:], left + 1
            spoken = tuple(_say(core, tail, known)) if core else ()
            if not spoken and tokens:
                last = tokens[-1]
                tokens[-1] = Token(last.written, last.spoken, last.after + tail, last.start)
            elif spoken:
                tokens.append(Token(core, spoken, tail, start + left))
    return tokens


def sentences(text: str, *, longest: int = 400) -> list[tuple[int, str]]:
    """Cut a text into sentences, long ones at commas or spaces.

    Parameters
    ----------
    text
        Any text.
    longest
        Characters a piece may hold.

    Returns
    -------
    list of (int, str)
        Index of the piece's first character, and the piece; the pieces joined are the text.

    Examples
    --------
    >>> [piece for _, piece in sentences("Hello. Who are you?")]
    ['Hello. ', 'Who are you?']
    """
    pieces: list[tuple[int, str]] = []
    at = 0
    while at < len(text):
        match = None
        for candidate in re.finditer(r"[.!?。！？]+[\"'”’)]*\s+|\n\s*\n\s*", text[at : at + longest]):
            word = text[at : at + candidate.start()].split()[-1:] or [""]
            if _abbreviated(word[0]):
                continue
            match = candidate
            break
        if match:
            end = at + match.end()
        elif len(text) - at <= longest:
            end = len(text)
        else:
            window = text[at : at + longest]
            cut = max(window.rfind(", "), window.rfind("; "))
            cut = cut if cut > longest // 3 else window.rfind(" ")
            end = at + (cut + 1 if cut > 0 else longest)
        pieces.append((at, text[at:end]))
        at = end
    return pieces


def _abbreviated(word: str) -> bool:
    """Whether a full stop after this word belongs to the word."""
    bare = word.strip(_EDGE).lower()
    return bare in _ALWAYS or bare in {"st", "prof", "no"} or bool(re.fullmatch(r"[A-Z]", word.strip("\"'(")))
