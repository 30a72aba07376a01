"""Commands that perform and show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from kinesics.cli._shared import options_of, size_of
from kinesics.errors import DataError, FormatError

Emotion = Literal["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]


def perform(
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
    system: str | None = None,
    face: str | None = None,
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-p"])] = (),
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
        system: A trained system that moves the body instead of the rules: gesturelsm, livelyspeaker, camn, or the folder
            of an exported one; see `kinesics systems`.
        face: The same for the face: emote.
        option: Knob of these systems as name=value, for instance meaning=0.4; may be given several times.
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
        transcript=read_text(transcript) if transcript else None,
        plan=formats.load(plan)["plan"] if plan else None,
        language=language,
        voice=voice,
        avatar=avatar,
        emotion=emotion,
        intensity=intensity,
        gesture_rate=gesture_rate,
        handedness=handedness,
        look_at=look_at,
        system=system,
        face=face,
        options=options_of(option),
        seed=seed,
    )
    formats.save(show, *out)
    for path in out:
        print(f"{path}  {size_of(path)}")
    print(_summary(show))
    if view:
        show.view()


def _summary(show) -> str:
    told = [f for f in show.plan.feedback if f.status != "realised"]
    strokes = [i for i in show.tier("gestures") if i.label.startswith("stroke")]
    lines = [f"{show.duration:.1f} s, {len(show.tier('words'))} words, {len(strokes)} gesture strokes"]
    lines += [f"{f.status}: {f.id}: {f.reason}" for f in told[:8]]
    if len(told) > 8:
        lines.append(f"and {len(told) - 8} more; save the plan (-o plan.bml) to read them all")
    return "\n".join(lines)


def read_text(path: Path) -> str:
    """A text file in UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FormatError(path, "file", "an existing text file", "check the path") from error
    except (UnicodeDecodeError, OSError) as error:
        raise FormatError(path, str(error), "text in UTF-8", "save it as UTF-8 text") from error


def view(file: Annotated[Path, tyro.conf.Positional], /, *, browser: bool = True) -> None:
    """Show a performance or an avatar in the browser.

    Args:
        file: .glb, .vrm, .kin or another format that Kinesics reads.
        browser: Open the browser; otherwise only say the address.
    """
    from kinesics.studio import view

    view(file, open_browser=browser)


def avatars() -> None:
    """List who can perform."""
    from kinesics.bodies.avatar import avatars

    print("\n".join(avatars()))


def voices(*, language: str = "") -> None:
    """List the voices that can speak a text.

    Args:
        language: Only voices of this language, for instance de.
    """
    from kinesics.hear import voices

    print("\n".join(v for v in voices() if v.startswith(language)))


def gestures() -> None:
    """List the gestures of the lexicon."""
    from kinesics.behaviour.lexicon import lexicon

    for name, gesture in sorted(lexicon().items()):
        print(f"{name:24} {gesture.category:11} {', '.join(gesture.means[:5])}")
