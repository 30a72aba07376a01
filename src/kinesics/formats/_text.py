"""Text and XML that nobody vouches for: sizes, encodings and entities are checked before anything is parsed."""

from __future__ import annotations

import codecs
import logging
import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError
from xml.sax import saxutils

from kinesics.errors import DataError, FormatError

log = logging.getLogger(__name__)

MOST_BYTES = 256_000_000
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def head_of(path: Path, size: int = 65_536) -> str:
    """The first bytes of a file as text, for recognising it; what is no text becomes U+FFFD."""
    with path.open("rb") as file:
        raw = file.read(size)
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    return raw.decode(encoding, errors="replace")


def text_of(path: Path, *, most: int = MOST_BYTES) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark; line ends become ``\\n``.

    Raises
    ------
    FormatError
        If it has more than ``most`` bytes, or is not text in these encodings.
    """
    return decoded(path, most=most)[0]


def decoded(
    path: Path, *, most: int = MOST_BYTES, fallback: str | None = None, encoding: str | None = None
) -> tuple[str, str]:
    """The text of a file as :func:`text_of` gives it, and the encoding that was taken.

    Parameters
    ----------
    path
        The file.
    most
        Bytes above which it is refused.
    fallback
        Encoding to take, with a warning in the log, where it is neither UTF-8 nor marked as UTF-16.
    encoding
        Encoding to take in any case.

    Raises
    ------
    FormatError
        If it is too large, or not text in these encodings.
    DataError
        If Python knows no ``encoding`` of that name.
    """
    size = path.stat().st_size
    if size > most:
        raise FormatError(
            path, "size", f"at most {most / 1e6:.0f} MB, found {size / 1e6:.0f}", "split the file"
        )
    raw = path.read_bytes()
    taken = encoding or next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(taken)
    except LookupError as error:
        raise DataError(f"unknown encoding {taken!r:.40}; expected a name such as 'gb18030'") from error
    except UnicodeError as error:
        if fallback is None or taken != "utf-8" or encoding is not None:
            where = f"byte {error.start}" if isinstance(error, UnicodeDecodeError) else "text"
            raise FormatError(path, where, f"text in {taken}", "save it as UTF-8") from error
        log.warning("%s is not UTF-8 (byte %d); read as %s", path, getattr(error, "start", 0), fallback)
        text, taken = raw.decode(fallback, errors="replace"), fallback
    return text.replace("\r\n", "\n").replace("\r", "\n"), taken


def encoding_fact(encoding: str) -> dict[str, str]:
    """What ``meta`` says of an encoding: nothing of UTF-8."""
    return {} if encoding.startswith("utf-8") else {"encoding": encoding}


def xml_of(path: Path, *, root: str, most: int = MOST_BYTES) -> Element:
    """The root element of an XML file: entities and whatever lies outside the file are refused.

    Parameters
    ----------
    path
        The file.
    root
        Name that the root element must have (in any namespace).
    most
        Bytes above which it is refused.

    Raises
    ------
    FormatError
        If it is too large, not well-formed, has another root, or defines entities.
    """
    import defusedxml.ElementTree
    from defusedxml.common import DefusedXmlException

    size = path.stat().st_size
    if size > most:
        raise FormatError(
            path, "size", f"at most {most / 1e6:.0f} MB, found {size / 1e6:.0f}", "split the file"
        )
    try:
        found: Element = defusedxml.ElementTree.fromstring(path.read_bytes(), forbid_entities=True)
    except DefusedXmlException as error:
        raise FormatError(path, "document type", "XML without entities", "write characters out") from error
    except ParseError as error:
        line, column = error.position
        raise FormatError(
            path, f"line {line}, column {column}", f"well-formed XML ({error.msg})", "mend the XML there"
        ) from error
    except (ValueError, LookupError) as error:
        raise FormatError(
            path, "encoding", f"XML in a known encoding ({error})", "save it as UTF-8"
        ) from error
    if found.tag.rpartition("}")[2].lower() != root.lower():
        raise FormatError(
            path, "root element", f"<{root}>, found <{found.tag[:60]}>", "check that this is the right file"
        )
    return found


def xml_text(text: str, what: str = "") -> str:
    """Text for between two tags, so that it is read back the same; a DataError where XML cannot hold it."""
    return saxutils.escape(_speakable(text, what), {"\r": "&#13;"})


def xml_value(text: str, what: str = "") -> str:
    """Text for an attribute, with its quotes, so that it is read back the same."""
    return saxutils.quoteattr(_speakable(text, what), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _speakable(text: str, what: str) -> str:
    if found := _UNSPEAKABLE.search(text):
        where = what or f"{text!r:.60}"
        raise DataError(f"{where}: the character {found[0]!r} cannot be written in XML; remove it")
    return text
