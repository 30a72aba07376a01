"""The package's own file: lossless, mapped, and believing nothing."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.performance import Audio, Interval, Performance, Signal, Tier


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of a few hundred bytes with every kind of header entry."""
    path = tmp_path_factory.mktemp("kin") / "small.kin"
    Performance(
        {
            "x": Signal([[1.0], [2.0]], ("a",), ("s",), "30000/1001"),
            "words": Tier("words", [Interval(0, 1, "é")]),
        },
        {"k": 1},
    ).save(path)
    return path


def parts(path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def build(header: dict, data: bytes) -> bytes:
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def test_everything_comes_back_bit_for_bit(tmp_path, take):
    path = tmp_path / "a.kin"
    take.save(path)
    back = formats.load(path)
    assert list(back) == list(take)
    assert dict(back.meta) == dict(take.meta)
    assert back.plan == take.plan
    assert back["words"] == take["words"]
    assert back.body.skeleton == take.body.skeleton
    for name, track in take.tracks.items():
        for key in getattr(track, "_arrays", ()):
            a, b = getattr(track, key), getattr(back[name], key)
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a, b)
        for key in ("fps", "start", "names", "units", "basis", "frame"):
            assert getattr(track, key, None) == getattr(back[name], key, None)


def test_it_is_a_safetensors_file(tmp_path, take):
    from safetensors.numpy import load_file

    path = tmp_path / "a.kin"
    take.save(path)
    arrays = load_file(path)
    np.testing.assert_array_equal(arrays["1.rotations"], take.body.rotations)
    assert all(a.ctypes.data % 4 == 0 for a in arrays.values())


def test_exact_rates_and_an_empty_performance(tmp_path):
    path = tmp_path / "a.kin"
    Performance().save(path)
    assert list(formats.load(path)) == []
    Performance({"x": Signal(np.zeros((0, 1)), ("a",), ("",), 29.97, -1.5)}).save(path)
    back = formats.load(path)["x"]
    assert (back.fps, back.start, len(back)) == (Fraction(30000, 1001), -1.5, 0)


def test_an_hour_is_mapped_not_loaded(tmp_path):
    path = tmp_path / "a.kin"
    Performance({"speech": Audio(np.zeros(16000 * 600, np.float32), 16000)}).save(path)
    tracemalloc.start()
    show = formats.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Checking that all samples are finite takes a byte each, for a moment; the samples stay on the disk.
    assert peak < 0.35 * path.stat().st_size
    assert not show.speech.samples.flags.writeable
    show.save(path)  # over the very file that is mapped
    assert len(formats.load(path).speech) == 16000 * 600


def test_meta_must_be_plain(tmp_path):
    path = tmp_path / "a.kin"
    for bad in (object(), float("nan"), {"deep": {1, "x"}}):
        with pytest.raises(DataError, match="meta"):
            Performance({}, {"x": bad}).save(path)
    Performance({}, {"x": np.float32(0.5), "y": (1, 2), "z": Fraction(1, 3), "p": path}).save(path)
    assert formats.load(path).meta["y"] == [1, 2]


def test_every_truncation_is_refused(small, tmp_path):
    data = small.read_bytes()
    path = tmp_path / "cut.kin"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match=r"cut\.kin"):
            formats.load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(FormatError, match="end of the file"):
        formats.load(path)


def test_every_flipped_byte_is_read_or_refused(small, tmp_path):
    data = bytearray(small.read_bytes())
    path = tmp_path / "flip.kin"
    for i in range(len(data)):
        for mask in (0x01, 0x80):
            data[i] ^= mask
            path.write_bytes(data)
            data[i] ^= mask
            with suppress(FormatError):
                formats.load(path)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for k, v in value.items():
            yield from _places(v, (*path, k))
    elif isinstance(value, list):
        for k, v in enumerate(value):
            yield from _places(v, (*path, k))


def _replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


@given(st.data(), json_values)
def test_any_structure_is_read_or_refused(small, data, new):
    header, body = parts(small)
    inner = json.loads(header["__metadata__"]["kinesics"])
    outer = data.draw(st.booleans())
    target = header if outer else inner
    changed = _replaced(target, data.draw(st.sampled_from(list(_places(target)))), new)
    if not outer:
        changed = {**header, "__metadata__": {"kinesics": json.dumps(changed)}}
    path = small.parent / "fuzz.kin"
    path.write_bytes(build(changed, body))
    with suppress(FormatError):
        formats.load(path)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("shape", [2**40, 1], "follow byte"),
        ("shape", [-2, -1], "follow byte"),
        ("shape", [2, 1.0], "follow byte"),
        ("data_offsets", [0, 2**60], "follow byte"),
        ("data_offsets", [4, 12], "follow byte"),
        ("dtype", "F64", "follow byte"),
    ],
)
def test_absurd_arrays_allocate_nothing(small, tmp_path, key, value, says):
    header, body = parts(small)
    header["0.values"][key] = value
    path = tmp_path / "x.kin"
    path.write_bytes(build(header, body))
    with pytest.raises(FormatError, match=says):
        formats.load(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h | {"version": 2}, "update kinesics"),
        (lambda h: h | {"tracks": [h["tracks"][0] | {"fps": "1e999999999"}]}, "rate"),
        (lambda h: h | {"tracks": [h["tracks"][0] | {"fps": "0"}]}, "rate"),
        (lambda h: h | {"tracks": [h["tracks"][0] | {"type": "Object"}]}, "type 'Object'"),
        (lambda h: h | {"tracks": [h["tracks"][0]] * 2}, "two tracks"),
        (
            lambda h: (
                h
                | {"tracks": [h["tracks"][1] | {"tier": {"name": "w", "intervals": [[1, 0, "x", None, 1]]}}]}
            ),
            "start",
        ),
    ],
)
def test_what_is_wrong_is_said(small, tmp_path, change, says):
    header, body = parts(small)
    inner = json.loads(header["__metadata__"]["kinesics"])
    header["__metadata__"]["kinesics"] = json.dumps(change(inner))
    path = tmp_path / "x.kin"
    path.write_bytes(build(header, body))
    with pytest.raises(FormatError, match=says):
        formats.load(path)


def test_nan_and_deep_nesting_are_refused(small, tmp_path):
    header, body = parts(small)
    path = tmp_path / "x.kin"
    path.write_bytes(build(header, np.array([1, np.nan], "<f4").tobytes()))
    with pytest.raises(FormatError, match="not finite"):
        formats.load(path)
    raw = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + body)
    with pytest.raises(FormatError, match=r"x\.kin"):
        formats.load(path)
