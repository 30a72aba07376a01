"""Import files that Kinesics wrote into Blender and compare its bones with ours.

    pip install bpy kinesics        # in an environment of its own: bpy is Blender as a module, about 350 MB
    python scripts/check_blender.py talk.glb talk.bvh

Prints for each file the armature's bones, the frames, the rate, the shape keys, and the greatest distance between a
bone's head in Blender's world, brought to Y up, and the joint as Kinesics reads the same file.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

from kinesics import formats

MOMENTS = 10


def imported(path: Path) -> bpy.types.Object:
    """Read a file into an empty scene and give its armature."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rate = Fraction(formats.load(path).body.fps).limit_denominator(1001)
    scene = bpy.context.scene
    # Before the import: times in seconds become frames of the scene's rate.
    scene.render.fps, scene.render.fps_base = int(np.ceil(float(rate))), 1.0
    if rate.denominator != 1:
        scene.render.fps_base = scene.render.fps / float(rate)
    if path.suffix.lower() == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, frame_start=0, update_scene_fps=False)
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    return next(o for o in bpy.data.objects if o.type == "ARMATURE")


def check(path: Path) -> None:
    """Print what Blender makes of one file."""
    body = formats.load(path).body
    armature = imported(path)
    scene = bpy.context.scene
    action = armature.animation_data.action if armature.animation_data else None
    keys = sorted(
        {k.name for m in bpy.data.meshes if m.shape_keys for k in m.shape_keys.key_blocks} - {"Basis"}
    )
    ours = body.positions()
    # Blender's BVH importer puts the first frame on 1 (there is no time in the file), that of glTF keeps seconds.
    begins = action.frame_range[0] if path.suffix.lower() == ".bvh" else body.start * float(body.fps)
    worst, where = 0.0, ""
    for frame in np.linspace(0, len(body) - 1, MOMENTS).round().astype(int):
        moment = begins + frame
        scene.frame_set(int(moment), subframe=float(moment - int(moment)))
        bpy.context.view_layer.update()
        for bone in armature.pose.bones:
            if bone.name not in body.skeleton.names:
                continue
            x, y, z = armature.matrix_world @ bone.head
            mine = ours[frame, body.skeleton.index(bone.name)]
            away = float(np.linalg.norm(np.array([x, z, -y]) - mine))
            if away > worst:
                worst, where = away, f"{bone.name}, frame {frame}"
    span = action.frame_range if action else (0, 0)
    print(
        f"{path.name}: {len(armature.data.bones)} bones, frames {span[0]:g} to {span[1]:g} of {len(body)}, "
        f"{scene.render.fps / scene.render.fps_base:g} per second, {len(keys)} shape keys; "
        f"farthest bone {1000 * worst:.4f} mm ({where})"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        check(Path(name))
