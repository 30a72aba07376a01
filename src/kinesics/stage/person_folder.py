"""The folder of one person that AD-NeRF, SyncTalk and TalkingGaussian train on, without any tracker.

Written are, at 25 pictures per second: ``ori_imgs/<i>.jpg`` with ``<i>.lms`` (68 × 2 pixels), ``parsing/<i>.png`` (RGB: 0,0,255
face, 0,0,0 hair, 100,100,100 inner mouth, 0,255,0 neck, 255,0,0 torso and hands, white background),
``gt_imgs/<i>.jpg`` (head and background), ``torso_imgs/<i>.png`` (RGBA), ``teeth_mask/<i>.npy``, ``bc.jpg``, ``aud.wav``
(16 kHz, 640 samples a picture), ``bs.npy`` (T, 52; ARKit, alphabetical with tongueOut last) and
``transforms_train.json``, ``transforms_val.json`` with ``focal_len``, ``cx``, ``cy`` and for each picture the camera as the head
sees it (4 × 4, camera to world, looking along −Z; metres about the head joint). The last eleventh is for
validation. Not written are the film itself, ``track_params.pt`` (a pickle) and the features of other
people's recognisers (``aud_ds.npy`` …).
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.files import replacing
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Performance
from kinesics.stage._paint import encode
from kinesics.stage.pixels import GROUPS, Set, Studio, render_clip
from kinesics.stage.speakers import Speaker

FPS = 25
SOUND = 16_000
COLOURS: dict[str, tuple[int, int, int]] = {
    "background": (255, 255, 255), "face": (0, 0, 255), "eyes": (0, 0, 255), "hair": (0, 0, 0),
    "mouth": (100, 100, 100), "teeth": (100, 100, 100), "neck": (0, 255, 0), "torso": (255, 0, 0),
    "hands": (255, 0, 0), "legs": (255, 0, 0),
}  # fmt: skip
_PLAIN = Set((0.42, 0.62, 0.66), (0.42, 0.45, 0.50), "plain", 0.0, 0)


def write_person(
    speaker: Speaker, performances: Sequence[Performance], folder: str | Path, *, size: int = 256
) -> Path:
    """Write the folder; one that is complete is kept, one that is not is written anew.

    Parameters
    ----------
    speaker
        Who.
    performances
        Their takes, which follow one another.
    folder
        Where.
    size
        Pixels of each side.

    Returns
    -------
    Path
        The folder.
    """
    root = Path(folder)
    done = root / "transforms_val.json"  # written last
    if done.exists():
        return root
    person = speaker.identity
    camera = Studio(person, _PLAIN, view="bust", size=size).camera
    palette = np.array([COLOURS[g] for g in GROUPS], np.uint8)
    empty = Studio(person, _PLAIN, view=camera).shoot(_REST, [0.0, 0.0, 500.0], None).rgb
    _put(root / "bc.jpg", encode(empty / 255, quality=2))
    matrices, faces, sounds = [], [], []
    for show in performances:
        count = 0
        for shot in render_clip(show, person, view=camera, fps=FPS, stage=_PLAIN, flow=False):
            name = str(len(matrices))
            labels = palette[shot.mask]
            torso = np.isin(shot.mask, [GROUPS.index(g) for g in ("neck", "torso", "hands", "legs")])
            _put(root / "ori_imgs" / f"{name}.jpg", encode(shot.rgb / 255, quality=2))
            lines = "".join(f"{x:.4f} {y:.4f}\n" for x, y in shot.landmarks)
            _put(root / "ori_imgs" / f"{name}.lms", lines.encode())
            _put(root / "parsing" / f"{name}.png", _png(labels))
            head = np.where(torso[..., None], empty, shot.rgb)
            _put(root / "gt_imgs" / f"{name}.jpg", encode(head / 255, quality=2))
            alpha = 255 * torso[..., None].astype(np.uint8)
            _put(root / "torso_imgs" / f"{name}.png", encode(np.concatenate([shot.rgb, alpha], axis=2) / 255))
            _put(root / "teeth_mask" / f"{name}.npy", _npy(shot.mask == GROUPS.index("teeth")))
            matrices.append(_seen_by_head(show, person, camera, shot.time))
            faces.append(shot.face[[person.morph_names.index(n) for n in ARKIT]])
            count += 1
        sound = show.speech.mono().resample(SOUND).samples[: count * SOUND // FPS]
        sounds.append(np.pad(sound, (0, count * SOUND // FPS - len(sound))))
    _put(root / "aud.wav", Audio(np.concatenate(sounds), SOUND).wav())  # type: ignore[arg-type]
    _put(root / "bs.npy", _npy(np.array(faces, np.float32)))
    split = len(matrices) - max(1, len(matrices) // 11)
    for name, part in (("train", range(split)), ("val", range(split, len(matrices)))):
        about = {
            "focal_len": camera.focal, "cx": camera.width / 2, "cy": camera.height / 2,
            "frames": [{"img_id": i, "aud_id": i, "transform_matrix": matrices[i]} for i in part],
        }  # fmt: skip
        _put(root / f"transforms_{name}.json", json.dumps(about).encode())
    return root


_REST = np.tile(np.array([1, 0, 0, 0], np.float32), (len(INDEX), 1))


def _seen_by_head(show, person, camera, time: float) -> list[list[float]]:
    """Camera to world, where the world is the head."""
    moved = retarget(show.body).on(person.skeleton).at([time])
    places, turns = person.skeleton.forward(moved.rotations[0], moved.root[0])
    back = rot.conjugate(turns[INDEX["head"]])
    out = np.eye(4)
    out[:3, :3] = rot.to_matrix(back) @ camera.axes.T
    out[:3, 3] = rot.rotate(back, camera.position - places[INDEX["head"]])
    return np.round(out, 7).tolist()


def _png(labels: NDArray[np.uint8]) -> bytes:
    opaque = np.full((*labels.shape[:2], 1), 255, np.uint8)
    return encode(np.concatenate([labels, opaque], axis=2) / 255)


def _npy(array: NDArray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _put(path: Path, data: bytes) -> None:
    """One of many small files; that all are there is told by the last one, which is written with care."""
    if path.name.startswith("transforms_"):
        with replacing(path) as file:
            file.write(data)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
