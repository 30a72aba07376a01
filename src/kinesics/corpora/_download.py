"""Fetching data sets: asked first, over https alone, in parts that resume, never more than announced."""

from __future__ import annotations

import http.client
import os
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from kinesics.corpora._recipe import Recipe
from kinesics.errors import DataError, FormatError
from kinesics.progress import progress

Confirm = Callable[[str], bool]
_BLOCK = 1 << 20
_TIMEOUT = 60
_RATIO = 100
"""How many times its own size a zip file may unpack to (text packs well)."""


def ask(text: str) -> bool:
    """Show ``text`` and ask on the terminal; no where there is none."""
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    print(text)
    return input("Download? [y/N] ").strip().lower() in ("y", "yes")


def by_hand(recipe: Recipe, steps: str, confirm: Confirm | None) -> list[Path]:
    """Explain a data set that no program may fetch; nothing is downloaded."""
    text = f"{recipe.about()}\nThis data cannot be fetched by a program. By hand:\n{steps}"
    if confirm is None:
        print(text)
    else:
        confirm(text)
    return []


def agreed(recipe: Recipe, what: str, confirm: Confirm | None) -> None:
    """Ask, and raise a DataError if the answer is no."""
    text = f"{recipe.about()}\nWould be fetched: {what}"
    if not (confirm or ask)(text):
        raise DataError(
            f"{recipe.name}: nothing was downloaded, as nobody agreed to it; where there is no terminal to ask on, "
            f"agree beforehand (--yes, or confirm=)"
        )


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        _secure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _secure(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise DataError(f"{url:.120}: only https is fetched")


def _opened(request: urllib.request.Request) -> Any:
    return urllib.request.build_opener(_HttpsOnly).open(request, timeout=_TIMEOUT)


def fetch(
    url: str, path: Path, *, most: int, opened: Callable[[urllib.request.Request], Any] = _opened
) -> Path:
    """Fetch one file; an interrupted download goes on where it stopped, if the server can.

    Parameters
    ----------
    url
        An https address; redirects elsewhere are refused.
    path
        Where it goes. Until it is complete it is ``<path>.part``.
    most
        Bytes above which it is refused.
    opened
        Opens a request.

    Raises
    ------
    DataError
        If it cannot be fetched, is larger than ``most``, or ends too early (what came is kept).
    """
    _secure(url)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "kinesics", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with opened(urllib.request.Request(url, headers=headers)) as answer:
            if have and answer.status != 206:
                have = 0
            elif have and not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
                raise DataError(f"{url}: the server answered with another part than asked for; remove {part}")
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length and length.isdecimal() else None
            if total is not None and total > most:
                raise DataError(f"{url}: {total:,} bytes; expected at most {most:,}")
            with part.open("ab" if have else "wb") as file:
                # Where the server does not tell, the bar counts without an end.
                blocks = -(-(total - have) // _BLOCK) if total is not None else None
                for block in progress(
                    iter(lambda: answer.read(_BLOCK), b""), path.name, total=blocks, unit="MB"
                ):
                    have += len(block)
                    if have > most:
                        raise DataError(f"{url}: more than {most:,} bytes; nothing more was fetched")
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        if error.code == 416:
            part.unlink(missing_ok=True)
        raise DataError(f"{url}: the server answered {error.code} {error.reason}; try again later") from error
    except (OSError, http.client.HTTPException) as error:
        kept = f"; {have:,} bytes are kept and the next try goes on from there" if have else ""
        raise DataError(f"{url}: {getattr(error, 'reason', None) or error}{kept}") from error
    if total is not None and have != total:
        raise DataError(f"{url}: {have:,} of {total:,} bytes came; run it again to go on")
    part.replace(path)
    return path


def unpack(path: Path, folder: Path, endings: tuple[str, ...], *, most: int) -> Iterator[Path]:
    """Unpack those members of a zip file that end as wanted, flat into a folder; yield what is there.

    Names of members never lead out of the folder: only their last part is used. A file that is there in full
    is left alone.

    Raises
    ------
    FormatError
        If the file is no zip file, is damaged, or would unpack to absurd size.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def damaged(where: str, expected: str) -> FormatError:
        return FormatError(path, where, expected, "remove it and download it again")

    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                m for m in archive.infolist() if not m.is_dir() and m.filename.lower().endswith(endings)
            ]
            if sum(m.file_size for m in members) > min(most, _RATIO * path.stat().st_size):
                raise damaged("directory", f"at most {most:,} bytes unpacked")
            names = [PurePosixPath(m.filename.replace("\\", "/")).name for m in members]
            if len(set(map(str.lower, names))) != len(names):
                raise damaged("directory", "files of different names")
            pairs = zip(members, names, strict=True)
            for member, name in progress(pairs, "unpack", total=len(members), unit="file"):
                target = folder / name
                if not (target.is_file() and target.stat().st_size == member.file_size):
                    part = target.with_name(f".{name}.part")
                    with archive.open(member) as source, part.open("wb") as file:
                        left = member.file_size
                        while block := source.read(min(_BLOCK, left + 1)):
                            left -= len(block)
                            if left < 0:
                                raise damaged(f"member {name!r}", f"{member.file_size} bytes")
                            file.write(block)
                    part.replace(target)
                yield target
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise damaged("zip file", f"members that unpack ({error})") from error
    except OSError as error:
        raise DataError(f"cannot unpack {path}: {error.strerror or error}") from error
