"""Data sets: one module each, with exactly ``download`` and ``prepare``, and one kind of prepared folder for all.

``download`` says where the data comes from, its licence and size, and what to cite; it asks before it touches the
network. Data that may not be fetched by a program is explained instead. ``prepare`` reads the official
layout into a folder of ``.kin`` files, one performance each on the canonical body and face, which
:class:`Corpus` opens.

>>> from kinesics import corpora
>>> list(corpora.available())
['beat', 'beat2', 'cmu', 'mead', 'stage', 'ted']
>>> corpora.get("cmu").cite[-17:]
'NSF EIA-0196217).'
"""

from __future__ import annotations

from importlib import import_module

from kinesics.corpora._corpus import Corpus, Entry, Window
from kinesics.corpora._examples import Examples
from kinesics.corpora._features import Features, FeatureTable
from kinesics.corpora._recipe import Recipe
from kinesics.errors import choose

__all__ = ["Corpus", "Entry", "Examples", "FeatureTable", "Features", "Recipe", "Window", "available", "get"]

_MODULES = ("beat", "beat2", "cmu", "mead", "stage", "ted")


def available() -> dict[str, Recipe]:
    """All data sets by name."""
    return {name: get(name) for name in _MODULES}


def get(name: str) -> Recipe:
    """One data set: what it is, its licence, ``download`` and ``prepare``.

    Raises
    ------
    DataError
        If there is none of this name; the valid ones are listed.
    """
    return import_module(f"kinesics.corpora.{choose('corpus', name, _MODULES)}").RECIPE
