"""The loops over triangles and pixels, compiled by numba. Imported only when something is painted.

One thread paints one picture, several threads several (:func:`kinesics.render.ahead.ahead`): no loop here is split up.
Triangles go into a visibility buffer (nearest triangle per sample); pixels are shaded from it afterwards.
Screen x goes right and y down, in samples; ``z`` is the inverse of the depth, which is linear on the screen.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Without ``_nrt`` every call would count references to two dozen arrays, which takes longer than a pixel's colour;
# kernels therefore make no arrays: what they need beside the picture is given to them.
OPTIONS = {"cache": True, "fastmath": True, "error_model": "numpy", "nogil": True, "_nrt": False}
INSIDE = OPTIONS | {"inline": "always"}


@njit(**OPTIONS)
def project(vertices, axes, position, focal, width, height, out):
    """World vertices (V, 3) to (V, 3) screen x, y and inverse depth; behind the camera: 0."""
    for i in range(len(vertices)):
        x = vertices[i, 0] - position[0]
        y = vertices[i, 1] - position[1]
        z = vertices[i, 2] - position[2]
        depth = -(axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z)
        if depth < 0.01:
            out[i, 2] = 0.0
            continue
        inverse = 1.0 / depth
        out[i, 0] = 0.5 * width + focal * inverse * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        out[i, 1] = 0.5 * height - focal * inverse * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        out[i, 2] = inverse


@njit(**OPTIONS)
def project_flat(vertices, axes, centre, scale, size, out):
    """World vertices to a parallel view (the light's): x, y in samples, and nearness in metres + 100."""
    for i in range(len(vertices)):
        x = vertices[i, 0] - centre[0]
        y = vertices[i, 1] - centre[1]
        z = vertices[i, 2] - centre[2]
        out[i, 0] = 0.5 * size + scale * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        out[i, 1] = 0.5 * size - scale * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        out[i, 2] = 100.0 + axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z


@njit(**OPTIONS)
def vertex_normals(vertices, faces, weld, total, normals):
    """Area-weighted normals (V, 3); vertices that ``weld`` names alike share theirs."""
    total[:] = 0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            w = weld[faces[f, k]]
            total[w, 0] += nx
            total[w, 1] += ny
            total[w, 2] += nz
    for i in range(len(normals)):
        w = weld[i]
        length = math.sqrt(total[w, 0] ** 2 + total[w, 1] ** 2 + total[w, 2] ** 2) + 1e-20
        for k in range(3):
            normals[i, k] = total[w, k] / length


@njit(**INSIDE)
def four_around(layout, u, v, level):
    """The texels round a place of a repeating texture, and how far it lies between them in x and y.

    ``layout`` is offset, width, height, levels.
    """
    offset, width, height = layout[0], layout[1], layout[2]
    for _ in range(level):
        offset += width * height
        width = max(width // 2, 1)
        height = max(height // 2, 1)
    x = (u - math.floor(u)) * width - 0.5
    y = (v - math.floor(v)) * height - 0.5
    x0, y0 = math.floor(x), math.floor(y)
    # A texel before the first is the last, one past the last the first; dividing would take longer.
    ix, iy = int(x0), int(y0)
    ix, iy = ix + width if ix < 0 else ix, iy + height if iy < 0 else iy
    jx, jy = ix + 1, iy + 1
    jx, jy = jx - width if jx >= width else jx, jy - height if jy >= height else jy
    top, low = offset + iy * width, offset + jy * width
    return top + ix, top + jx, low + ix, low + jx, x - x0, y - y0


@njit(**INSIDE)
def between(texels, channel, a, b, c, d, fx, fy):
    """Bilinear value of one channel."""
    top = texels[a, channel] * (1 - fx) + texels[b, channel] * fx
    low = texels[c, channel] * (1 - fx) + texels[d, channel] * fx
    return top * (1 - fy) + low * fy


@njit(**INSIDE)
def level_of(layout, texel_area, area):
    """Which of a texture's halved copies has about one texel per sample."""
    if texel_area <= area or area <= 0:
        return 0
    level = int(0.5 * math.log2(texel_area / area) + 0.3)
    return min(level, layout[3] - 1)


@njit(**OPTIONS)
def rasterise(screen, faces, part_of, both_sides, cut, uv, texel_area, texels, layouts, ids, near):
    """Nearest triangle and its inverse depth per sample.

    ``cut`` marks parts whose texture's alpha thins them out: a quarter of the samples per quarter of alpha.
    """
    height, width = ids.shape
    ids[:] = -1
    near[:] = 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        za, zb, zc = screen[a, 2], screen[b, 2], screen[c, 2]
        if za <= 0 or zb <= 0 or zc <= 0:
            continue
        ax, ay, bx, by, cx, cy = (
            screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1],
        )  # fmt: skip
        y0 = max(0, math.ceil(min(ay, by, cy) - 0.5))
        y1 = min(height - 1, math.floor(max(ay, by, cy) - 0.5))
        if y0 > y1:
            continue
        x0 = max(0, math.ceil(min(ax, bx, cx) - 0.5))
        x1 = min(width - 1, math.floor(max(ax, bx, cx) - 0.5))
        if x0 > x1:
            continue
        # Counter-clockwise from outside is clockwise on a screen whose y goes down.
        area = (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)
        part = part_of[f]
        if area < 0:
            if not both_sides[part]:
                continue
            b, c = c, b
            bx, by, zb, cx, cy, zc = cx, cy, zc, bx, by, zb
            area = -area
        if area < 1e-9:
            continue
        scale = 1.0 / area
        level = level_of(layouts[part], texel_area[f], 0.5 * area) if cut[part] else 0
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                wa = ((cx - bx) * (py - by) - (px - bx) * (cy - by)) * -scale
                wb = ((ax - cx) * (py - cy) - (px - cx) * (ay - cy)) * -scale
                wc = 1.0 - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                z = wa * za + wb * zb + wc * zc
                if z <= near[y, x]:
                    continue
                if cut[part]:
                    inverse = 1.0 / z
                    ka, kb, kc = wa * za * inverse, wb * zb * inverse, wc * zc * inverse
                    u = ka * uv[a, 0] + kb * uv[b, 0] + kc * uv[c, 0]
                    v = ka * uv[a, 1] + kb * uv[b, 1] + kc * uv[c, 1]
                    ta, tb, tc, td, fx, fy = four_around(layouts[part], u, v, level)
                    alpha = between(texels, 3, ta, tb, tc, td, fx, fy)
                    if alpha < (0.5 + 2 * (y & 1) + ((x + y) & 1)) / 4:
                        continue
                near[y, x] = z
                ids[y, x] = f


@njit(**INSIDE)
def lit(shadow, matrix, centre, scale, x, y, z, bias):
    """Part of the key light, 0 to 1, that reaches a point: nine looks into the light's depth map."""
    size = len(shadow)
    dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
    sx = 0.5 * size + scale * (matrix[0, 0] * dx + matrix[0, 1] * dy + matrix[0, 2] * dz)
    sy = 0.5 * size - scale * (matrix[1, 0] * dx + matrix[1, 1] * dy + matrix[1, 2] * dz)
    here = 100.0 + matrix[2, 0] * dx + matrix[2, 1] * dy + matrix[2, 2] * dz + bias
    seen = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            ix, iy = int(sx + 1.4 * i), int(sy + 1.4 * j)
            if ix < 0 or iy < 0 or ix >= size or iy >= size or shadow[iy, ix] <= here:
                seen += 1.0
    return seen / 9.0


@njit(**INSIDE)
def weights_at(screen, faces, f, px, py, out):
    """Perspective-correct weights of a triangle's corners at a screen point; returns the inverse depth."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay, bx, by, cx, cy = (
        screen[a, 0],
        screen[a, 1],
        screen[b, 0],
        screen[b, 1],
        screen[c, 0],
        screen[c, 1],
    )
    scale = 1.0 / ((cx - ax) * (by - ay) - (bx - ax) * (cy - ay))
    wa = ((cx - bx) * (py - by) - (px - bx) * (cy - by)) * -scale * screen[a, 2]
    wb = ((ax - cx) * (py - cy) - (px - cx) * (ay - cy)) * -scale * screen[b, 2]
    wc = screen[c, 2] - wa * screen[c, 2] / screen[a, 2] - wb * screen[c, 2] / screen[b, 2]
    z = wa + wb + wc
    out[0], out[1], out[2] = wa / z, wb / z, wc / z
    return z


@njit(**INSIDE)
def surface(
    f, px, py, screen, vertices, normals, faces, part_of, uv, texel_area, texels, layouts, tints, looks,
    eye, light, shadow, light_axes, light_centre, light_scale, colour, mix,
):  # fmt: skip
    """Linear colour of triangle ``f`` at a sample."""
    part = part_of[f]
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    weights_at(screen, faces, f, px, py, mix)
    ka, kb, kc = mix[0], mix[1], mix[2]
    x = ka * vertices[a, 0] + kb * vertices[b, 0] + kc * vertices[c, 0]
    y = ka * vertices[a, 1] + kb * vertices[b, 1] + kc * vertices[c, 1]
    z = ka * vertices[a, 2] + kb * vertices[b, 2] + kc * vertices[c, 2]
    nx = ka * normals[a, 0] + kb * normals[b, 0] + kc * normals[c, 0]
    ny = ka * normals[a, 1] + kb * normals[b, 1] + kc * normals[c, 1]
    nz = ka * normals[a, 2] + kb * normals[b, 2] + kc * normals[c, 2]
    length = 1.0 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-20)
    nx, ny, nz = nx * length, ny * length, nz * length
    vx, vy, vz = eye[0] - x, eye[1] - y, eye[2] - z
    length = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx * length, vy * length, vz * length
    facing = nx * vx + ny * vy + nz * vz
    if facing < 0 and looks[part, 3] > 0:  # the inside of cloth and hair
        nx, ny, nz, facing = -nx, -ny, -nz, -facing
    area = abs(
        (screen[c, 0] - screen[a, 0]) * (screen[b, 1] - screen[a, 1])
        - (screen[b, 0] - screen[a, 0]) * (screen[c, 1] - screen[a, 1])
    )
    level = level_of(layouts[part], texel_area[f], 0.5 * area)
    u = ka * uv[a, 0] + kb * uv[b, 0] + kc * uv[c, 0]
    v = ka * uv[a, 1] + kb * uv[b, 1] + kc * uv[c, 1]
    ta, tb, tc, td, fx, fy = four_around(layouts[part], u, v, level)
    toward = nx * light[0] + ny * light[1] + nz * light[2]
    reach = 0.0
    if toward > -0.3:
        reach = lit(
            shadow, light_axes, light_centre, light_scale,
            x + 0.004 * nx, y + 0.004 * ny, z + 0.004 * nz, 0.004,
        )  # fmt: skip
    shine = 0.0
    if toward > 0 and reach > 0:
        # Blinn's highlight, normalised; the half vector lies between light and eye.
        hx, hy, hz = vx + light[0], vy + light[1], vz + light[2]
        length = 1.0 / (math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-20)
        gleam = max((nx * hx + ny * hy + nz * hz) * length, 0.0)
        rough = looks[part, 0]
        power = 2.0 / (rough**4 + 1e-4) - 1.0
        power = min(power, 900.0)
        shine = looks[part, 2] * (power + 8) * 0.04 * gleam**power * toward * reach
    rim = looks[part, 2] * 0.9 * (1 - max(facing, 0.0)) ** 4 * (0.35 + 0.65 * max(ny, 0.0))
    sky = 0.5 + 0.5 * ny
    fill = max(-0.62 * nx * light[0] + 0.2 * ny + 0.55 * nz, 0.0)
    for k in range(3):
        # Light bleeds round the edge of its shadow on skin, red farther than blue.
        wrap = looks[part, 1] * (0.42, 0.16, 0.10)[k]
        direct = max(toward + wrap, 0.0) / (1 + wrap)
        soft = reach + (1 - reach) * looks[part, 1] * (0.10, 0.02, 0.0)[k]
        energy = (2.15, 2.02, 1.86)[k] * direct * soft
        energy += (0.30, 0.34, 0.42)[k] * sky + (0.20, 0.17, 0.15)[k] * (1 - sky)
        energy += (0.26, 0.30, 0.36)[k] * fill
        own = between(texels, k, ta, tb, tc, td, fx, fy)
        colour[k] = own * tints[part, k] * energy + shine + rim * (0.5, 0.55, 0.65)[k]


@njit(**OPTIONS)
def backdrop(focal, axes, eye, floor, paint, wall, ground):
    """What is seen where nothing stands: a wall of light (H, W, 3), linear, that runs into a floor.

    ``ground`` (H, W, 3) gets where on the floor each pixel looks, x and z, and how far it is floor, 0 to 1.
    """
    height, width = wall.shape[:2]
    for y in range(height):
        for x in range(width):
            dx = (x + 0.5 - 0.5 * width) / focal
            dy = (0.5 * height - y - 0.5) / focal
            rx = axes[0, 0] * dx + axes[1, 0] * dy - axes[2, 0]
            ry = axes[0, 1] * dx + axes[1, 1] * dy - axes[2, 1]
            rz = axes[0, 2] * dx + axes[1, 2] * dy - axes[2, 2]
            up = ry / math.sqrt(rx * rx + ry * ry + rz * rz)
            shade = 1.0 - 0.35 * min(max(0.5 - 1.6 * up, 0.0), 1.0)
            glow = math.exp(-3.0 * ((dx * dx) + (dy - 0.02) ** 2))
            for k in range(3):
                wall[y, x, k] = paint[k] * (0.62 + 0.55 * glow) * shade
            ground[y, x, 2] = 0.0
            if ry < -1e-4 and eye[1] > floor:
                far = (floor - eye[1]) / ry
                gx, gz = eye[0] + far * rx, eye[2] + far * rz
                ground[y, x, 0], ground[y, x, 1] = gx, gz
                # The floor fades into the wall, so that there is no horizon.
                ground[y, x, 2] = math.exp(-0.16 * (gx * gx + gz * gz))


@njit(**INSIDE)
def behind(wall, ground, y, x, floor, shadow, light_axes, light_centre, light_scale, colour):
    """Linear colour of wall and floor in a pixel, with the person's shadow."""
    near_floor = ground[y, x, 2]
    for k in range(3):
        colour[k] = wall[y, x, k]
    if near_floor > 0.01:
        gx, gz = ground[y, x, 0], ground[y, x, 1]
        reach = lit(shadow, light_axes, light_centre, light_scale, gx, floor, gz, 0.01)
        for k in range(3):
            colour[k] *= 1.0 - near_floor * (1.0 - reach) * (0.62, 0.60, 0.56)[k]


@njit(**OPTIONS)
def shade(
    ids, near, samples, screen, vertices, normals, faces, part_of, uv, texel_area, texels, layouts, tints, looks,
    eye, floor, light, shadow, light_axes, light_centre, light_scale, wall, ground, tone,
    scratch, rgb, depth, parts,
):  # fmt: skip
    """Colour, depth and part of every pixel from the visibility buffer of ``samples``² samples a pixel."""
    height, width = depth.shape
    colour, mix, total = scratch[0], scratch[1], scratch[2]
    for y in range(height):
        for x in range(width):
            for k in range(3):
                total[k] = 0
            last, last_z = -2, np.float32(0)
            nearest, farthest = np.float32(0), -1
            highest = -1
            for j in range(samples):
                for i in range(samples):
                    highest = max(highest, ids[y * samples + j, x * samples + i])
            if highest < 0:  # nobody
                behind(wall, ground, y, x, floor, shadow, light_axes, light_centre, light_scale, colour)
                for k in range(3):
                    rgb[y, x, k] = np.uint8(tone[min(int(colour[k] * 1024), len(tone) - 1)] + 0.5)
                depth[y, x], parts[y, x] = np.inf, 0
                continue
            for j in range(samples):
                for i in range(samples):
                    sy, sx = y * samples + j, x * samples + i
                    f = ids[sy, sx]
                    z = near[sy, sx]
                    if z > nearest:
                        nearest, farthest = z, part_of[f]
                    same = f == last or (
                        f >= 0
                        and last >= 0
                        and part_of[f] == part_of[last]
                        and abs(z - last_z) < 0.02 * z
                        and looks[part_of[f], 3] == 0
                    )
                    # One colour does for neighbouring samples of a surface: edges are between surfaces.
                    if not same:
                        if f >= 0:
                            surface(
                                f, sx + 0.5, sy + 0.5, screen, vertices, normals, faces, part_of, uv, texel_area,
                                texels, layouts, tints, looks, eye, light, shadow, light_axes, light_centre,
                                light_scale, colour, mix,
                            )  # fmt: skip
                        else:
                            behind(
                                wall,
                                ground,
                                y,
                                x,
                                floor,
                                shadow,
                                light_axes,
                                light_centre,
                                light_scale,
                                colour,
                            )
                        last, last_z = f, z
                    for k in range(3):
                        # Tone first, then the mean: a bright edge stays smooth.
                        total[k] += tone[min(int(colour[k] * 1024), len(tone) - 1)]
            for k in range(3):
                rgb[y, x, k] = np.uint8(total[k] / (samples * samples) + 0.5)
            depth[y, x] = 1.0 / nearest if nearest > 0 else np.inf
            parts[y, x] = farthest + 1


@njit(**OPTIONS)
def flow(ids, samples, screen, after, faces, mix, out):
    """Pixels (x, y) that what is seen in each pixel moves to the next frame; the backdrop stays."""
    height, width = out.shape[:2]
    for y in range(height):
        for x in range(width):
            out[y, x, 0] = out[y, x, 1] = 0.0
            f = ids[y * samples, x * samples]
            if f < 0:
                continue
            px, py = x * samples + 0.5, y * samples + 0.5
            weights_at(screen, faces, f, px, py, mix)
            # The same spot of the surface, as the next picture's perspective shows it.
            nx = ny = depth = 0.0
            for k in range(3):
                v = faces[f, k]
                far = mix[k] / max(after[v, 2], np.float32(1e-6))
                nx += far * after[v, 0]
                ny += far * after[v, 1]
                depth += far
            out[y, x, 0] = (nx / depth - px) / samples
            out[y, x, 1] = (ny / depth - py) / samples
