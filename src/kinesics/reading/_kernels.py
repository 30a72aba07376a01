"""Drawing on pictures, compiled by numba. Imported only when something is drawn.

Shapes are first gathered as coverage (H, W), 0 to 1, where overlapping strokes do not add up, and then painted at once
in one colour; what was painted is cleared again.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

OPTIONS = {"cache": True, "fastmath": True, "error_model": "numpy", "nogil": True}


@njit(**OPTIONS)
def strokes(cover, ends, widths):
    """Cover lines ``ends`` (N, 4: x, y, x, y) of ``widths`` (N,), round at their ends; a line without length is a disc."""
    height, width = cover.shape
    for i in range(len(ends)):
        ax, ay, bx, by = ends[i, 0], ends[i, 1], ends[i, 2], ends[i, 3]
        half = 0.5 * widths[i]
        reach = half + 1.0
        left, right = max(0, int(min(ax, bx) - reach)), min(width, int(max(ax, bx) + reach) + 2)
        top, bottom = max(0, int(min(ay, by) - reach)), min(height, int(max(ay, by) + reach) + 2)
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        for y in range(top, bottom):
            for x in range(left, right):
                px, py = x + 0.5 - ax, y + 0.5 - ay
                t = 0.0
                if length > 1e-9:
                    t = min(1.0, max(0.0, (px * dx + py * dy) / length))
                ex, ey = px - t * dx, py - t * dy
                near = half + 0.5 - math.sqrt(ex * ex + ey * ey)
                if near > 0.0:
                    # A line thinner than a pixel covers less of it.
                    near = min(near, 1.0) * min(1.0, 2.0 * half)
                    if near > cover[y, x]:
                        cover[y, x] = near


@njit(**OPTIONS)
def rounded(cover, left, top, right, bottom, radius):
    """Cover a rectangle with round corners."""
    height, width = cover.shape
    cx, cy = 0.5 * (left + right), 0.5 * (top + bottom)
    hx, hy = 0.5 * (right - left) - radius, 0.5 * (bottom - top) - radius
    for y in range(max(0, int(top) - 1), min(height, int(bottom) + 2)):
        for x in range(max(0, int(left) - 1), min(width, int(right) + 2)):
            qx, qy = abs(x + 0.5 - cx) - hx, abs(y + 0.5 - cy) - hy
            out = math.sqrt(max(qx, 0.0) ** 2 + max(qy, 0.0) ** 2) + min(max(qx, qy), 0.0)
            near = min(1.0, max(0.0, radius + 0.5 - out))
            if near > cover[y, x]:
                cover[y, x] = near


@njit(**OPTIONS)
def below(cover, xs, ys, base, share):
    """Cover what lies between a line of rising ``xs`` and the height ``base``, by ``share``."""
    height, width = cover.shape
    for i in range(len(xs) - 1):
        for x in range(max(0, math.ceil(xs[i] - 0.5)), min(width, math.ceil(xs[i + 1] - 0.5))):
            part = (x + 0.5 - xs[i]) / max(1e-6, xs[i + 1] - xs[i])
            line = ys[i] + (ys[i + 1] - ys[i]) * part
            top, bottom = min(line, base), max(line, base)
            for y in range(max(0, int(top)), min(height, int(bottom) + 1)):
                inside = min(1.0, max(0.0, min(y + 1.0, bottom) - max(y + 0.0, top)))
                cover[y, x] = max(cover[y, x], share * inside)


@njit(**OPTIONS)
def stamp(cover, glyph, left, top):
    """Cover what ``glyph`` (h, w) covers, its corner at a place between pixels."""
    height, width = cover.shape
    x0, y0 = math.floor(left), math.floor(top)
    fx, fy = left - x0, top - y0
    rows, columns = glyph.shape
    for y in range(max(0, -y0), min(rows + 1, height - y0)):
        for x in range(max(0, -x0), min(columns + 1, width - x0)):
            value = 0.0
            for ky in range(2):
                for kx in range(2):
                    sy, sx = y - ky, x - kx
                    if 0 <= sy < rows and 0 <= sx < columns:
                        wy = fy if ky else 1.0 - fy
                        wx = fx if kx else 1.0 - fx
                        value += wy * wx * glyph[sy, sx]
            if value > cover[y0 + y, x0 + x]:
                cover[y0 + y, x0 + x] = value


@njit(**OPTIONS)
def paint(image, cover, left, top, right, bottom, red, green, blue, alpha):
    """Blend a colour over ``image`` (H, W, 3) uint8 where it is covered, and clear the coverage."""
    for y in range(top, bottom):
        for x in range(left, right):
            share = cover[y, x] * alpha
            if share > 0.0:
                image[y, x, 0] = np.uint8(image[y, x, 0] + (red - image[y, x, 0]) * share + 0.5)
                image[y, x, 1] = np.uint8(image[y, x, 1] + (green - image[y, x, 1]) * share + 0.5)
                image[y, x, 2] = np.uint8(image[y, x, 2] + (blue - image[y, x, 2]) * share + 0.5)
            cover[y, x] = 0.0


@njit(**OPTIONS)
def enlarge(image, out):
    """Bilinear: ``image`` (h, w, 3) to the size of ``out`` (H, W, 3), both uint8."""
    height, width = out.shape[:2]
    rows, columns = image.shape[:2]
    for y in range(height):
        sy = min(max((y + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        y0 = int(sy)
        y1 = min(y0 + 1, rows - 1)
        fy = sy - y0
        for x in range(width):
            sx = min(max((x + 0.5) * columns / width - 0.5, 0.0), columns - 1.0)
            x0 = int(sx)
            x1 = min(x0 + 1, columns - 1)
            fx = sx - x0
            for c in range(3):
                a = image[y0, x0, c] + (float(image[y0, x1, c]) - image[y0, x0, c]) * fx
                b = image[y1, x0, c] + (float(image[y1, x1, c]) - image[y1, x0, c]) * fx
                out[y, x, c] = np.uint8(a + (b - a) * fy + 0.5)
