"""Reading glTF files that other programs wrote: the skin's joints as a skeleton, a clip as its motion.

``Motion`` wants rotations relative to a rest pose whose bone frames are aligned with the world. With a
node's world rotation Q(t), and Q₀ at rest, that is G = Q·Q₀⁻¹; a joint's local rotation is then
G(parent)⁻¹·G, which for a joint directly below its parent is P·(q·q₀⁻¹)·P⁻¹ with P the parent's world rotation
at rest. Offsets are differences of world positions at rest, so that ancestors' rotations and scales are in them.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import FormatError, KinesicsError
from kinesics.formats._gltf import Glb
from kinesics.formats._gltf_clip import Clip, chosen_clip, clip_names, frame_times, times_of
from kinesics.formats._gltf_face import face_of
from kinesics.formats._gltf_nodes import Array, Nodes, nodes_of
from kinesics.formats._gltf_scene import Moving
from kinesics.formats._vrm import Vrm
from kinesics.formats._vrm_pose import motion_of
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.performance.performance import Track

log = logging.getLogger(__name__)

_STILL = 1e-3  # metres: what moves less stands still
_TRAVELS = 0.01  # metres: a joint that goes farther below a resting root carries the body
_MOST_JOINTS = 4096
_BLOCK = 2048


def read_foreign(glb: Glb, *, clip: str | int | None, fps: object, vrm: Vrm | None = None) -> Performance:
    """The body and face of a file that Kinesics did not write.

    Parameters
    ----------
    glb
        The file.
    clip
        Name or number of the animation; None: the first, or the body at rest where there is none.
    fps
        Rate to sample at; None: the clip's own where its keys lie on one, else 30.
    vrm
        What makes it a VRM, if it is one: the body is then on the canonical joints.
    """
    required = glb.json.get("extensionsRequired")
    packed = ("EXT_meshopt_compression", "KHR_meshopt_compression")
    unreadable = [name for name in packed if isinstance(required, list) and name in required]
    if unreadable:
        raise FormatError(
            glb.path, "extensionsRequired", "uncompressed data", f"export it without {unreadable[0]}"
        )
    nodes = nodes_of(glb)
    rate = None if fps is None else exact_rate(fps, "glTF")
    names = clip_names(glb)
    index = chosen_clip(glb, 0 if clip is None else clip) if names or clip else None
    playing = None if index is None else Clip(glb, index, nodes)
    moving = Moving(glb, nodes, playing)
    about: dict[str, Any] = {"clips": names, "clip": None if index is None else names[index]}
    generator = glb.json.get("asset")
    if isinstance(generator, dict) and "generator" in generator:
        about["generator"] = str(generator["generator"])[:200]
    tracks: dict[str, Track] = {}
    try:
        body = _body(moving, rate, about) if vrm is None else _humanoid(moving, vrm, rate, about)
        if body is not None:
            tracks["body"] = body
        face = face_of(moving, rate, about)
        if face is not None:
            tracks["face"] = face
    except FormatError:
        raise
    except KinesicsError as error:
        raise FormatError(glb.path, "skin or animation", "a finite skeleton in motion", str(error)) from error
    about["animated"] = playing is not None
    if playing is None:
        log.info("%s: no animation: the body rests, for one frame", glb.path)
    return Performance(tracks, {"glb": about} | ({} if vrm is None else {"vrm": vrm.facts()}))


def _humanoid(moving: Moving, vrm: Vrm, rate: Fraction | None, about: dict[str, Any]) -> Motion:
    _settled(moving, [node for name, node in vrm.bones.items() if name != "hips"], about)
    fps, start, count = frame_times(moving.glb, moving.clip, rate, len(JOINTS))
    return motion_of(moving, vrm, fps, start, count)


# -- the body ---------------------------------------------------------------------------------------


def _body(moving: Moving, rate: Fraction | None, about: dict[str, Any]) -> Motion | None:
    joints = _joints(moving, about)
    if not joints:
        log.info("%s: no skin and no moving nodes: no body", moving.glb.path)
        return None
    joints, parents = _rooted(moving, joints, about)
    fps, start, count = frame_times(moving.glb, moving.clip, rate, len(joints))
    still = _settled(moving, joints[1:], about)
    position, _, rest = still.rest()
    offsets = position[joints]
    offsets[1:] -= position[joints][parents[1:]]
    skeleton = Skeleton(
        tuple(moving.nodes.names[j] for j in joints), tuple(parents.tolist()), offsets.astype(np.float32)
    )
    rotations = np.empty((count, len(joints), 4), np.float32)
    root = np.empty((count, 3), np.float32)
    away = np.zeros(len(joints))
    for first in range(0, count, _BLOCK):
        times = times_of(fps, start, first, min(count, first + _BLOCK))
        part = slice(first, first + len(times))
        turns = moving.turns(joints, times)
        world = np.empty((len(times), len(joints), 4))
        for k, j in enumerate(joints):
            world[:, k] = rot.multiply(turns[j], rot.conjugate(rest[j]))
        rotations[part] = rot.normalise(skeleton.local(world))
        root[part] = moving.places(joints[:1], times)[joints[0]][0]
        if first < 8 * _BLOCK:
            away = np.maximum(away, _errors(moving, joints, skeleton, rotations[part], root[part], times))
    displaced = {skeleton.names[k]: round(float(away[k]), 4) for k in np.flatnonzero(away > _STILL)}
    if displaced:
        about["displaced"] = displaced
        log.warning(
            "%s: joints that stretch, scale or are driven from elsewhere keep their length and are up to "
            "%.3g m from where the file has them: %s",
            moving.glb.path,
            away.max(),
            list(displaced)[:8],
        )
    return Motion(skeleton, rotations, root, fps, start)


def _errors(
    moving: Moving,
    joints: list[int],
    skeleton: Skeleton,
    rotations: NDArray[np.float32],
    root: NDArray[np.float32],
    times: Array,
) -> Array:
    """(J,) metres between where some frames' joints come to lie and where the file has them."""
    some = np.unique(np.linspace(0, len(times) - 1, 16).astype(int))
    mine = skeleton.forward(rotations[some].astype(np.float64), root[some])[0]
    places = moving.places(joints, times[some])
    return np.array([np.abs(mine[:, k] - places[j][0]).max() for k, j in enumerate(joints)])


