"""What every data set module hands to the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinesics.corpora._corpus import Corpus


@dataclass(frozen=True)
class Recipe:
    """A data set.

    Parameters
    ----------
    name
        What commands call it.
    title
        What it is called in print.
    holds
        What is in it, in a sentence.
    licence
        Under which terms it may be used.
    source
        Where it comes from.
    size
        Of the download.
    cite
        What to cite.
    commercial
        Whether what is trained on it may be used commercially.
    download
        ``download(folder, *, confirm) -> list of paths``.
    prepare
        ``prepare(source, target, *, fps, jobs, skip_bad=False) -> Corpus``.
    """

    name: str
    title: str
    holds: str
    licence: str
    source: str
    size: str
    cite: str
    commercial: bool
    download: Callable[..., list[Path]]
    prepare: Callable[..., Corpus]

    def about(self) -> str:
        """Origin, licence, size and citation, as text."""
        use = "" if self.commercial else "; not for commercial use"
        return (
            f"{self.title}: {self.holds}\nFrom: {self.source}\nLicence: {self.licence}{use}\n"
            f"Size: {self.size}\nCite: {self.cite}"
        )
