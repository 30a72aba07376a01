"""HTML: one file to look at, with the video, everybody's tiers, plots and reasons, for any browser.

Carries every track; written only, by :mod:`kinesics.reading.report`, whose options it takes. The page asks nothing of
the network: its script, its data and, where ``video="embed"``, the pictures are in the file.
"""

from __future__ import annotations

from pathlib import Path

from kinesics.formats._format import Format
from kinesics.performance import Performance, Scene
from kinesics.upward import calls


def write(
    performance: Performance | Scene,
    path: str | Path,
    *,
    video: str = "auto",
    title: str | None = None,
) -> None:
    """Write a report.

    Parameters
    ----------
    performance
        A scene, or one person's performance.
    path
        The file.
    video
        ``"embed"`` puts the pictures into the file, ``"link"`` names them by a relative path, ``"none"`` leaves them out;
        ``"auto"`` embeds what is small enough and browsers play, else links.
    title
        For the page; by default the name of the video, or of the file.

    Raises
    ------
    DataError
        If there is nothing to show, or a video that is to be embedded is too large.
    """
    calls["report"](performance, Path(path), video=video, title=title)


FORMAT = Format("report", (".html",), ("every track",), None, write, scenes=True)