def _joints(moving: Moving, about: dict[str, Any]) -> list[int]:
    """Nodes of the skeleton, parents first: of all skins, and what lies between; one root."""
    glb, nodes = moving.glb, moving.nodes
    wanted: dict[int, None] = {}  # a set that remembers the skin's order
    for i, skin in enumerate(glb.entries("skins")):
        listed = skin.get("joints")
        if not isinstance(listed, list):
            raise glb.wrong(f"skins[{i}]", "no joints")
        for j in listed:
            if isinstance(j, bool) or not isinstance(j, int) or not 0 <= j < len(nodes):
                raise glb.wrong(f"skins[{i}].joints", f"node {j!r:.40}")
            wanted[j] = None
    if not wanted:
        # Bones without a skin: whatever turns or travels, and all below it that shows nothing.
        moved = {n for (n, path) in (moving.clip.curves if moving.clip else {}) if path != "weights"}
        bare = {i for i, node in enumerate(glb.entries("nodes")) if not {"mesh", "camera"} & set(node)}
        wanted = dict.fromkeys(sorted(moved | (bare & nodes.below(moved))))
    if not wanted:
        return []
    if len(wanted) > _MOST_JOINTS:
        raise FormatError(
            glb.path, "skins", f"at most {_MOST_JOINTS} joints, found {len(wanted)}", "export fewer"
        )
    paths = {j: nodes.path(j) for j in wanted}
    by_tree: dict[int, list[int]] = {}
    for j, path in paths.items():
        by_tree.setdefault(path[0], []).append(j)
    tree = max(by_tree.values(), key=len)
    if len(by_tree) > 1:
        left = sorted(nodes.names[j] for js in by_tree.values() if js is not tree for j in js)
        about["left_out"] = left
        log.warning("%s: joints that hang together with no others are left out: %s", glb.path, left[:8])
    common = set(paths[tree[0]])
    for j in tree[1:]:
        common &= set(paths[j])
    top = max(common, key=lambda i: nodes.depth[i])
    chain = [i for j in tree for i in paths[j] if nodes.depth[i] >= nodes.depth[top] and i not in wanted]
    found = list(dict.fromkeys([*chain, *tree]))
    place = {j: k for k, j in enumerate(found)}
    if all(place.get(int(nodes.parents[j]), -1) < place[j] for j in found) and found[0] == top:
        return found  # the file's own order
    return sorted(found, key=lambda i: (int(nodes.depth[i]), place[i]))


