"""NumPy archives from strangers: what is read is what numpy reads; bombs and lies are refused before they unpack."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import FormatError
from kinesics.formats import _npz


def member(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    text = header.encode() + b"\n"
    return (
        b"\x93NUMPY"
        + bytes(version)
        + struct.pack("<H" if version[0] == 1 else "<I", len(text))
        + text
        + data
    )


def archive(path, members: dict[str, bytes], compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def everything(path) -> dict[str, np.ndarray]:
    with _npz.opened(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_as_numpy_reads_it(tmp_path, savez):
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.standard_normal((3, 4)), "f": np.asfortranarray(rng.standard_normal((2, 5, 3))), "0": np.array(3),
        "u": np.array(["né", "x"]), "s": np.array([b"ab"]), "b": np.array([True, False]), "e": np.zeros((0, 3)),
        "be": np.arange(4, dtype=">i2"), "h": np.float16([1, 2]), "../../up": np.ones(2),
    }  # fmt: skip
    savez(tmp_path / "x.npz", **arrays)
    found = everything(tmp_path / "x.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert _npz.names_of(tmp_path / "x.npz") == set(arrays)


def test_what_is_written_numpy_reads_and_bytes_repeat(tmp_path):
    arrays = {"x": np.arange(6.0).reshape(2, 3), "name": np.array("neutral")}
    for name in ("1.npz", "2.npz"):
        with (tmp_path / name).open("wb") as file:
            _npz.write_npz(file, arrays)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    with np.load(tmp_path / "1.npz") as back:
        np.testing.assert_array_equal(back["x"], arrays["x"])
        assert str(back["name"]) == "neutral"


def test_objects_are_left_alone(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones(2), o=np.array([{}], dtype=object))
    with _npz.opened(tmp_path / "x.npz") as arrays:
        assert (list(arrays), arrays.refused) == (["a"], ["o"])


SMALL = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (member(SMALL.replace("(2,)", "(3,)"), b"\0" * 8), "12 bytes for the shape"),
        (member(SMALL.replace("(2,)", "(1,)"), b"\0" * 8), "4 bytes for the shape"),
        (member(SMALL.replace("(2,)", "(10000000000, 1000000)"), b"\0" * 8), "shape of an array"),
        (member(SMALL.replace("(2,)", "(0, 100000000000000)")), "shape of an array"),
        (member(SMALL.replace("(2,)", "(-1, -2)"), b"\0" * 8), "shape of an array"),
        (member(SMALL.replace("(2,)", "(True, 2)"), b"\0" * 8), "shape of an array"),
        (member(SMALL.replace("(2,)", "(" + "1," * 40 + ")"), b"\0" * 4), "shape of an array"),
        (member(SMALL.replace("'<f4'", "[('a', '<f4')]"), b"\0" * 8), "numbers or text"),
        (member(SMALL.replace("'<f4'", "'<M8[s]'"), b"\0" * 16), "numbers or text"),
        (member(SMALL.replace("'<f4'", "'boom'"), b"\0" * 8), "array of version"),
        (member("__import__('os').system('true')", b"\0" * 8), "array of version"),
        (member("(" * 5000, b"\0" * 8), "array of version"),
        (member(SMALL + " " * 20_000, b"\0" * 8), "array of version"),
        (member(SMALL, b"\0" * 8, (3, 0)), "array of version"),
        (b"\x93NUMPY\x01\x00\xff\xff{}", "array of version"),
        (b"\x93NUM", "array of version"),
        (b"", "array of version"),
    ],
)
def test_headers_that_lie(tmp_path, data, says):
    path = archive(tmp_path / "x.npz", {"a.npy": data})
    with pytest.raises(FormatError, match=rf"x\.npz: .*{says}"):
        everything(path)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path):
    path = archive(tmp_path / "x.npz", {"a.npy": bytes(200_000_000)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 300_000
    tracemalloc.start()
    with pytest.raises(FormatError, match="bytes unpacked"):
        everything(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_directory_that_lies_about_sizes(tmp_path):
    path = archive(tmp_path / "x.npz", {"a.npy": member(SMALL, b"\0" * 8)})
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02")
    for size in (0, 7, 2**31, 2**32 - 2):
        path.write_bytes(raw[: at + 24] + struct.pack("<I", size) + raw[at + 28 :])
        with pytest.raises(FormatError):
            everything(path)
        path.write_bytes(raw[: at + 20] + struct.pack("<I", size) + raw[at + 24 :])
        with suppress(FormatError):
            np.testing.assert_array_equal(everything(path)["a"], [0, 0])


def test_repeated_and_encrypted_members(tmp_path):
    archive(tmp_path / "x.npz", {"a.npy": member(SMALL, b"\0" * 8), "b.npy": member(SMALL, b"\0" * 8)})
    raw = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(raw.replace(b"b.npy", b"a.npy"))
    with pytest.raises(FormatError, match="repeat"):
        everything(tmp_path / "x.npz")
    path = archive(tmp_path / "y.npz", {"a.npy": member(SMALL, b"\0" * 8)})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(FormatError, match="unpacks"):
        everything(path)


@given(st.data())
def test_damage_is_a_format_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.npz"
    raw = bytearray(_raw())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    with suppress(FormatError):
        everything(path)
    _npz.names_of(path)


def _raw() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(10.0), b=np.array("x"))
    return stream.getvalue()


def test_noise(tmp_path):
    for noise in (b"", b"PK\x05\x06", b"PK\x05\x06" + b"\0" * 18, b"\0" * 1000, b"PK\x03\x04" * 1000):
        (tmp_path / "x.npz").write_bytes(noise)
        with suppress(FormatError):
            assert everything(tmp_path / "x.npz") == {}
        assert _npz.names_of(tmp_path / "x.npz") == frozenset()
