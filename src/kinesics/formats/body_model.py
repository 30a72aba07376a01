"""A user's own body or hand model file: MANO, SMPL, SMPL+H, SMPL-X as ``.pkl`` or ``.npz``.

Official pickles hold chumpy and scipy objects; neither package is needed. They go through the one reader of pickles,
which builds arrays and runs nothing (``_pickle``). Nothing of such a file is ever shipped or copied into results.

Keys: ``v_template``, ``shapedirs``, ``posedirs``, ``J_regressor``, ``kintree_table``, ``weights``, ``f``; of a hand
``hands_components`` and ``hands_mean``, of a body with hands ``hands_componentsl``, ``hands_meanl`` and the same
with ``r``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from kinesics.bodies.smpl import HandSpace, SmplModel
from kinesics.errors import DataError, choose
from kinesics.formats import _pickle
from kinesics.formats._smpl_body import opened_model
from kinesics.formats._smpl_layouts import Array, Fields

_NEEDED = ("v_template", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights", "f")
_HAND_SPACES: Mapping[str, str] = {"l": "left", "r": "right"}


def read_body_model(path: str | Path, *, side: str | None = None) -> SmplModel:
    """Read a model of the SMPL family.

    Parameters
    ----------
    path
        A ``.pkl`` or ``.npz`` file.
    side
        ``"left"`` or ``"right"``, whose hand a MANO file holds; without it, what the file's name says.

    Returns
    -------
    SmplModel
        In double precision. A left hand of the official release still has its sign bug: give it to
        :func:`kinesics.bodies.mano.mended_left` together with the right one.

    Raises
    ------
    FormatError
        If the file is no such model, names code, or its arrays do not fit each other.
    DataError
        If a hand's side is neither given nor in the file's name.

    Examples
    --------
    >>> read_body_model("MANO_RIGHT.pkl").vertices.shape  # doctest: +SKIP
    (778, 3)
    """
    path = Path(path)
    with ExitStack() as stack:
        fields = Fields(path, opened_model(path, stack), _pickle.array_of)
        missing = [n for n in _NEEDED if n not in fields]
        if missing:
            raise fields.wrong(missing[0], "an array, found none", "give a MANO, SMPL, SMPL+H or SMPL-X file")
        parts = {n: fields.numbers(n, 1e10) for n in _NEEDED}
        hands = _hands(fields, path, side)
    tree = parts["kintree_table"]
    if tree.ndim != 2 or tree.shape[0] != 2 or not tree.shape[1]:
        raise fields.wrong("kintree_table", f"(2, J), found {tree.shape}")
    # The root's parent is −1, which unsigned numbers show as 2³² − 1.
    parents = (-1, *(int(p) for p in tree[0, 1:]))
    faces = parts["f"]
    count = len(parts["v_template"])
    if faces.ndim != 2 or faces.shape[1] != 3 or (faces.size and not 0 <= faces.min() <= faces.max() < count):
        raise fields.wrong("f", f"(F, 3) indices of {count} vertices, found {faces.shape}")
    if parts["shapedirs"].ndim != 3:
        raise fields.wrong("shapedirs", f"(V, 3, B), found {parts['shapedirs'].shape}")
    try:
        return SmplModel(
            parts["v_template"],
            parts["shapedirs"],
            parts["posedirs"],
            parts["J_regressor"],
            parts["weights"],
            parents,
            faces.astype(np.int32),
            hands,
            str(path),
        )
    except DataError as error:
        raise fields.wrong("arrays", f"shapes that fit each other ({error})") from error


def _hands(fields: Fields, path: Path, side: str | None) -> dict[str, HandSpace]:
    if "hands_components" in fields and "hands_mean" in fields:
        if side is None:
            named = [s for s in _HAND_SPACES.values() if s in path.stem.lower()]
            side = named[0] if len(named) == 1 else None
        choose("side", side, tuple(_HAND_SPACES.values()))
        return {str(side): HandSpace(*_space(fields, ""))}
    return {
        name: HandSpace(*_space(fields, end))
        for end, name in _HAND_SPACES.items()
        if f"hands_components{end}" in fields and f"hands_mean{end}" in fields
    }


def _space(fields: Fields, end: str) -> tuple[Array, Array]:
    components, mean = fields.numbers(f"hands_components{end}"), fields.numbers(f"hands_mean{end}")
    if components.shape != (45, 45):
        raise fields.wrong(f"hands_components{end}", f"(45, 45), found {components.shape}")
    if mean.reshape(-1).shape != (45,):
        raise fields.wrong(f"hands_mean{end}", f"(45,), found {mean.shape}")
    return components, mean.reshape(-1)