def _rooted(moving: Moving, joints: list[int], about: dict[str, Any]) -> tuple[list[int], NDArray[np.intp]]:
    """The joints with the one first that carries the body through space, and each one's parent."""
    nodes = moving.nodes
    root = joints[0]
    sizes = dict.fromkeys(joints, 1)
    for j in joints[:0:-1]:
        sizes[int(nodes.parents[j])] += sizes[j]
    while moving.clip is not None:
        children = [j for j in joints if nodes.parents[j] == root]
        heavy = max(children, key=lambda c: sizes[c], default=None)
        if heavy is None or sizes[heavy] <= len(joints) // 2:
            break
        alone = len(children) == 1
        if _travel(moving, heavy) > (_STILL if alone else _TRAVELS) and (
            alone or _travel(moving, root) <= _STILL
        ):
            log.info("%s: %r carries the body and is the root", moving.glb.path, nodes.names[heavy])
            about.setdefault("above_root", []).append(nodes.names[root])
            joints, root = [j for j in joints if j != root], heavy
        elif alone and _travel(moving, root) <= _STILL and _chain_travels(moving, joints, heavy):
            joints, root = [j for j in joints if j != root], heavy
        else:
            break
    ordered = [root, *(j for j in joints if j != root)]
    place = {j: k for k, j in enumerate(ordered)}
    parents = [-1]
    for j in ordered[1:]:
        up = int(nodes.parents[j])
        # A branch beside the body now hangs on the root; its rotations stay right, its place may not.
        parents.append(place.get(up, 0))
    order = list(range(len(parents)))
    if any(p >= i for i, p in enumerate(parents)):
        order = _parents_first(parents)
    back = {old: new for new, old in enumerate(order)}
    return [ordered[i] for i in order], np.array([-1 if parents[i] < 0 else back[parents[i]] for i in order])


def _chain_travels(moving: Moving, joints: list[int], node: int) -> bool:
    """Whether below a lone, resting joint there is one that carries the body."""
    for _ in range(len(joints)):
        if _travel(moving, node) > _TRAVELS:
            return True
        below = [j for j in joints if moving.nodes.parents[j] == node]
        if len(below) != 1:
            return False
        node = below[0]
    return False


def _parents_first(parents: list[int]) -> list[int]:
    depth = [0] * len(parents)
    for i, p in enumerate(parents):
        depth[i] = 0 if p < 0 else depth[p] + 1
    return sorted(range(len(parents)), key=lambda i: (depth[i], i))


def _travel(moving: Moving, node: int) -> float:
    """Metres between the farthest places of a node below its parent."""
    curve = moving.curve(node, "translation")
    return 0.0 if curve is None else curve.reach * _size_above(moving.nodes, node)


def _size_above(nodes: Nodes, node: int) -> float:
    scales = [np.abs(nodes.scale[i]).max() for i in nodes.path(node)[:-1]]
    return float(np.prod(scales)) if scales else 1.0


def _settled(moving: Moving, joints: list[int], about: dict[str, Any]) -> Nodes:
    """The nodes at rest, but with joints that stretch or scale at their median."""
    nodes = moving.nodes
    shift, scale = nodes.translation.copy(), nodes.scale.copy()
    lost: dict[str, float] = {}
    scaled: dict[str, float] = {}
    for j in joints:
        curve = moving.curve(j, "translation")
        if curve is not None:
            shift[j] = curve.median
            away = curve.away * _size_above(nodes, j)
            if away > _STILL:
                lost[nodes.names[j]] = round(away, 4)
    for (node, path), curve in (moving.clip.curves if moving.clip else {}).items():
        if path == "scale":
            scale[node] = curve.median
            if curve.away > _STILL:
                scaled[nodes.names[node]] = round(curve.away, 4)
    for what, found in (("lost_translation", lost), ("lost_scale", scaled)):
        if found:
            about[what] = found
            log.warning("%s: joints keep their median place and size (%s): %s", moving.glb.path, what, found)
    return Nodes(nodes.names, nodes.parents, nodes.depth, shift, nodes.rotation, scale)
