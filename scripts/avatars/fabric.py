"""What clothes are made of: folds, weave, seams and painted shade."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from avatars import cloth_mesh as cloth
from avatars import mesh, paint
from kinesics.bodies.humanoid import INDEX

if TYPE_CHECKING:
    from avatars.clothes import Cut

ROUGHNESS = {"shirt": 0.85, "trousers": 0.9, "shoes": 0.55, "soles": 0.8}


def linear(rgb: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """Linear factors of an sRGB colour."""
    c = np.array(rgb) / 255
    out = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return (*np.round(out, 4).tolist(), 1.0)


def plain(name: str, rgb: tuple[int, int, int], roughness: float) -> mesh.Material:
    """A material of one colour."""
    return mesh.Material(name, linear(rgb), roughness, specular=0.5)


def folds(part: mesh.Part, cut: Cut, kind: str) -> mesh.Part:
    """Shallow folds where cloth gathers: waist, elbows, knees, hems. Displaces along normals."""
    part = part.with_normals()
    p = part.position
    if kind == "shirt":
        elbow = abs(cut.joints[INDEX["leftLowerArm"]][0])
        arm = np.exp(-(((np.abs(p[:, 0]) - elbow) / 0.07) ** 2)) * (np.abs(p[:, 0]) > 0.2)
        waist = np.exp(-(((p[:, 1] - cut.joints[INDEX["spine"]][1] - 0.02) / 0.09) ** 2)) * (
            np.abs(p[:, 0]) < 0.22
        )
        wave = (
            0.0024
            * arm
            * np.sin(np.abs(p[:, 0]) * 130 + 4 * np.sin(9 * np.arctan2(p[:, 1] - p[:, 1].mean(), p[:, 2])))
        )
        around = np.arctan2(p[:, 0], p[:, 2])
        wave += (
            0.0030 * waist * np.sin(p[:, 1] * 95 + 3.1 * np.sin(3 * around + 0.4) + 2.0 * np.cos(2 * around))
        )
    else:
        knee, ankle = (cut.joints[INDEX[n]][1] for n in ("leftLowerLeg", "leftFoot"))
        around = np.arctan2(np.abs(p[:, 0]) - cut.joints[INDEX["leftUpperLeg"]][0], p[:, 2])
        at_knee = np.exp(-(((p[:, 1] - knee) / 0.06) ** 2))
        at_hem = np.exp(-(((p[:, 1] - ankle - 0.03) / 0.06) ** 2))
        crotch = np.exp(-(((p[:, 1] - cut.joints[INDEX["leftUpperLeg"]][1] + 0.05) / 0.05) ** 2)) * np.exp(
            -((p[:, 0] / 0.09) ** 2)
        )
        wave = 0.0013 * at_knee * np.sin(p[:, 1] * 120 + 2.4 * np.sin(2 * around))
        wave += 0.0026 * at_hem * np.sin(p[:, 1] * 100 + 2.8 * np.sin(2 * around + 1))
        wave += 0.0015 * crotch * np.sin(p[:, 1] * 90 + np.abs(p[:, 0]) * 90)
    return replace(part, position=p + part.normal * wave[:, None])


def finish(part: mesh.Part, cut: Cut, kind: str, rgb: tuple[int, int, int]) -> mesh.Part:
    """Lay the garment flat, paint its texture and give it its material."""
    low, high = part.position.min(0), part.position.max(0)
    margin = 0.01
    box = (low[0] - margin, high[0] + margin, low[1] - margin, high[1] + margin)
    part = cloth.halves(part, box)
    size = {"shirt": 1024, "trousers": 512, "shoes": 256}[kind]
    values = np.c_[part.position, _shade(part)]
    sewn = (part.origin == cloth.SEWN)[part.faces].any(1)
    image, filled = paint.raster(part.uv, part.faces[~sewn], values, size)
    image = paint.bleed(image, filled)
    p, hollow = image[..., :3], ndimage.gaussian_filter(image[..., 3], 0.008 * size)
    color = np.array(rgb) / 255
    out = np.broadcast_to(color, (size, size, 3)).copy()
    weave = (
        paint.noise((size, size), 0.7, f"{kind} weave") * 0.014
        + paint.noise((size, size), 7, f"{kind} wear") * 0.018
    )
    out *= (1 + weave - 0.12 * np.clip(hollow, 0, 1) + 0.04 * np.clip(-hollow, 0, 1))[..., None]
    front = np.mgrid[0:size, 0:size][1] < size / 2
    out = {"shirt": _shirt, "trousers": _trousers, "shoes": _shoes}[kind](out, p, front, cut, color)
    trim = cut.who.stripes if kind == "shirt" and cut.who.stripes else np.array(rgb) * 0.94
    out[: size // 64, : size // 64] = np.array(trim) / 255
    part.uv[part.origin == cloth.SEWN] = 0.5 / 64
    material = mesh.Material(
        kind,
        roughness=ROUGHNESS[kind],
        texture=paint.encode(out, quality=86),
        specular=0.4,
        double_sided=kind == "shirt",
    )
    return replace(part, material=material)


def _shade(part: mesh.Part) -> np.ndarray:
    everywhere = np.ones(len(part.position))
    everywhere[part.origin == cloth.SEWN] = 0
    near = mesh.smooth_field(part.position, part.faces, part.smooth, everywhere, 2)
    wide = mesh.smooth_field(part.position, part.faces, part.smooth, everywhere, 12)
    fine = ((near - part.position) * part.normal).sum(1) / 0.0012
    broad = ((wide - part.position) * part.normal).sum(1) / 0.007
    return np.clip(0.25 * fine + 0.45 * broad, -1, 1)


def _line(
    out: np.ndarray, distance: np.ndarray, width: float, color: np.ndarray, amount: float
) -> np.ndarray:
    return paint.mix(out, color, amount * np.clip(1.5 - np.abs(distance) / width, 0, 1))


def _shirt(out: np.ndarray, p: np.ndarray, front: np.ndarray, cut: Cut, color: np.ndarray) -> np.ndarray:
    x, y = p[..., 0], p[..., 1]
    seam = abs(cut.joints[INDEX["leftUpperArm"]][0]) + 0.022
    high = y > cut.joints[INDEX["upperChest"]][1] - 0.10  # arms, not hips, are out there
    armhole = np.abs(x) - seam - 0.10 * (y - cut.joints[INDEX["leftUpperArm"]][1])
    out = _line(out, np.where(high, armhole, 9), 0.0022, color * 0.55, 0.55)
    hem = cut.ends(p.reshape(-1, 3)).reshape(x.shape)
    out = _line(out, hem - 0.018, 0.0014, color * 0.6, 0.5)
    if cut.who.stripes:
        sleeve = high & (np.abs(x) > seam - 0.012)
        phase = np.where(sleeve, np.abs(x), y) / 0.036
        yoke = ~sleeve & (y > cut.joints[INDEX["upperChest"]][1] + 0.035)
        band = np.clip((np.abs((phase % 1) - 0.5) - 0.31) / 0.02, 0, 1)
        out = paint.mix(
            out,
            np.array(cut.who.stripes) / 255 * (out.mean(-1, keepdims=True) / color.mean()),
            0.95 * band * ~yoke,
        )
    if cut.who.collar:
        placket = front & (y < cut.joints[INDEX["neck"]][1] + 0.1)
        out = np.where(placket[..., None], _line(out, np.abs(x) - 0.016, 0.0014, color * 0.55, 0.6), out)
        for button in np.arange(
            cut.joints[INDEX["leftUpperLeg"]][1] + 0.05, cut.joints[INDEX["neck"]][1] - 0.07, 0.088
        ):
            d = np.hypot(x, y - button)
            out = np.where(
                (placket & (d < 0.0075))[..., None],
                paint.mix(out, color * 0.45, np.clip((0.0075 - d) / 0.002, 0, 1)),
                out,
            )
            out = np.where(
                (placket & (d < 0.0058))[..., None],
                paint.mix(out, (0.88, 0.86, 0.80), np.clip((0.0058 - d) / 0.002, 0, 1)),
                out,
            )
    return out


def _trousers(out: np.ndarray, p: np.ndarray, front: np.ndarray, cut: Cut, color: np.ndarray) -> np.ndarray:
    x, y = np.abs(p[..., 0]), p[..., 1]
    hip = cut.joints[INDEX["leftUpperLeg"]]
    out = _line(out, cut.trousers(p.reshape(-1, 3)).reshape(x.shape) - 0.016, 0.0014, color * 0.6, 0.6)
    outline = np.where(front, x - (0.085 + 0.4 * (hip[1] + 0.06 - y)), 9)
    pocket = (y > hip[1] - 0.04) & (y < hip[1] + 0.08)
    out = np.where(pocket[..., None], _line(out, outline, 0.0016, color * 0.5, 0.7), out)
    if cut.who.faded:
        thigh = np.exp(-(((y - hip[1] + 0.2) / 0.17) ** 2) - ((x - hip[0]) / 0.06) ** 2)
        out = paint.mix(out, np.minimum(color * 1.55, 1), cut.who.faded * thigh)
    return out


def _shoes(out: np.ndarray, p: np.ndarray, front: np.ndarray, cut: Cut, color: np.ndarray) -> np.ndarray:
    toe = p[..., 2] - cut.joints[INDEX["leftToes"]][2]
    out = _line(
        out,
        toe - 0.035 + 6 * (np.abs(p[..., 0]) - cut.joints[INDEX["leftToes"]][0]) ** 2,
        0.002,
        color * 0.5,
        0.6,
    )
    on_top = np.abs(np.abs(p[..., 0]) - cut.joints[INDEX["leftFoot"]][0] - 0.004) < 0.022
    lace = (toe > -0.075) & (toe < 0.005) & on_top & (np.abs(((toe / 0.015) % 1) - 0.5) < 0.22)
    return np.where(lace[..., None], np.array(cut.who.laces) / 255, out)
