"""Commands over files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from kinesics.cli._shared import options_of, size_of
from kinesics.errors import DataError, FormatError


def convert(
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")],
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")],
    /,
    *,
    to: str = "",
    skeleton: str | None = None,
    fps: str | None = None,
    read: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-r"])] = (),
    write: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-w"])] = (),
    seed: int = 0,
    resume: bool = False,
) -> None:
    """Convert a file, or all files of a folder, to another format.

    Args:
        source: File or folder to read.
        target: File to write; for a folder, the folder to write to.
        to: What the new files of a folder end in, for instance .bvh.
        skeleton: Skeleton for the body, by name (see `kinesics skeletons`) or a file that has it.
        fps: Frames per second of body and face, for instance 30 or 30000/1001.
        read: Option of the reader as name=value, for instance unit=cm; may be given several times.
        write: Option of the writer as name=value, for instance order=XYZ; may be given several times.
        seed: Makes a plan that is performed on the way repeatable.
        resume: In a folder, leave files alone that are there already.
    """
    from kinesics import formats

    options = {
        "skeleton": skeleton,
        "fps": fps,
        "read": options_of(read),
        "write": options_of(write),
        "change": lambda show, path: _performed(show, path, seed),
    }
    if not source.is_dir():
        if to and not source.exists():
            raise FormatError(source, "path", "a folder, found nothing", "check the path")
        if to:
            raise DataError(f"--to is for folders; {target} already tells the format")
        show = formats.convert(source, target, **options)
        left = formats.left_out(show, target)
        told = f"; left out: {', '.join(left)}" if left else ""
        print(f"{target}  {size_of(target)}  {show.duration:.1f} s{told}")
        return
    if not to:
        raise DataError(f"{source} is a folder: say what the new files end in, for instance --to .bvh")
    count = dict.fromkeys(("converted", "kept", "failed"), 0)
    for done in formats.convert_folder(source, target, to, resume=resume, **options):
        count[done.status] += 1
        if done.status == "failed":
            print(f"kinesics: {done.reason}", file=sys.stderr)
    print(", ".join(f"{n} {status}" for status, n in count.items() if n))
    if count["failed"]:
        sys.exit(2)


def _performed(show, target: Path, seed: int):
    """A plan alone is performed when the target is to hold the body's or the face's movement."""
    from kinesics import formats

    wanted = {"body", "face"} & set(formats.format_of(target, verb="write").carries)
    if not wanted or "plan" not in show or set(show) & {"body", "face", "speech"}:
        return show
    from kinesics.behaviour.perform import perform

    return perform(plan=show.plan, seed=seed)


def info(
    file: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    read: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-r"])] = (),
    json: bool = False,
) -> None:
    """Say what a file holds.

    Args:
        file: Any file that Kinesics reads.
        read: Option of the reader as name=value; may be given several times.
        json: Print JSON, for programs.
    """
    from json import dumps

    from kinesics import formats

    about = formats.describe(file, **options_of(read))
    if json:
        print(dumps(about, ensure_ascii=False, indent=2, default=str))
        return
    print(f"{file}: {about['format']}, {size_of(file)}, {about['duration']:.2f} s")
    for track in about["tracks"]:
        name, kind = track.pop("name"), track.pop("type")
        facts = [f"{key} {_short(value, 1)}" for key, value in track.items() if value not in ([], {}, None)]
        print(f"  {name:12} {kind:8} {', '.join(facts)}")
    for key, value in about["meta"].items():
        print(f"  {key:12} {_short(value)}")


def _short(value: object, depth: int = 0) -> str:
    """A fact on one line; long lists, and what lies deeper, by number and first entries."""
    if isinstance(value, dict):
        told = {k: v for k, v in value.items() if v not in ([], {}, None, "")}
        plain = len(told) <= 6 and not any(isinstance(v, (dict, list)) for v in told.values())
        shown = [f"{k} {_short(v, depth + 1)}" for k, v in told.items()] if plain or not depth else list(told)
    elif isinstance(value, (list, tuple)):
        plain = len(value) <= 6 and not any(isinstance(v, dict) for v in value)
        shown = [] if any(isinstance(v, dict) for v in value) else [_short(v, depth + 1) for v in value]
    else:
        shown, plain = [f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())], True
    text = ", ".join(shown)
    if depth and not plain:
        text = (
            f"{len(value)} ({', '.join(shown[:4])}{', …' * (len(shown) > 4)})" if shown else f"{len(value)}"
        )
    elif depth and len(shown) > 1:
        text = f"({text})"
    most = 60 if depth > 1 else 160
    return text if len(text) <= most else text[: most - 1] + "…"


def formats() -> None:
    """List the files that can be read and written."""
    from kinesics import formats

    read, write = formats.available("read"), formats.available("write")
    for ending in sorted({*read, *write}):
        verbs = f"{'read' if ending in read else '':5}{'write' if ending in write else '':6}"
        print(f"{ending:18}{verbs} {read.get(ending) or write[ending]}")


def skeletons() -> None:
    """List the skeletons that bodies can be brought to."""
    from kinesics.bodies.retarget import skeletons

    print("\n".join(skeletons()))
