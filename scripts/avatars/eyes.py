"""Eyeballs with a painted iris, and lashes."""

from __future__ import annotations

import numpy as np

from avatars import landmarks, mesh, paint, rest, source
from avatars.people import Person
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.seeds import rng

IRIS = 0.0060  # radius in metres, as in life
OPEN = np.radians(112)  # the ball is built this far from its front


def eyeballs(vertices: np.ndarray, joints: np.ndarray, who: Person) -> mesh.Part:
    """Two balls around the eye joints, finer than the stored ones, with a slight cornea."""
    segments, rings = 28, 16
    theta = OPEN * np.r_[0, np.linspace(0.03, 1, rings)]
    phi = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    positions, uvs, faces, weights, normal = [], [], [], [], []
    for side in ("left", "right"):
        centre = joints[INDEX[f"{side}Eye"]]
        radius = rest.sphere(vertices[source.base().groups[f"helper-{side[0]}-eye"]])[1]
        first = sum(map(len, positions))
        direction = np.concatenate(
            [[[0, 0, 1]]]
            + [
                np.c_[np.sin(t) * np.cos(phi), np.sin(t) * np.sin(phi), np.full(segments, np.cos(t))]
                for t in theta[1:]
            ]
        )
        angle = np.r_[0, np.repeat(theta[1:], segments)]
        edge = np.arcsin(IRIS / radius) * 1.15
        cornea = 0.0006 * np.clip(1 - (angle / edge) ** 2, 0, 1)
        positions.append(centre + direction * (radius + cornea)[:, None])
        normal.append(direction)
        around = np.r_[0, np.tile(phi, rings)]
        # The iris fills a fixed part of the texture whatever the eye's size.
        r = 0.5 * np.where(angle < edge, 0.42 * angle / edge, 0.42 + 0.57 * (angle - edge) / (OPEN - edge))
        uvs.append(np.c_[0.5 + r * np.cos(around), 0.5 - r * np.sin(around)])
        k = np.arange(segments)
        faces += [np.c_[np.zeros(segments, int), 1 + k, 1 + (k + 1) % segments] + first]
        for ring in range(rings - 1):
            a, b = 1 + ring * segments + k, 1 + ring * segments + (k + 1) % segments
            faces += [np.c_[a, a + segments, b] + first, np.c_[b, a + segments, b + segments] + first]
        w = np.zeros((len(direction), len(JOINTS)))
        w[:, INDEX[f"{side}Eye"]] = 1
        weights.append(w)
    position = np.concatenate(positions)
    material = mesh.Material("eyes", roughness=0.08, texture=iris_texture(who))
    return mesh.Part(
        "eyes", material, position, np.concatenate(uvs), np.concatenate(faces), np.concatenate(weights),
        np.full(len(position), -1), {}, np.concatenate(normal), mesh.weld(position),
    )  # fmt: skip


def iris_texture(who: Person, size: int = 256) -> bytes:
    """JPEG: sclera with faint veins, limbal ring, fibrous iris, pupil."""
    ys, xs = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    r, angle = np.hypot(xs, ys) / 0.5, np.arctan2(-ys, xs)
    edge = 0.42 / 1.15  # where the iris ends, see the mapping of the ball
    random = rng(0, "avatars", who.name, "iris")
    turns = ((angle / (2 * np.pi)) % 1) * 360
    fibre = np.interp(turns, np.arange(361), np.r_[f := random.standard_normal(360), f[:1]])
    fibre = 0.6 * fibre + 0.4 * np.interp((turns * 3 + 40 * r) % 360, np.arange(361), np.r_[f, f[:1]])
    color = np.array(who.iris) / 255
    inside = r / edge
    shade = np.interp(inside, [0, 0.3, 0.5, 0.82, 0.97, 1.05], [0.9, 1.25, 1.2, 1.0, 0.5, 0.3])
    iris = color * (shade * (1 + 0.16 * fibre))[..., None]
    iris = paint.mix(iris, color * [1.35, 1.1, 0.75], 0.45 * np.exp(-(((inside - 0.48) / 0.14) ** 2)))
    # Light enters from above: the lower half of an iris is always the brighter one.
    iris *= (1 - 0.32 * np.sin(angle) * inside)[..., None]
    white = np.broadcast_to(np.array([0.80, 0.785, 0.765]), (size, size, 3)).copy()
    white = paint.mix(white, (0.66, 0.46, 0.43), 0.9 * np.clip((r - 0.50) / 0.45, 0, 1))
    veins = np.clip(1 - np.abs(paint.noise((size, size), 6, "veins")) / 0.06, 0, 1) * np.clip(
        (r - 0.50) / 0.3, 0, 1
    )
    white = paint.mix(white, (0.62, 0.34, 0.32), 0.22 * veins)
    # The lids' shade on the ball, so that eyes do not stare.
    out = (
        white
        * (1 - 0.30 * np.clip((-ys - 0.10) / 0.22, 0, 1) - 0.12 * np.clip((ys - 0.16) / 0.2, 0, 1))[..., None]
    )
    blend = np.clip((edge - r) / 0.022 + 0.5, 0, 1)
    out = out * (1 - blend[..., None]) + iris * blend[..., None]
    out = paint.mix(out, (0.015, 0.012, 0.012), np.clip((0.40 - inside) / 0.05 + 0.5, 0, 1))
    out *= (1 - 0.25 * np.clip((-ys - 0.08) / 0.10, 0, 1) * blend)[..., None]
    return paint.encode(out, quality=90)


