"""MetaHuman control curves: the 174 numbers a frame that drive a MetaHuman's face board, as delimited text.

Carries ``face`` in the basis ``"metahuman"``: every column is one axis of one control of Epic's facial rig, such as
``CTRL_L_brow_down-translateY``. Values are what the control is moved by, mostly 0 to 1, for controls that go both ways −1 to 1.
They are not ARKit coefficients and are not turned into them here.

The layout is EmoFace's (SJTU-Lucy/EmoFace): a row per frame, 60 rows a second, cells parted by commas, no header. Without a
header the columns are the 174 of EmoFace's list, in its order (``NAMES``), or those of ``names=``: a text file with one name a line, or the names
themselves. With a header, names count and order does not; names of the known controls may also be spelt ``CTRL_L_brow_down.ty`` or
``CTRL_L_brow_down_ty``, and other controls (``CTRL_expressions_…``) are kept as they are called. Columns that are no controls
(``frame``, ``time``) are told in ``meta["metahuman"]["extra"]`` and not read. EmoFace's list names ``CTRL_C_tongue_tip`` twice, and the two are not equal in its files:
the second pair is called ``CTRL_C_tongue_tip-translateX.2`` and ``…Y.2``. A file holds no start time and no rate: ``fps=`` states another than 60.

Written are all 174 controls in EmoFace's order, zero where the face has none, with nine significant digits, so that every bit comes back;
``header=False`` leaves the names out, as EmoFace's own files do. A face with other controls is written with its own names, and needs the header.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.files import existing, replacing
from kinesics.formats._delimited import cells_of, delimiter_of, numbers_of, sheet_of
from kinesics.formats._format import Format
from kinesics.formats._text import head_of, text_of
from kinesics.performance import Face, Performance

log = logging.getLogger(__name__)

_CENTRE = """eye:XY eye_parallelLook jaw:XY jaw_fwdBack jaw_openExtreme mouth:XY mouth_lipShiftD mouth_lipShiftU
    mouth_stickyD mouth_stickyU neck_swallow teethD:XY teethU:XY teeth_fwdBackD teeth_fwdBackU tongue:XY
    tongue_inOut tongue_narrowWide tongue_press tongue_tip:XY tongue_tip:XY"""
_SIDE = """brow_down brow_lateral brow_raiseIn brow_raiseOut ear_up eye:XY eye_blink eye_cheekRaise eye_eyelidD
    eye_eyelidU eye_faceScrunch eye_lidPress eye_pupil eye_squintInner eyelashes_tweakerIn
    eyelashes_tweakerOut jaw_ChinRaiseD jaw_ChinRaiseU jaw_chinCompress jaw_clench mouth_corner:XY
    mouth_cornerDepress mouth_cornerPull mouth_cornerSharpnessD mouth_cornerSharpnessU mouth_dimple
    mouth_funnelD mouth_funnelU mouth_lipBiteD mouth_lipBiteU mouth_lipSticky mouth_lipsBlow
    mouth_lipsPressU mouth_lipsRollD mouth_lipsRollU mouth_lipsTogetherD mouth_lipsTogetherU
    mouth_lipsTowardsTeethD mouth_lipsTowardsTeethU mouth_lowerLipDepress mouth_pressD mouth_pressU
    mouth_purseD mouth_purseU mouth_pushPullD mouth_pushPullU mouth_sharpCornerPull mouth_stickyInnerD
    mouth_stickyInnerU mouth_stickyOuterD mouth_stickyOuterU mouth_stretch mouth_stretchLipsClose
    mouth_suckBlow mouth_thicknessD mouth_thicknessU mouth_tightenD mouth_tightenU mouth_towardsD
    mouth_towardsU mouth_upperLipRaise neck_mastoidContract neck_stretch nose:XY nose_nasolabialDeepen
    nose_wrinkleUpper"""
_OTHER = """lookAtSwitch neckCorrectivesMultiplyerD neckCorrectivesMultiplyerM neckCorrectivesMultiplyerU
    neck_digastricUpDown neck_throatExhaleInhale neck_throatUpDown"""


def _spelt(prefix: str, controls: str) -> list[str]:
    """Full names; a control without axes moves along Y alone."""
    out = []
    for control in controls.split():
        name, _, axes = control.partition(":")
        out += [f"CTRL_{prefix}{name}-translate{axis}" for axis in axes or "Y"]
    return out


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with ``.2`` and so on after those that came before."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(out)


NAMES: tuple[str, ...] = _numbered(
    [*_spelt("C_", _CENTRE), *_spelt("L_", _SIDE), *_spelt("R_", _SIDE), *_spelt("", _OTHER)]
)
"""The 174 controls in EmoFace's order."""

FPS = 60
_AXIS = re.compile(r"[-._](?:translate|t)([xyz])(\.\d+)?$", re.IGNORECASE)


