"""VRM, 0.x and 1.0: the avatars of virtual YouTubers, games and social worlds, as files.

A VRM is a GLB with an extension that says which nodes are the humanoid's bones, what its expressions move,
how it looks, and what its author allows. Carries ``body``, ``face``, ``speech``, tiers and ``plan``, the last
three as in GLB under ``extras.kinesics``.

Reading: what an animation in the file does to the humanoid's bones comes on the 55 canonical joints, with the
model's proportions; without an animation the body rests, for one frame. Bones that a model lacks
lie on their parents and do not turn; they are listed. Morph weights become ``face`` as in GLB. ``meta["vrm"]`` holds
``version``, ``title``, ``author``, ``licence`` (the file's own keys), ``bones``, ``missing_bones``,
``expressions`` (with ``isBinary`` and what they override) and ``lookAt``. Heed the licence: many models may be shown by
their author alone.

Writing with ``avatar="someone.vrm"`` (also into a ``.glb``) puts the performance on the model's own nodes:

- Each bone gets the performance's world rotation, in its node's own frame: rigs of VRM 1.0 may have turned
  nodes. Where a model lacks a bone, what stands below takes its world rotation. 0.x models face the other
  way (-Z) and are animated so.
- The hips' way is scaled by the hips' height.
- The face takes the finest way the model offers: morphs with ARKit's names (also ``MouthSmile_L`` and the like), else
  custom expressions so named, else presets: the mixture of aa, ih, ou, ee, oh, happy, angry, sad, relaxed and
  surprised that is nearest to the coefficients, and the blinks. It is baked into morph weights, as glTF
  cannot animate expressions; ``isBinary`` and overrides are heeded, material and texture binds left out.
- Gaze turns the eye bones through the model's range maps, or moves its look expressions.
- Springs (hair, cloth) and constraints are left to whoever plays the file.

Body and gaze come back from such a file as the model can show them; the coefficients come back as they
were, as they go along beside the baked weights.

Writing with one of our own people makes a VRM 1.0: 55 bones, the 18 presets mixed from ARKit morphs, all 52
ARKit coefficients as custom expressions, gaze by eye bones, the terms of CC0. Mouth and eyelid coefficients
block the presets of mouth and blinks, so that programs that send both do not open the mouth twice. The animation
is glTF's own: VRM players ignore it, and take a ``.vrma`` instead.

Source: https://github.com/vrm-c/vrm-specification.
"""

from __future__ import annotations

from pathlib import Path

from kinesics.errors import FormatError
from kinesics.formats._format import Format
from kinesics.formats._gltf import Appender, Glb, read_glb
from kinesics.formats._gltf_write import write_performance
from kinesics.formats._vrm import vrm_of
from kinesics.formats._vrm_make import make_vrm
from kinesics.formats.glb import performance_of
from kinesics.performance import Performance


def read(path: str | Path, *, clip: str | int | None = None, fps: float | None = None) -> Performance:
    """Read a VRM as a person at rest, or in the motion that the file holds.

    Parameters
    ----------
    path
        The file.
    clip
        Name or number of an animation; the first by default.
    fps
        Rate at which to sample it; by default its own, or 30.

    Raises
    ------
    FormatError
        If the file is damaged or no VRM.
    DataError
        If it has no such clip.
    """
    path = Path(path)
    glb = read_glb(path)
    vrm = vrm_of(glb)
    if vrm is None:
        raise FormatError(path, "extensions", "VRMC_vrm or VRM", "it is no VRM; name it .glb to read it")
    found = performance_of(glb, clip=clip, fps=fps)
    return Performance(found.tracks, {**found.meta, "vrm": vrm.facts()})


def write(
    performance: Performance, path: str | Path, *, avatar: str | Path | None = None, audio: str = "auto"
) -> None:
    """Write a VRM with the performance as its animation.

    Parameters
    ----------
    performance
        ``body``, ``face``, ``speech``, tiers and ``plan``: whatever of these there is.
    path
        The file.
    avatar
        A person's name, which makes a VRM 1.0 of that person, or anyone's ``.vrm``, which stays what it
        is; by default ``meta["avatar"]``, else ``"maya"``.
    audio
        ``"auto"``, ``"wav"``, ``"flac"``, ``"ogg"`` or ``"none"``.

    Raises
    ------
    DataError
        If there is no such avatar, or the body cannot be put on the canonical joints.
    """

    def finish(out: Appender, base: Glb) -> None:
        if vrm_of(base) is None:
            make_vrm(out, base)

    write_performance(performance, Path(path), avatar=avatar, audio=audio, finish=finish)


FORMAT = Format("VRM", (".vrm",), ("body", "face", "speech", "tiers", "plan"), read, write)