def lashes(cut: mesh.Part) -> mesh.Part:
    """The stored lash strips with their own texture: u along the lid, v from root to tip."""
    base = source.base().vertices[cut.origin] * 1000
    rim = np.concatenate([base_ring(r[0]) for r in landmarks.lid_rings().values()])
    near = np.linalg.norm(base[:, None] - rim[None], axis=2).min(1)
    upper = np.isin(cut.origin, _ids("2"))
    reach = np.where(upper, near[upper].max(), near[~upper].max())
    u = (np.abs(base[:, 0]) - 14) / 34
    v = np.clip(near / reach, 0, 1)
    uv = np.c_[u * 2, np.where(upper, 0.02 + 0.46 * v, 0.52 + 0.46 * v)]
    material = mesh.Material("lashes", (0.012, 0.009, 0.008, 1.0), 0.9, lash_texture(), "BLEND", True, 0.2)
    return mesh.replace(cut, uv=uv, material=material)


def deepen(
    part: mesh.Part,
    front: tuple[float, float, float],
    back: tuple[float, float, float],
    name: str,
    roughness: float,
) -> mesh.Part:
    """The part coloured (sRGB 0–1) from front to back: the mouth is dark inside though no light is traced."""
    z = source.base().vertices[part.origin, 2]
    first, depth = {"teeth": (0.146, 0.026), "tongue": (0.134, 0.060)}.get(name, (0.147, 0.040))
    t = np.clip((first - z) / depth, 0, 1)
    ramp = np.linspace(0, 1, 32)[None, :, None] ** 0.8
    image = np.repeat(np.array(front) * (1 - ramp) + np.array(back) * ramp, 256, axis=0)
    v = np.full(len(t), 0.5)
    if name == "teeth":
        # The stored teeth are one arch: thin shadows, every 0.2 rad around it, part it into teeth.
        x = source.base().vertices[part.origin, 0]
        v = 0.5 + np.arctan2(x, z - 0.100) / (0.2 * 24)
        place = (np.arange(256) + 0.5) / 256 * 24 % 1
        image = image * (1 - 0.45 * np.clip(1 - np.abs(place - 0.0) / 0.13, 0, 1))[:, None, None]
        image = image * (1 - 0.45 * np.clip(1 - np.abs(place - 1.0) / 0.13, 0, 1))[:, None, None]
    material = mesh.Material(name, roughness=roughness, texture=paint.encode(image, quality=95), specular=0.3)
    return mesh.replace(part, uv=np.c_[0.02 + 0.96 * t, v], material=material)


def base_ring(ids: list[int]) -> np.ndarray:
    """(N, 3) base positions of vertices in millimetres."""
    return source.base().vertices[ids] * 1000


def _ids(kind: str) -> np.ndarray:
    groups = source.base().groups
    return np.concatenate([groups[f"helper-{s}-eyelashes-{kind}"] for s in "lr"])


def lash_texture(width: int = 256, height: int = 128) -> bytes:
    """PNG whose upper half holds upper lashes and lower half the finer lower ones, root at the top."""
    random = rng(0, "avatars", "lashes")
    alpha = np.zeros((height, width))
    xs = np.arange(width)
    half = height // 2
    for first, count, strength, longest in ((0, 62, 1.0, 0.95), (half, 46, 0.55, 0.6)):
        roots, lean = np.linspace(0, width, count, endpoint=False), random.uniform(-5, 5, count)
        length = random.uniform(0.55, 1.0, count) * longest
        for root, slant, reach in zip(roots, lean, length, strict=True):
            for row in range(half):
                t = row / half / reach
                if t <= 1:
                    d = np.abs((xs - root - slant * t * t + width / 2) % width - width / 2)
                    alpha[first + row] = np.maximum(
                        alpha[first + row], strength * np.clip(1.9 * (1 - 0.75 * t) - d, 0, 1)
                    )
        solid = np.clip(1 - np.arange(half) / (half * 0.14), 0, 1)
        alpha[first : first + half] = np.maximum(alpha[first : first + half], strength * 0.8 * solid[:, None])
    image = np.concatenate([np.ones((height, width, 3)), alpha[..., None]], axis=-1)
    return paint.encode(image, alpha=True)
