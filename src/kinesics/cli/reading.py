"""Commands that read videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from kinesics.cli._shared import options_of, size_of
from kinesics.errors import DataError
from kinesics.ports.language import LanguageModel


def read(
    source: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    out: Annotated[tyro.conf.UseAppendAction[tuple[Path, ...]], tyro.conf.arg(aliases=["-o"])] = (),
    transcript: Path | None = None,
    language: str = "en",
    people: int = 8,
    hands: bool = True,
    body: bool = True,
    speech: bool = True,
    reasons: str = "",
    refine: Path | None = None,
    fps: str | None = None,
    work: Path | None = None,
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-w"])] = (),
    view: bool = False,
) -> None:
    """Read what people in a video express and do; an interrupted reading goes on where it was.

    Args:
        source: A video, or the word webcam: that is read live in the browser, and nothing is written.
        out: File to write; may be given several times: .eaf, .csv, .parquet, .vtt, .html (a report), .mp4 (the video with what
            was read drawn into it), .kin; with one person also .glb, .bvh and what else takes a body or a face.
        transcript: Text file with what is said.
        language: Language of the speech.
        people: How many are followed at most.
        hands: Look for hands.
        body: Look for bodies.
        speech: Hear the sound, too.
        reasons: Who words why an expression was read: our own network, `endpoint` (the one that the environment names; it is sent
            action units and the label, no picture), or a folder of a transformers model.
        refine: Folder of an exported SPECTRE, which refines mouths (scripts/train_spectre.py trains one).
        fps: Pictures a second that are looked at; by default the video's.
        work: Folder for what is found meanwhile; by default beside the first file, and gone when that is written.
        option: Option of the files as name=value, for instance video=link.
        view: Show the result in the browser.
    """
    import shutil

    from kinesics import formats
    from kinesics.cli.performing import read_text
    from kinesics.reading.read import read

    if str(source) == "webcam" and not source.exists():
        if out:
            raise DataError("a webcam is read live, not into a file; record it first, then read the file")
        from kinesics.studio.webcam import webcam

        webcam(people=people, hands=hands, body=body)
        return
    if not out and not view:
        raise DataError("nowhere to go: name a file with -o (for instance -o interview.eaf) or use --view")
    formats.check_outputs(out)
    own = work is None and bool(out)
    folder = out[0].with_name(f".{out[0].name}.reading") if own else work
    scene = read(
        source,
        transcript=read_text(transcript) if transcript else None,
        language=language,
        people=people,
        hands=hands,
        body=body,
        speech=speech,
        reasons=_language(reasons),
        refine=refine,
        fps=fps,
        work=folder,
    )
    scene.save(*out, **options_of(option))
    for path in out:
        print(f"{path}  {size_of(path)}")
    for name, person in scene.people.items():
        tiers = [f"{n} {len(t)}" for n, t in person.tracks.items() if hasattr(t, "labels")]
        print(f"{name}: {person.duration:.1f} s; {', '.join(tiers) or 'no tiers'}")
    if not scene.people:
        print("nobody was found")
    if view:
        scene.view()
    if own and folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _language(given: str) -> LanguageModel | None:
    if not given:
        return None
    if given == "endpoint":
        from kinesics.ports.endpoint import Endpoint

        return Endpoint()
    from kinesics.ports.transformers_folder import TransformersFolder

    return TransformersFolder(given)


def fetch(
    what: Annotated[Literal["landmarks"], tyro.conf.Positional],
    /,
    *,
    wheel: Path | None = None,
    yes: bool = False,
) -> None:
    """Fetch models that do not ship, once you agree.

    Args:
        what: landmarks: MediaPipe's landmark models (Apache-2.0), which `kinesics read` needs.
        wheel: The wheel of MediaPipe 0.10.21, if you have it; nothing is fetched then.
        yes: Agree beforehand.
    """
    from kinesics.see import models

    def agreed(text: str) -> bool:
        print(text)
        return True

    print(models.fetch(wheel=wheel, confirm=agreed if yes else None))
