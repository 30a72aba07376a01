"""Convert the TED (Trimodal) databases to plain arrays. Runs by itself, in an old Python with lmdb and pyarrow < 12.

    python _ted_convert.py FOLDER_WITH_lmdb_train TARGET

Values of the databases were packed by ``pyarrow.serialize``, whose reverse may unpickle: run it only on data from the
authors. What is written holds no objects. Clips that are there already are left alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def clips_of(value: Any) -> list[dict[str, Any]]:
    """The clips of one database value as plain arrays."""
    import numpy as np

    out = []
    for clip in value["clips"]:
        words = [w for w in clip["words"] if len(w) >= 3]
        out.append(
            {
                "skeletons_3d": np.asarray(clip["skeletons_3d"], np.float32),
                "audio_raw": np.asarray(clip["audio_raw"], np.float32),
                "words": np.array([str(w[0]) for w in words], dtype="U") if words else np.zeros(0, "U1"),
                "word_times": np.array([[float(w[1]), float(w[2])] for w in words]).reshape(-1, 2),
                "times": np.array([float(clip["start_time"]), float(clip["end_time"])]),
            }
        )
    return out


def main(source: str, target: str) -> None:
    """Convert all three databases."""
    import lmdb
    import numpy as np
    import pyarrow

    for split in ("train", "val", "test"):
        folder = Path(target) / split
        folder.mkdir(parents=True, exist_ok=True)
        with (
            lmdb.open(str(Path(source) / f"lmdb_{split}"), readonly=True, lock=False) as base,
            base.begin() as read,
        ):
            for _, packed in read.cursor():
                value = pyarrow.deserialize(packed)
                name = "".join(c if c.isalnum() or c in "-_" else "-" for c in str(value["vid"]))
                for number, arrays in enumerate(clips_of(value)):
                    path = folder / f"{name}_{number}.npz"
                    if not path.exists():
                        part = path.with_suffix(".part")
                        with part.open("wb") as file:
                            np.savez(file, **arrays)
                        os.replace(part, path)
                        print(path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
