"""Commands that measure, and make and prepare corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from kinesics.cli._shared import options_of


def measure(
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

    score = metrics.measure(metric, reference, estimate, **options_of(option))
    print(dumps(score.as_dict(), ensure_ascii=False, indent=2) if json else score)


def metrics(task: Annotated[str, tyro.conf.Positional] = "", /) -> None:
    """List the metrics with direction, unit, what they need and where they come from.

    Args:
        task: gesture, face, lip_reading, text_motion, dance or video; all without.
    """
    from kinesics import metrics

    for metric in metrics.available(task or None):
        print(metric if metric.over else f"{metric} [arrays only]")


def corpora(name: Annotated[str, tyro.conf.Positional] = "", /) -> None:
    """List the data sets that can be prepared, or tell all about one.

    Args:
        name: A data set.
    """
    from kinesics import corpora

    if name:
        print(corpora.get(name).about())
        return
    for recipe in corpora.available().values():
        print(f"{recipe.name:8} {recipe.title}: {recipe.licence}")


def download(
    name: Annotated[str, tyro.conf.Positional],
    folder: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    yes: bool = False,
) -> None:
    """Say where a data set comes from and, if it may be and you agree, fetch it.

    Args:
        name: A data set; see `kinesics corpora`.
        folder: Where to put it.
        yes: Agree beforehand.
    """
    from kinesics import corpora

    def agreed(text: str) -> bool:
        print(text)
        return True

    for path in corpora.get(name).download(folder, confirm=agreed if yes else None):
        print(path)


def prepare(
    name: Annotated[str, tyro.conf.Positional],
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")],
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TARGET")],
    /,
    *,
    option: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(aliases=["-p"])] = (),
    jobs: int = 1,
    skip_bad: bool = False,
) -> None:
    """Read a data set in its official layout into a folder of performances; goes on where it was interrupted.

    Args:
        name: A data set; see `kinesics corpora`.
        source: Its folder.
        target: Folder for the performances.
        option: Option of the data set as name=value, for instance fps=30 or view=front.
        jobs: How many processes read.
        skip_bad: Leave damaged clips out, listed with the reason, instead of stopping.
    """
    from kinesics import corpora

    corpus = corpora.get(name).prepare(source, target, jobs=jobs, skip_bad=skip_bad, **options_of(option))
    print(corpus)
    for entry in corpus.skipped:
        print(f"skipped: {entry.name}: {entry.skipped}")


def stage_make(
    what: Annotated[Literal["speakers", "actions"], tyro.conf.Positional],
    /,
    *,
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    count: int = 20,
    seed: int = 0,
    takes: int = 4,
    seconds: float = 10.0,
    fps: str = "30",
    captions: int = 4,
    jobs: int | None = None,
) -> None:
    """Make a corpus of people who do not exist; the same seed gives the same bytes, a killed run goes on.

    Args:
        what: speakers (speech, face, gaze, body, hands, words, phones) or actions (described motion).
        out: Folder of the corpus.
        count: Speakers, or clips of actions.
        seed: Decides everything.
        takes: Takes of each speaker.
        seconds: About how long a speaker's take is.
        fps: Frames per second of actions.
        captions: Descriptions of each action clip.
        jobs: Processes; by default one a core.
    """
    from kinesics import stage
    from kinesics.stage.actions import Options

    if what == "speakers":
        print(stage.make_speakers(out, count, seed, takes=takes, seconds=seconds, jobs=jobs))
    else:
        options = Options(fps=fps, captions=captions)  # type: ignore[arg-type]
        print(stage.make_actions(out, count, seed, options=options, workers=jobs))


def stage_export(
    corpus: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    layout: Literal["beat", "beat2", "mead", "adnerf"],
    video: bool = False,
    views: str = "front",
    size: int = 256,
) -> None:
    """Write a corpus of speakers in the layout of a published data set.

    Args:
        corpus: Folder that `kinesics stage make speakers` wrote.
        out: Folder for the layout.
        layout: Whose.
        video: Paint MEAD's films as well.
        views: Of these films, joined by commas.
        size: Pixels of films and pictures.
    """
    from kinesics import stage

    print(stage.write_layout(corpus, out, layout, video=video, views=tuple(views.split(",")), size=size))
