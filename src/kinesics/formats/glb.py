"""glTF 2.0, GLB and .gltf: an avatar with the performance as its animation, sound and tiers inside.

Carries ``body``, ``face``, ``speech``, all tiers, ``plan`` and facts; signals, points and music are left out
(``.kin`` keeps them). Any glTF viewer plays body and face; sound and tiers are under the top-level
``extras.kinesics``, which other programs ignore:

    {"version": 1, "generator", "synthetic": true, "seed", "duration",
     "audio": {"bufferView", "mimeType", "silence"}, "body": {"fps", "start"}, "face": {"fps", "start"},
     "tiers": [{"name", "intervals": [[start, end, label, value, confidence], …]}, …], "plan", "meta"}

How it is stored, and to what precision:

- Joint rotations as normalised 16-bit quaternions, x y z w: within 0.005°. A joint that never moves has one
  key, one that stays in the T-pose none. Hips in metres, float32.
- All 52 ARKit coefficients as normalised 16-bit weights, within 0.00001, in the order of the mesh's
  ``extras.targetNames``; float32 when a value lies outside 0 to 1.
- eyeLook* follows from the eye joints (``kinesics.bodies.export``) and is read back as zero, as
  gaze belongs to the joints. The avatars' jaws open by the morph ``jawOpen``, so the jaw bone rests.
- Sound as 16-bit WAV, or OGG Vorbis where WAV would take more than 8 MB (``audio=`` chooses).
- The body is put on the avatar's own skeleton; the hips' way is scaled by the hips' height.
- A VRM of anyone can be the avatar: see VRM.
- glTF has no time before 0: what lies there is cut.
- ``.gltf`` is the same as JSON, with the data in base64.

Reading files of other programs, ``.glb`` and ``.gltf`` (data within, or in files of the same folder; nothing else is opened):

- The skeleton is the joints of all skins with what lies between them, in metres, as the nodes rest:
  rotations and scales of ancestors are in it. Joints get names of their own where the file repeats one. Without a
  skin, the nodes that move and what hangs on them. A VRM comes on the canonical joints instead.
- ``clip=`` takes an animation by name or number, by default the first; ``meta["glb"]["clips"]`` lists them.
  Keys (LINEAR, STEP, CUBICSPLINE, sparse, integers) are sampled at ``fps=``, by default at the clip's own rate where
  all its keys lie on one, else at 30. The tracks begin with the first key.
- A joint that travels below a lone or resting parent carries the body and becomes the root
  (``above_root``). Other joints that travel or scale keep their median place and size
  (``lost_translation``, ``lost_scale``, in metres and factors); joints that come to lie elsewhere than in the file, such as feet
  on a rig of their own, are told in ``displaced``, in metres.
- Morph weights become ``face``: basis ``"arkit"`` where the names are ARKit's in any common spelling
  (``EyeBlink_L``; ``renamed``), else ``"gltf"``. Meshes that agree share a column, others get ``node.name``.
- Without an animation the body rests for one frame, and ``meta["glb"]["animated"]`` is false.
- Draco only packs meshes and does not matter; meshopt-compressed files are refused by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import EYE_LOOK
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import FormatError, KinesicsError
from kinesics.formats._encode import (
    decode_plan,
    decode_tier,
    items,
    mapping,
    number,
    rate_from_text,
    text,
)
from kinesics.formats._format import Format
from kinesics.formats._gltf import Glb, read_gltf
from kinesics.formats._gltf_clip import MOST_SAMPLES, Clip
from kinesics.formats._gltf_nodes import nodes_of
from kinesics.formats._gltf_read import read_foreign
from kinesics.formats._gltf_scene import Moving
from kinesics.formats._gltf_write import VERSION, joints_of, morphing, write_performance
from kinesics.formats._vrm import vrm_of
from kinesics.formats._vrm_pose import motion_of
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Face, Motion, Performance
from kinesics.performance.performance import Track


def write(
    performance: Performance, path: str | Path, *, avatar: str | Path | None = None, audio: str = "auto"
) -> None:
    """Write the avatar and its animation; a path that ends in ``.gltf`` gets JSON with the data in base64.

    Parameters
    ----------
    performance
        ``body`` on the 55 canonical joints, ``face`` in the ARKit basis, ``speech``, tiers and ``plan``:
        whatever of these there is.
    path
        The file.
    avatar
        A person's name, or a GLB whose nodes bear the canonical names and whose mesh lists
        its ``targetNames``, or anyone's VRM; by default ``meta["avatar"]``, else ``"maya"``.
    audio
        ``"auto"``, ``"wav"``, ``"flac"``, ``"ogg"`` or ``"none"``.

    Raises
    ------
    DataError
        If the body has other joints, there is no such avatar, or the file would exceed 4 GiB.
    """
    write_performance(performance, Path(path), avatar=avatar, audio=audio)


def read(path: str | Path, *, clip: str | int | None = None, fps: float | None = None) -> Performance:
    """Read a glTF file: one that Kinesics wrote exactly, any other as its skeleton's motion and its morphs.

    Parameters
    ----------
    path
        A ``.glb`` or ``.gltf``.
    clip
        Name or number of the animation to take from another program's file; the first by default.
    fps
        Rate at which to sample it; by default the clip's own, or 30 where its keys lie on no common rate.

    Raises
    ------
    FormatError
        If the file is damaged.
    DataError
        If it has no such clip.
    """
    return performance_of(read_gltf(Path(path)), clip=clip, fps=fps)


def performance_of(glb: Glb, *, clip: str | int | None = None, fps: float | None = None) -> Performance:
    """What a glTF file holds, ours or another program's; see :func:`read`."""
    path = glb.path
    extras = glb.json.get("extras")
    about = extras.get("kinesics") if isinstance(extras, dict) else None
    if not isinstance(about, dict):
        vrm = vrm_of(glb)
        return read_foreign(glb, clip=clip, fps=fps, vrm=vrm)
    if about.get("version") != VERSION:
        raise FormatError(
            path,
            "extras.kinesics.version",
            f"{VERSION}, found {about.get('version')!r:.20}",
            "update kinesics to read this file",
        )
    where = "extras.kinesics"
    try:
        tracks: dict[str, Track] = {}
        if "audio" in about:
            where = "extras.kinesics.audio"
            tracks["speech"] = _sound(glb, mapping(about, "audio"))
        if "body" in about:
            where = "the body's animation"
            tracks["body"] = _body(glb, mapping(about, "body"))
        if "face" in about:
            where = "the face's animation"
            tracks["face"] = _face(glb, mapping(about, "face"), "body" in tracks)
        for i, entry in enumerate(items(about, "tiers")):
            where = f"extras.kinesics.tiers[{i}]"
            tier = decode_tier(entry)
            tracks[str(entry.get("track", tier.name))] = tier
        if "plan" in about:
            where = "extras.kinesics.plan"
            tracks["plan"] = decode_plan(mapping(about, "plan"))
        where = "extras.kinesics"
        return Performance(tracks, mapping(about, "meta"))
    except FormatError:
        raise
    except (KinesicsError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormatError(
            path, where, "what Kinesics writes there", f"the file is damaged ({error})"
        ) from error


def _clock(about: dict[str, Any]) -> dict[str, Any]:
    return {"fps": rate_from_text(text(about, "fps")), "start": number(about.get("start"))}


def _channel(glb: Glb, node: int, what: str) -> NDArray[np.float32] | None:
    animations = glb.entries("animations")
    if not animations:
        return None
    for channel in items(animations[0], "channels"):
        target = mapping(channel, "target")
        if target.get("node") == node and target.get("path") == what:
            samplers = items(animations[0], "samplers")
            index = channel.get("sampler")
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(samplers):
                raise ValueError(f"sampler {index!r:.40}")
            if not isinstance(samplers[index], dict):
                raise ValueError(f"sampler {index} is no object")
            return glb.array(samplers[index].get("output")).astype(np.float32, copy=False)
    return None


def _body(glb: Glb, about: dict[str, Any]) -> Motion:
    if about.get("rig") == "vrm":
        return _vrm_body(glb, about)
    nodes, skeleton = joints_of(glb)
    root = _channel(glb, nodes[0], "translation")
    if root is None or root.shape[1] != 3:
        raise ValueError("the hips have no translation")
    rotations = np.empty((len(root), len(nodes), 4), dtype=np.float32)
    for j, node in enumerate(nodes):
        turns = _channel(glb, node, "rotation")
        if turns is None:
            rotations[:, j] = rot.IDENTITY
        elif turns.shape in ((len(root), 4), (1, 4)):
            rotations[:, j] = rot.normalise(turns[:, [3, 0, 1, 2]])
        else:
            raise ValueError(f"joint {JOINTS[j]!r} has {turns.shape[0]} keys and the hips {len(root)}")
    return Motion(skeleton, rotations, root, **_clock(about))


def _vrm_body(glb: Glb, about: dict[str, Any]) -> Motion:
    vrm = vrm_of(glb)
    if vrm is None:
        raise ValueError("the VRM part is gone")
    nodes = nodes_of(glb)
    moving = Moving(glb, nodes, Clip(glb, 0, nodes))
    hips = moving.curve(vrm.bones["hips"], "translation")
    if hips is None or len(hips.times) * len(JOINTS) > MOST_SAMPLES:
        raise ValueError("the hips have no translation, or too many keys")
    clock = _clock(about)
    return motion_of(moving, vrm, clock["fps"], clock["start"], len(hips.times))


def _face(glb: Glb, about: dict[str, Any], gaze_in_body: bool) -> Face:
    if "accessor" in about:
        names = tuple(str(n) for n in items(about, "names"))
        values = glb.array(about["accessor"]).astype(np.float32, copy=False)
        return Face(values.reshape(-1, max(len(names), 1)), names, **_clock(about))
    for node, targets in morphing(glb):
        weights = _channel(glb, node, "weights")
        if weights is not None:
            values = weights.reshape(-1, len(targets))
            face = Face(values, tuple(targets), **_clock(about)).select(ARKIT)
            if not gaze_in_body:
                return face
            kept = face.values * np.array([n not in EYE_LOOK for n in ARKIT], dtype=np.float32)
            return Face(kept, ARKIT, **_clock(about))
    raise ValueError("no mesh has animated weights")


def _sound(glb: Glb, about: dict[str, Any]) -> Audio:
    silence = about.get("silence", 0)
    whole = Audio.decode(bytes(glb.view(about.get("bufferView"))), glb.path)
    if isinstance(silence, bool) or not isinstance(silence, int) or not 0 <= silence <= len(whole):
        raise ValueError(f"silence {silence!r:.40}")
    return whole.slice(silence / whole.rate, np.inf) if silence else whole


FORMAT = Format("glTF", (".glb", ".gltf"), ("body", "face", "speech", "tiers", "plan"), read, write)
