"""Choose 68 vertices in iBUG order on the head that all people share, for ``kinesics/stage/ibug.py``.

    python scripts/derive_landmarks_68.py [PICTURE.png]

Eyes and inner lips are the open edges of the head's mesh, brows and outer lips the edges of what is painted,
nose and jaw lie on lines over the surface. Prints the tuple; with a picture, draws them on the first avatar.
"""

from __future__ import annotations

import sys

import numpy as np

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.stage._paint import layers


def main(picture: str | None = None) -> None:
    """Derive and print."""
    person = load_avatar("maya")
    part = next(p for p in person.parts if p.name == "head")
    v = (person.vertices[part.vertices] - person.joints[INDEX["head"]]).astype(np.float64) * 1000
    faces = person.faces[part.faces] - part.vertices.start
    paint = layers()
    texel = np.clip((person.uv[part.vertices] * len(paint.lips)).astype(int), 0, len(paint.lips) - 1)
    lips = paint.lips[texel[:, 1], texel[:, 0]]
    brow = paint.brows[0]

    def nearest(x: float, y: float, z: float | None = None, among: np.ndarray | None = None) -> int:
        d = np.square(v[:, 0] - x) + np.square(v[:, 1] - y)
        # On the front of the head where no depth is given.
        d = d - 0.02 * np.maximum(v[:, 2], 0) * (z is None) + (0 if z is None else np.square(v[:, 2] - z))
        d = d + 1e6 * (v[:, 2] < (70 if z is None else -999))
        if among is not None:
            d = d + 1e9 * ~np.isin(np.arange(len(v)), among)
        return int(np.argmin(d))

    # Welded by place: seams of the texture are no edges.
    weld = np.unique(np.round(v * 100).astype(int), axis=0, return_inverse=True)[1].ravel()
    edges = np.sort(weld[np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])], axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.isin(weld, np.unique(unique[count == 1]))
    eye = (person.joints[INDEX["leftEye"]] - person.joints[INDEX["head"]]) * 1000
    lid = np.flatnonzero(rim & (np.linalg.norm(np.abs(v) * [1, 0, 0] + v * [0, 1, 1] - eye, axis=1) < 26))
    mouth = np.flatnonzero(rim & (np.abs(v[:, 1] + 29) < 12) & (v[:, 2] > 80) & (np.abs(v[:, 0]) < 30))
    right = [
        (-70, 18, 8),
        (-70, 4, 10),
        (-68, -10, 13),
        (-65, -24, 18),
        (-59, -38, 27),
        (-49, -49, 42),
        (-36, -57, 60),
        (-20, -64, 80),
    ]
    out = (
        [nearest(*p) for p in right]
        + [nearest(0, -66, 90)]
        + [nearest(-x, y, z) for x, y, z in reversed(right)]
    )
    place = paint.place[brow > 0.35]
    own = place[(np.abs(place[:, 0]) > 8) & (np.abs(place[:, 0]) < 52) & (place[:, 1] < 63)]
    left = []
    for share in (0.04, 0.27, 0.5, 0.73, 0.97):
        x = np.quantile(np.abs(own[:, 0]), share)
        near = np.abs(np.abs(own[:, 0]) - x) < 2.5
        left.append((x, float(np.median(own[near, 1]))))
    out += [nearest(-x, y) for x, y in reversed(left)] + [nearest(x, y) for x, y in left]
    out += [nearest(0, y) for y in (37, 26, 14, 3)]
    out += [nearest(x, y) for x, y in ((-13, -7), (-7, -9.5), (0, -11), (7, -9.5), (13, -7))]
    for side in (-1, 1):
        own = lid[side * v[lid, 0] > 0]
        p = v[own]
        inner, outer = own[np.argmin(np.abs(p[:, 0]))], own[np.argmax(np.abs(p[:, 0]))]
        a, b = np.abs(v[inner, 0]), np.abs(v[outer, 0])
        middle = 0.5 * (v[inner, 1] + v[outer, 1])

        def lids(share: float, up: bool, own=own, a=a, b=b, middle=middle) -> int:
            x = a + share * (b - a)
            row = own[(v[own, 1] > middle + 1) if up else (v[own, 1] < middle - 1)]
            return int(row[np.argmin(np.abs(np.abs(v[row, 0]) - x))])

        upper = [lids(0.36, True), lids(0.68, True)]
        lower = [lids(0.36, False), lids(0.68, False)]
        if side < 0:
            out += [int(outer), upper[1], upper[0], int(inner), lower[0], lower[1]]
        else:
            out += [int(inner), upper[0], upper[1], int(outer), lower[1], lower[0]]
    edge = np.flatnonzero((lips > 0.25) & (v[:, 2] > 85))
    corner = [int(mouth[np.argmin(v[mouth, 0])]), int(mouth[np.argmax(v[mouth, 0])])]
    wide = abs(v[corner[0], 0])

    def border(x: float, up: bool) -> int:
        row = edge[np.abs(v[edge, 0] - x) < 3.0]
        row = row[(v[row, 1] > -28.5) if up else (v[row, 1] < -29.5)]
        return int(row[np.argmax(v[row, 1]) if up else np.argmin(v[row, 1])])

    outer = [border(s * wide, True) for s in (-0.62, -0.26, 0, 0.26, 0.62)]
    under = [border(s * wide, False) for s in (0.62, 0.3, 0, -0.3, -0.62)]
    out += [corner[0], *outer, corner[1], *under]
    drop = -person.morph_offsets[person.morph_names.index("jawOpen"), :, 1]
    falls = np.zeros(len(v))
    inside = np.isin(person.morph_vertices, np.arange(part.vertices.stop))
    falls[person.morph_vertices[inside]] = drop[inside] * 1000

    def inner_lip(x: float, up: bool) -> int:
        row = mouth[(falls[mouth] < 6) if up else (falls[mouth] > 12)]
        return int(row[np.argmin(np.abs(v[row, 0] - x) - 0.4 * (v[row, 2] - 100))])

    upper = [inner_lip(s * wide, True) for s in (-0.45, 0, 0.45)]
    lower = [inner_lip(s * wide, False) for s in (0.45, 0, -0.45)]
    near = [nearest(s * 0.82 * wide, -28.5, None, mouth) for s in (-1, 1)]
    out += [near[0], *upper, near[1], *lower]
    out = [i + part.vertices.start for i in out]
    assert len(out) == 68
    print(tuple(out))
    if picture:
        draw(out, picture)


def draw(indices: list[int], path: str) -> None:
    """Draw them, mouth shut and open."""
    from PIL import Image

    from kinesics.render import Painter, view_of

    rest = np.tile([1.0, 0, 0, 0], (55, 1))
    tiles = []
    for name in ("maya", "theo"):
        person = load_avatar(name)
        for turn in (0, 40):
            camera = view_of(person, "face", width=640, height=640, turn=turn)
            face = np.zeros(52)
            face[person.morph_names.index("jawOpen")] = 0.5 * (turn > 0)
            frame = Painter(person, camera).paint(rest, weights=face)
            picture = frame.rgb.copy()
            points = camera.project(frame.vertices[indices])[0]
            for k, (x, y) in enumerate(points.round().astype(int)):
                colour = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)][k % 4]
                picture[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = colour
            tiles.append(picture)
    Image.fromarray(np.concatenate(tiles, axis=1)).save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
