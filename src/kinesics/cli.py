"""The command line: every command is a few lines over a public function."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kinesics.errors import DataError, FormatError, KinesicsError

Emotion = Literal["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]


def _perform(
    text: Annotated[str, tyro.conf.Positional] = "",
    *,
    out: Annotated[tyro.conf.UseAppendAction[tuple[Path, ...]], tyro.conf.arg(aliases=["-o"])] = (),
    audio: Path | None = None,
    transcript: Path | None = None,
    plan: Path | None = None,
    language: str = "en",
    voice: str | None = None,
    avatar: str = "maya",
    emotion: Emotion = "neutral",
    intensity: float = 0.5,
    gesture_rate: float | None = None,
    handedness: Literal["right", "left"] = "right",
    look_at: str = "camera",
    seed: int = 0,
    view: bool = False,
) -> None:
    """Perform a text, or speech with its transcript, with face, gaze, head, hands and body.

    Args:
        text: What to say. Leave it out when --audio or --plan says it.
        out: File to write; may be given several times. The format follows the extension.
        audio: Speech to perform, a sound file.
        transcript: Text file with the words of --audio.
        plan: A BML plan (.bml) to perform, whole or as an addition to what the planner finds.
        language: Language of the words, for instance en, en-gb, de, fr, es, it, pt.
        voice: Voice for text; see `kinesics voices`.
        avatar: Who performs; see `kinesics avatars`.
        emotion: What the performer feels.
        intensity: 0 (calm) to 1.
        gesture_rate: Strokes a minute; by default it follows from the intensity.
        handedness: The hand that leads.
        look_at: camera, left, right, up, down, or 'azimuth,elevation' in degrees.
        seed: Makes the performance repeatable.
        view: Open the performance in the browser afterwards.
    """
    from kinesics import formats
    from kinesics.behaviour.perform import perform

    if not out and not view:
        raise DataError("nowhere to go: name a file with -o (for instance -o talk.glb) or use --view")
    formats.check_outputs(out)
    show = perform(
        text or None,
        audio=audio,
        transcript=_read_text(transcript) if transcript else None,
        plan=formats.load(plan)["plan"] if plan else None,
        language=language,
        voice=voice,
        avatar=avatar,
        emotion=emotion,
        intensity=intensity,
        gesture_rate=gesture_rate,
        handedness=handedness,
        look_at=look_at,
        seed=seed,
    )
    formats.save(show, *out)
    for path in out:
        print(f"{path}  {_size(path)}")
    print(_summary(show))
    if view:
        show.view()


def _summary(show) -> str:
    strokes = [i for i in show.tier("gestures") if i.label.startswith("stroke")]
    told = [f for f in show.plan.feedback if f.status != "realised"]
    lines = [f"{show.duration:.1f} s, {len(show.tier('words'))} words, {len(strokes)} gesture strokes"]
    lines += [f"{f.status}: {f.id}: {f.reason}" for f in told[:8]]
    if len(told) > 8:
        lines.append(f"and {len(told) - 8} more; save the plan (-o plan.bml) to read them all")
    return "\n".join(lines)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FormatError(path, "file", "an existing text file", "check the path") from error
    except (UnicodeDecodeError, OSError) as error:
        raise FormatError(path, str(error), "text in UTF-8", "save it as UTF-8 text") from error


def _view(file: Annotated[Path, tyro.conf.Positional], /, *, browser: bool = True) -> None:
    """Show a performance or an avatar in the browser.

    Args:
        file: .glb, .vrm, .kin or another format that Kinesics reads.
        browser: Open the browser; otherwise only say the address.
    """
    from kinesics.studio import view

    view(file, open_browser=browser)


def _convert(
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
        "read": _options(read),
        "write": _options(write),
        "change": lambda show, path: _performed(show, path, seed),
    }
    if not source.is_dir():
        if to:
            raise DataError(f"--to is for folders; {target} already tells the format")
        show = formats.convert(source, target, **options)
        print(f"{target}  {_size(target)}  {show.duration:.1f} s")
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

    wanted = {"body", "face", "video"} & set(formats.format_of(target, verb="write").carries)
    if not wanted or "plan" not in show or set(show) & {"body", "face", "speech"}:
        return show
    from kinesics.behaviour.perform import perform

    return perform(plan=show.plan, seed=seed)


def _options(pairs: Sequence[str]) -> dict[str, object]:
    out: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise DataError(f"option {pair!r}: expected name=value, for instance unit=cm")
        plain = {"true": True, "false": False, "none": None}.get(value.lower(), value)
        if isinstance(plain, str) and plain.lstrip("+-").replace(".", "", 1).isdecimal():
            plain = float(plain) if "." in plain else int(plain)
        out[name.replace("-", "_")] = plain
    return out


def _info(
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

    about = formats.describe(file, **_options(read))
    if json:
        print(dumps(about, ensure_ascii=False, indent=2, default=str))
        return
    print(f"{file}: {about['format']}, {_size(file)}, {about['duration']:.2f} s")
    for track in about["tracks"]:
        name, kind = track.pop("name"), track.pop("type")
        facts = [f"{key} {_short(value)}" for key, value in track.items() if value not in ([], {}, None)]
        print(f"  {name:12} {kind:8} {', '.join(facts)}")
    for key, value in about["meta"].items():
        print(f"  {key:12} {_short(value)}")


def _short(value: object) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"{len(value)} ({', '.join(map(str, value[:4]))}, …)"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 160 else text[:159] + "…"


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _formats() -> None:
    """List the files that can be read and written."""
    from kinesics import formats

    read, write = formats.available("read"), formats.available("write")
    for ending in sorted({*read, *write}):
        verbs = f"{'read' if ending in read else '':5}{'write' if ending in write else '':6}"
        print(f"{ending:18}{verbs} {read.get(ending) or write[ending]}")


def _skeletons() -> None:
    """List the skeletons that bodies can be brought to."""
    from kinesics.bodies.retarget import skeletons

    print("\n".join(skeletons()))


def _measure(
    metric: Annotated[str, tyro.conf.Positional],
    reference: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="REFERENCE")],
    estimate: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="ESTIMATE")],
    /,
    *,
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-p"])] = (),
    json: bool = False,
) -> None:
    """Measure performances against others: files, or folders whose files pair by name.

    Args:
        metric: Name of the metric; see `kinesics metrics`.
        reference: The truth.
        estimate: What is judged.
        option: Option of the metric as name=value; may be given several times.
        json: Print JSON, for programs.
    """
    from json import dumps

    from kinesics import metrics

    score = metrics.measure(metric, reference, estimate, **_options(option))
    print(dumps(score.as_dict(), ensure_ascii=False, indent=2) if json else score)


def _metrics(task: Annotated[str, tyro.conf.Positional] = "", /) -> None:
    """List the metrics with direction, unit, what they need and where they come from.

    Args:
        task: gesture, face, lip_reading, text_motion, dance or video; all without.
    """
    from kinesics import metrics

    for metric in metrics.available(task or None):
        print(metric if metric.over else f"{metric} [arrays only]")


def _avatars() -> None:
    """List who can perform."""
    from kinesics.bodies.avatar import avatars

    print("\n".join(avatars()))


def _voices(*, language: str = "") -> None:
    """List the voices that can speak a text.

    Args:
        language: Only voices of this language, for instance de.
    """
    from kinesics.hear import voices

    print("\n".join(v for v in voices() if v.startswith(language)))


def _gestures() -> None:
    """List the gestures of the lexicon."""
    from kinesics.behaviour.lexicon import lexicon

    for name, gesture in sorted(lexicon().items()):
        print(f"{name:24} {gesture.category:11} {', '.join(gesture.means[:5])}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 2 on a user's error, 130 when interrupted."""
    logging.basicConfig(level=logging.WARNING, format="kinesics: %(message)s", stream=sys.stderr)
    # A killed process should clean up its unfinished files as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        tyro.extras.subcommand_cli_from_dict(
            {
                "perform": _perform,
                "convert": _convert,
                "info": _info,
                "view": _view,
                "measure": _measure,
                "metrics": _metrics,
                "formats": _formats,
                "skeletons": _skeletons,
                "avatars": _avatars,
                "voices": _voices,
                "gestures": _gestures,
            },
            prog="kinesics",
            description="The nonverbal half of human communication, in both directions.",
            args=arguments,
        )
    except KinesicsError as error:
        print(f"kinesics: error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        print("kinesics: interrupted; nothing half-written was kept", file=sys.stderr)
        sys.exit(130)