def _known(name: str) -> str:
    """A control's name in the spelling of ``NAMES``."""
    return _AXIS.sub(lambda m: f"-translate{m[1].upper()}{m[2] or ''}", name)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def recognises(path: Path) -> bool:
    """Whether the first line names controls, or holds 174 numbers."""
    line = head_of(path).lstrip("\ufeff").split("\n", 1)[0].strip()
    cells = cells_of(line, delimiter_of(line))
    named = sum(c.startswith("CTRL_") for c in cells)
    return 2 * named > len(cells) or (len(cells) == len(NAMES) and all(map(_is_number, cells)))


def read(
    path: str | Path, *, fps: object = FPS, names: str | Path | Sequence[str] | None = None
) -> Performance:
    """Read control curves.

    Parameters
    ----------
    path
        The file.
    fps
        Rows per second.
    names
        Names of the columns of a file without header: a text file with one a line, or the names.

    Returns
    -------
    Performance
        With ``face`` in the basis ``"metahuman"``.

    Raises
    ------
    FormatError
        If it is no such table, is cut off, or has another number of columns than there are names.

    Examples
    --------
    >>> face = read("angry_001.txt").face  # doctest: +SKIP
    >>> face.basis, face.values.shape  # doctest: +SKIP
    ('metahuman', (202, 174))
    """
    path = Path(path)
    text = text_of(path)
    line = next((line for line in text.split("\n") if line.strip()), "")
    first = cells_of(line, delimiter_of(line))
    header = not all(map(_is_number, first))
    sheet = sheet_of(path, text, header=header)
    about: dict[str, Any] = {"header": header}
    if header:
        columns = [i for i, n in enumerate(sheet.names) if n.startswith("CTRL_")]
        about["extra"] = [n for i, n in enumerate(sheet.names) if i not in set(columns)]
        if not columns:
            raise FormatError(
                path,
                "line 1",
                "names such as CTRL_L_brow_down-translateY, or numbers",
                "check that this holds MetaHuman controls",
            )
        if about["extra"]:
            log.warning(
                "%s: columns that are no controls are not read: %s", path, ", ".join(about["extra"])[:300]
            )
        own = _numbered([_known(sheet.names[i]) for i in columns])
    else:
        columns = list(range(len(first)))
        own = _own_names(path, names)
        if len(own) != len(columns):
            raise FormatError(
                path,
                "line 1",
                f"{len(own)} columns, found {len(columns)}",
                "tell the columns' names with names=",
            )
    if not sheet.lines:
        raise FormatError(path, "line 2", "rows of numbers, found none", "the file is empty or cut off")
    try:
        face = Face(numbers_of(sheet, columns), own, fps, "metahuman")  # type: ignore[arg-type]
    except FormatError:
        raise
    except KinesicsError as error:
        raise FormatError(
            path, "line 1", f"a face ({error})", "mend the names, or the rate in fps="
        ) from error
    return Performance({"face": face}, {"metahuman": about})


def _own_names(path: Path, names: str | Path | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return NAMES
    if isinstance(names, (str, Path)):
        source = existing(Path(names), "a list of names")
        names = text_of(source, most=10_000_000).split()
    return _numbered([_known(str(n)) for n in names])


def write(performance: Performance, path: str | Path, *, header: bool = True) -> None:
    """Write control curves.

    Parameters
    ----------
    performance
        With ``face`` in the basis ``"metahuman"``.
    path
        The file.
    header
        Whether the first line names the columns.

    Raises
    ------
    DataError
        If there is no such face, or it has other controls than the 174 and there is no header.
    """
    face = performance.face
    if face.basis != "metahuman":
        raise DataError(
            f"MetaHuman curves need a face in the basis 'metahuman'; this one is in {face.basis!r}"
        )
    foreign = [n for n in face.names if n not in NAMES]
    if foreign and not header:
        raise DataError(f"{foreign[0]!r} is none of the 174 known controls; write it with header=True")
    if any(c in n for n in face.names for c in ',"\n\r'):
        raise DataError("a control's name holds a comma, a quote or a line break; rename it")
    if face.fps != FPS or face.start:
        log.warning(
            "%s: the file keeps neither the rate (%s) nor the start (%g s)", path, face.fps, face.start
        )
    out = face if foreign else face.select(NAMES)
    row = ",".join(["%.9g"] * len(out.names)) + "\n"
    with replacing(Path(path)) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        if header:
            text.write(",".join(out.names) + "\n")
        for first in range(0, len(out), 4096):
            part = np.asarray(out.values[first : first + 4096], np.float64)
            text.write("".join(row % tuple(frame) for frame in part.tolist()))
        text.flush()
        text.detach()


FORMAT = Format(
    "MetaHuman controls", (".metahuman.csv",), ("face",), read, write, recognises, (".csv", ".txt")
)
