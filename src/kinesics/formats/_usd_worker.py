"""The child process that opens a USD file: a path on the command line, arrays in a NumPy archive on the way back.

It is started as a script, never imported: USD is a large C++ library, and a damaged file that crashes it, hangs it or
makes it take all memory cannot take the user's Python with it. Only numpy and pxr are used.

Usage: ``python _usd_worker.py FILE OUT.npz ANIMATION MEMORY``. Nothing outside the file is opened: layers, references,
payloads and clips in other files are refused before the stage is composed. What is wrong goes into the archive as
``error`` and ``fix``.
"""

import contextlib
import sys

import numpy as np

MOST_FRAMES = 2_000_000
MOST_VALUES = 200_000_000


class Refused(Exception):
    """What is wrong with a file, and what to do."""


def layer_of(path):
    """The file's own layer, once it is sure that it needs no other."""
    from pxr import Sdf

    layer = Sdf.Layer.FindOrOpen(path)
    if layer is None:
        raise Refused("a USD file", "check the file")
    outside = [a for a in layer.GetCompositionAssetDependencies() if a]
    clips = []

    def look(place):
        if place.IsPrimPath() or place.IsPrimVariantSelectionPath():
            prim = layer.GetPrimAtPath(place)
            if prim is not None and (prim.HasInfo("clips") or prim.HasInfo("clipSets")):
                clips.append(str(place))

    layer.Traverse(Sdf.Path.absoluteRootPath, look)
    if outside or clips:
        what = (outside or clips)[0][:80]
        raise Refused(
            f"everything in one file, found a reference to {what!r}", "flatten it: usdcat --flatten"
        )
    return layer


def chosen(stage, wanted):
    """The skeleton to read and the animation bound to it."""
    from pxr import UsdSkel

    skeletons = [UsdSkel.Skeleton(p) for p in stage.Traverse() if p.IsA(UsdSkel.Skeleton)]
    animations = [UsdSkel.Animation(p) for p in stage.Traverse() if p.IsA(UsdSkel.Animation)]
    if not animations:
        raise Refused("a SkelAnimation, found none", "export the skeleton's animation")
    if wanted:
        named = [a for a in animations if wanted in (a.GetPrim().GetName(), str(a.GetPath()))]
        if not named:
            some = ", ".join(str(a.GetPath()) for a in animations[:8])[:200]
            raise Refused(f"the animation {wanted[:60]!r}, found {some}", "name one of these")
        animations = named
    for skeleton in skeletons:
        source = UsdSkel.BindingAPI(skeleton.GetPrim()).GetInheritedAnimationSource()
        for animation in animations:
            if source and source.GetPath() == animation.GetPath():
                return skeleton, animation
    return (skeletons[0] if skeletons else None), animations[0]


def samples(attributes):
    """Time codes at which any of these attributes has a sample."""
    times = sorted({t for a in attributes if a for t in a.GetTimeSamples()})
    if len(times) > MOST_FRAMES:
        raise Refused(f"at most {MOST_FRAMES} frames, found {len(times)}", "cut the clip")
    return np.array(times, float)


def values_at(attribute, times, shape, budget):
    """(T, ...) values of an array attribute at time codes, the default where it has no samples."""
    from pxr import Usd

    moments = times if len(times) else [Usd.TimeCode.Default().GetValue()]
    budget[0] -= len(moments) * int(np.prod(shape))
    if budget[0] < 0:
        raise Refused(f"at most {MOST_VALUES} values", "cut the clip")
    out = np.empty((len(moments), *shape), np.float32)
    for i, moment in enumerate(moments):
        value = attribute.Get(Usd.TimeCode(moment) if len(times) else Usd.TimeCode.Default())
        array = None if value is None else np.asarray(value)
        if array is None or array.shape != tuple(shape):
            found = "none" if array is None else array.shape
            raise Refused(
                f"{tuple(shape)} values of {attribute.GetName()} at {moment:g}, found {found}",
                "mend the animation",
            )
        out[i] = array
    return out


def matrices(value):
    return np.zeros((0, 4, 4)) if value is None else np.asarray(value, float).reshape(-1, 4, 4)


def extract(path, wanted):
    """All that is needed of a file, as arrays."""
    from pxr import Gf, Usd, UsdGeom

    stage = Usd.Stage.Open(layer_of(path), Usd.Stage.LoadNone)
    skeleton, animation = chosen(stage, wanted)
    joints = list(animation.GetJointsAttr().Get() or [])
    budget = [MOST_VALUES]
    out = {
        "up": np.array(str(UsdGeom.GetStageUpAxis(stage))),
        "unit": np.array(float(UsdGeom.GetStageMetersPerUnit(stage))),
        "rate": np.array(float(stage.GetTimeCodesPerSecond())),
        "animation": np.array(str(animation.GetPath())),
        "joints": np.array(joints or [""]),
        "world": np.eye(4),
    }
    if joints:
        tracks = [animation.GetRotationsAttr(), animation.GetTranslationsAttr(), animation.GetScalesAttr()]
        times = out["times"] = samples(tracks)
        count = len(joints)
        out["rotations"] = values_at(tracks[0], times, (count, 4), budget)
        out["translations"] = values_at(tracks[1], times, (count, 3), budget)
        if tracks[2].HasAuthoredValue():
            out["scales"] = values_at(tracks[2], times, (count, 3), budget)
    shapes = list(animation.GetBlendShapesAttr().Get() or [])
    if shapes:
        attribute = animation.GetBlendShapeWeightsAttr()
        out["shapes"] = np.array(shapes)
        out["shape_times"] = samples([attribute])
        out["weights"] = values_at(attribute, out["shape_times"], (len(shapes),), budget)
    if skeleton is not None:
        out["skeleton"] = np.array(list(skeleton.GetJointsAttr().Get() or []) or [""])
        out["bind"] = matrices(skeleton.GetBindTransformsAttr().Get())
        out["rest"] = matrices(skeleton.GetRestTransformsAttr().Get())
        place = UsdGeom.Xformable(skeleton.GetPrim()).ComputeLocalToWorldTransform(Usd.TimeCode.Default())
        out["world"] = np.asarray(Gf.Matrix4d(place), float)
    note = stage.GetRootLayer().customLayerData.get("kinesics")
    if isinstance(note, str):
        out["note"] = np.array(note[:1_000_000])
    return out


def main():
    path, target, wanted, memory = sys.argv[1:5]
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        out = extract(path, wanted)
    except Refused as error:
        out = {"error": np.array(error.args[0]), "fix": np.array(error.args[1])}
    except Exception as error:
        # pxr raises Tf.ErrorException, boost's own types and plain RuntimeErrors.
        text = " ".join(str(error).split())[-200:]
        out = {"error": np.array(f"a USD file ({text})"), "fix": np.array("check the file")}
    np.savez(target, **out)


if __name__ == "__main__":
    main()
