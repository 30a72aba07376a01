"""SMPL-X and SMPL parameters in pickles (``.pkl``): AIST++, SHOW and SignAvatars as they are distributed.

Read only: a pickle is a program, and nobody should be sent one; write ``.npz`` (see ``smplx``). Nothing in it is run.
It is taken apart by a reader of our own that builds numbers, text, lists, dictionaries and numpy arrays; whatever
else a file names (a class, a function) is refused with that name.

Layouts, units, axes, hands and the face are those of ``smplx``, and so are the options. AIST++: ``smpl_poses`` (T, 72),
``smpl_trans``, ``smpl_scaling`` at 60 frames per second. SHOW: ``body_pose_axis`` (T, 63), hands as 12 PCA coefficients,
30 frames per second. SignAvatars: ``smplx`` (T, 182), a camera's frame with y down, no rate: give ``fps=``. A
dictionary that holds one person's dictionary, or a list with one, is opened; of several people, ``person=``
names the one to read.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

from kinesics.errors import FormatError
from kinesics.formats._format import Format
from kinesics.formats._pickle import array_of, load_pickle
from kinesics.formats._smpl_layouts import Fields, layout_of, take_of
from kinesics.formats._smpl_read import performance_of
from kinesics.performance import Performance

_SIGNS = (b"smpl_poses", b"root_orient", b"global_orient", b"unsmooth_smplx", b"smplx", b"poses")


def read(
    path: str | Path,
    *,
    person: str | None = None,
    up: str = "auto",
    fps: object = None,
    model: str | Path | None = None,
    hands: str | Path | None = None,
    flat_hand_mean: bool | None = None,
    basis: str = "any",
) -> Performance:
    """Read a pickled dictionary of SMPL parameters.

    Parameters
    ----------
    path
        The file.
    person
        Key (or number in the list) of the person to read, where the file holds several.
    up, fps, model, hands, flat_hand_mean, basis
        As in :func:`kinesics.formats.smplx.read`.

    Raises
    ------
    FormatError
        If the file is no pickle of plain data, or holds no body's parameters.
    """
    path = Path(path)
    values = _person(path, load_pickle(path), person)
    names = frozenset(k for k in values if isinstance(k, str))
    take = take_of(Fields(path, values, array_of), names)
    return performance_of(
        path, take, up=up, fps=fps, model=model, hands=hands, flat_hand_mean=flat_hand_mean, basis=basis
    )


def _person(path: Path, value: Any, person: str | None) -> dict[Any, Any]:
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        raise FormatError(path, "content", "a dictionary of arrays", "check that it is a body's motion")
    if person is None and layout_of(frozenset(k for k in value if isinstance(k, str))) is not None:
        return value
    people = {str(k): v for k, v in value.items() if isinstance(v, dict)}
    if person is None and len(people) == 1:
        return next(iter(people.values()))
    if person is not None and str(person) in people:
        return people[str(person)]
    if not people:
        return value
    some = ", ".join(list(people)[:12])[:200]
    raise FormatError(path, "people", f"one of: {some}", "name the person to read: person=…")


def recognises(path: Path) -> bool:
    """Whether a pickle names a body's parameters."""
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return any(data.find(sign) >= 0 for sign in _SIGNS)
    except (OSError, ValueError):
        return False


FORMAT = Format("SMPL pickle", (".pkl",), ("body", "face", "flame"), read, None, recognises)
