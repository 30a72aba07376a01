"""Pickles from strangers: plain data is what Python reads; nothing is called, and small files stay small."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import sys
import tracemalloc
import types
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from kinesics.errors import FormatError
from kinesics.formats._pickle import array_of, load_pickle, load_torch

RNG = np.random.default_rng(0)
PLAIN = {
    "a": RNG.standard_normal((5, 3)).astype("f4"), "f": np.asfortranarray(RNG.standard_normal((4, 3))),
    "s": np.float64(2.5), "l": [1, 2.5, "x", None, True, b"q", (1, 2)], "U": np.array(["ab", "c"]),
    "o": collections.OrderedDict(a=1, b=np.arange(3)), "set": {1, "z"}, "fs": frozenset([1]), "0d": np.array(3.0),
    "e": np.zeros((0, 3)), "big": 2**70, "ba": bytearray(b"abc"), "be": np.arange(3, dtype=">i2"), "i": np.int64(4),
    "bool": np.array([True, False]), ("k", 1): 0, 7: "seven",
}  # fmt: skip


def same(a, b) -> bool:
    if isinstance(a, dict):
        return set(a) == set(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b) and a.dtype == b.dtype
    return a == b


def put(tmp_path, data: bytes, name: str = "x.pkl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_as_python_reads_it(tmp_path, protocol):
    found = load_pickle(put(tmp_path, pickle.dumps(PLAIN, protocol)))
    assert [k for k in PLAIN if not same(PLAIN[k], found[k])] == []
    assert not found["a"].flags.writeable


@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_that_occur_twice(tmp_path, protocol):
    array = np.arange(4.0)
    found = load_pickle(put(tmp_path, pickle.dumps([array, {"again": array}], protocol)))
    np.testing.assert_array_equal(found[1]["again"], array)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("make", [sparse.csc_matrix, sparse.csr_matrix, sparse.coo_matrix])
def test_sparse_matrices_become_arrays(tmp_path, protocol, make):
    dense = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 3], [0, 4, 0]])
    found = load_pickle(put(tmp_path, pickle.dumps({"J_regressor": make(dense)}, protocol)))
    np.testing.assert_array_equal(found["J_regressor"], dense)


@pytest.fixture
def pretend(monkeypatch):
    """Modules that exist while a pickle is written, as chumpy and torch would; the real ones come back."""

    def module(name: str) -> types.ModuleType:
        found = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, found)
        return found

    return module


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_chumpy_without_chumpy(tmp_path, pretend, protocol):
    pretend("chumpy")
    module = pretend("chumpy.ch")

    class Ch:
        def __init__(self, x):
            self.x, self._dirty_vars = x, set()

    Ch.__module__, Ch.__qualname__, module.Ch = "chumpy.ch", "Ch", Ch
    shape = np.arange(24.0).reshape(2, 3, 4)
    found = load_pickle(put(tmp_path, pickle.dumps({"shapedirs": Ch(shape), "f": [1, 2]}, protocol)))
    np.testing.assert_array_equal(found["shapedirs"], shape)
    assert found["f"] == [1, 2]


class _Tensor:
    def __init__(self, array, size=None, stride=None, offset=0):
        self.array, self.offset = array, offset
        self.size = array.shape if size is None else size
        self.stride = tuple(s // array.itemsize for s in array.strides) if stride is None else stride


def torch_file(pretend, value, *, legacy: bool = False, change=None) -> bytes:
    """What ``torch.save`` writes, made without torch."""
    utils, torch = pretend("torch._utils"), pretend("torch")

    def _rebuild_tensor_v2():
        pass

    class FloatStorage:
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
    utils._rebuild_tensor_v2, torch.FloatStorage = _rebuild_tensor_v2, FloatStorage
    storages: dict[str, bytes] = {}

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            if not (isinstance(obj, tuple) and obj and obj[0] is FloatStorage):
                return None
            key = str(len(storages))
            storages[key] = obj[1].tobytes()
            record = ("storage", FloatStorage, key, "cpu", obj[1].size)
            record = change(record) if change else record
            return (*record, None) if legacy else record

        def reducer_override(self, obj):
            if isinstance(obj, _Tensor):
                rest = (obj.offset, obj.size, obj.stride, False, collections.OrderedDict())
                return _rebuild_tensor_v2, ((FloatStorage, obj.array), *rest)
            return NotImplemented

    stream = io.BytesIO()
    if legacy:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(head, stream, 2)
    Pickler(stream, 2).dump(value)
    if legacy:
        pickle.dump(list(storages), stream, 2)
        for data in storages.values():
            stream.write(struct.pack("<q", len(data) // 4) + data)
        return stream.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("archive/data.pkl", stream.getvalue())
        for key, data in storages.items():
            file.writestr(f"archive/data/{key}", data)
    return out.getvalue()


@pytest.mark.parametrize("legacy", [False, True])
def test_torch_without_torch(tmp_path, pretend, legacy):
    one, two = np.arange(12, dtype="f4").reshape(3, 4), np.float32([7, 8])
    value = {
        "w": _Tensor(one),
        "t": _Tensor(one, (4, 3), (1, 4)),
        "part": _Tensor(two, (1,), (1,), 1),
        "n": 3,
    }
    found = load_torch(put(tmp_path, torch_file(pretend, value, legacy=legacy), "x.pt"))
    np.testing.assert_array_equal(found["w"], one)
    np.testing.assert_array_equal(found["t"], one.T)
    np.testing.assert_array_equal(found["part"], [8])
    assert found["n"] == 3


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "tensor",
    [
        _Tensor(np.zeros(4, "f4"), (5,), (1,)),
        _Tensor(np.zeros(4, "f4"), (2, 2), (3, 1)),
        _Tensor(np.zeros(4, "f4"), (4,), (1,), 1),
        _Tensor(np.zeros(4, "f4"), (10**9, 4), (0, 1)),
        _Tensor(np.zeros(4, "f4"), (2**60,), (0,)),
        _Tensor(np.zeros(4, "f4"), (2,), (-1,)),
        _Tensor(np.zeros(4, "f4"), (2, 2), (1,)),
    ],
)
def test_tensors_beyond_their_storage(tmp_path, pretend, legacy, tensor):
    with pytest.raises(FormatError):
        load_torch(put(tmp_path, torch_file(pretend, [tensor], legacy=legacy), "x.pt"))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda r: (*r[:2], "../../0", *r[3:]),
        lambda r: (*r[:4], r[4] + 1),
        lambda r: (*r[:4], 2**50),
        lambda r: (*r[:4], "many"),
        lambda r: (r[0], "FloatStorage", *r[2:]),
        lambda r: r[:3],
    ],
)
def test_storages_that_are_not_there(tmp_path, pretend, legacy, change):
    raw = torch_file(pretend, [_Tensor(np.zeros(4, "f4"))], legacy=legacy, change=change)
    with pytest.raises(FormatError):
        load_torch(put(tmp_path, raw, "x.pt"))


class _Calls:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "attack",
    [
        _Calls(os.system, "touch pwned"),
        _Calls(eval, "1"),
        _Calls(exec, "1"),
        _Calls(getattr, "x", "upper"),
        _Calls(__import__, "os"),
        _Calls(open, "pwned", "w"),
        _Calls(np.load, "x.npy"),
        _Calls(np.frombuffer, b"1234"),
        _Calls(np.zeros, (10**12,)),
        _Calls(map, str, [1]),
        _Calls(types.SimpleNamespace),
        _Calls(collections.Counter, "aaa"),
        os.system,
        np.load,
    ],
)
def test_nothing_is_called(tmp_path, monkeypatch, attack, protocol):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError, match="not allowed"):
        load_pickle(put(tmp_path, pickle.dumps({"poses": attack}, protocol)))
    assert {p.name for p in tmp_path.iterdir()} == {"x.pkl"}


ARRAY = pickle.dumps(np.zeros(4, "f4"), 2)
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
F4 = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4K\x00K\x01tR"


@pytest.mark.parametrize(
    "raw",
    [
        # an absurd shape asked of an allowed function, and an array that is never filled
        b"\x80\x02" + RECONSTRUCT + b"(" + NDARRAY + b"(J\xff\xff\xff\x7ftX\x01\x00\x00\x00btR.",
        b"\x80\x02" + RECONSTRUCT + b"(" + NDARRAY + b"(K\x00tX\x01\x00\x00\x00btR(K\x01(J\xff\xff\xff\x7ft" + F4
        + b"K\x00C\x04\x00\x00\x00\x00tb.",
        b"\x80\x02cnumpy.core.numeric\n_frombuffer\n(C\x04\x00\x00\x00\x00" + F4
        + b"(J\xff\xff\xff\x7ftX\x01\x00\x00\x00CtR.",
        b"\x80\x02cnumpy.core.multiarray\nscalar\n(" + F4 + b"C\x01\x00tR.",
        b"\x80\x02cnumpy\ndtype\n(X\x09\x00\x00\x00f4,f4,f4,K\x00K\x01tR.",
        b"\x80\x02cnumpy\ndtype\n(X\x0b\x00\x00\x00U1000000000K\x00K\x01tR.",
        b"\x80\x02c__builtin__\nbytearray\n(J\xff\xff\xff\x7ftR.",
        b"\x80\x02c__builtin__\nbytes\n(J\xff\xff\xff\x7ftR.",
        # lengths that are not there
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"x.",
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
        b"\x80\x02\x8b" + struct.pack("<i", -1) + b"x.",
        b"B\xff\xff\xff\x7fx.",
        # numbers that take long to make or to print
        b"\x80\x02\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6 + b".",
        b"L" + b"9" * 10**6 + b"L\n.",
        b"I" + b"9" * 10**6 + b"\n.",
        # stacks and memos that are not there
        b".", b"0.", b"1.", b"2.", b"(", b"(.", b"h\x05.", b"j\xff\xff\xff\xff.", b"t.", b"]a.", b"}K\x01K\x02K\x03s.",
        b"K\x01(K\x02e.", b"K\x01K\x02b.", b"K\x01K\x02R.", b"}(K\x01u.", b"\x80\x02K\x01\x85\x81.", b"((((((.",
        # keys
        b"}]K\x01s.", b"}}K\x01s.", b"\x8f(]\x90.", b"}((ttK\x01s.",
        # what only Python can resume
        b"Pname\n.", b"K\x01Q.", b"ios\nsystem\n(S'x'\n.", b"(cos\nsystem\nS'x'\no.", b"\x82\x01.", b"\x97.", b"K\x01\x98.",
        b"\x80\x02", b"", b"not a pickle at all",
    ],
)  # fmt: skip
def test_attacks_and_nonsense(tmp_path, raw):
    with pytest.raises(FormatError, match=r"x\.pkl: byte") as caught:
        load_pickle(put(tmp_path, raw))
    assert "\n" not in str(caught.value)


def test_small_files_stay_small(tmp_path):
    """Billion laughs, repeated copies, a memo place in the far distance, keys that take for ever to hash."""
    laughs = (
        b"\x80\x02]q\x00"
        + b"".join(b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(60))
        + b"."
    )
    copies = b"\x80\x02](" + b"K\x01" * 50_000 + b"eq\x000c__builtin__\nlist\nq\x010]"
    copies += b"h\x01h\x00\x85Ra" * 20_000 + b"."
    text = b"\x80\x02X" + struct.pack("<I", 10**6) + b"x" * 10**6 + b"q\x000c_codecs\nencode\nq\x010]"
    text += b"h\x01h\x00\x85Ra" * 20_000 + b"."
    far = b"\x80\x02K\x01r\xf0\xff\xff\xff."
    tuples = (
        b"\x80\x02)q\x00"
        + b"".join(b"h" + bytes([k]) + b"h" + bytes([k]) + b"\x86q" + bytes([k + 1]) for k in range(60))
        + b"}h\x3cK\x01s."
    )
    tracemalloc.start()
    found = load_pickle(put(tmp_path, laughs))
    assert array_of(found) is None
    assert load_pickle(put(tmp_path, far)) == 1
    for raw in (copies, text, tuples):
        with pytest.raises(FormatError):
            load_pickle(put(tmp_path, raw))
    assert tracemalloc.get_traced_memory()[1] < 700_000_000
    tracemalloc.stop()


def test_deep_nesting_is_no_recursion(tmp_path):
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    assert array_of(load_pickle(put(tmp_path, deep))) is None


def test_size_is_looked_at_first(tmp_path):
    with pytest.raises(FormatError, match="at most 0 MB"):
        load_pickle(put(tmp_path, ARRAY), most=10)


def test_truncation(tmp_path):
    raw = pickle.dumps(PLAIN, 4)
    for end in range(0, len(raw) - 1, 3):
        with pytest.raises(FormatError):
            load_pickle(put(tmp_path, raw[:end]))


@given(st.data())
def test_damage_is_read_or_refused(tmp_path_factory, data):
    raw = bytearray(pickle.dumps(PLAIN, data.draw(st.sampled_from([0, 2, 4]))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzz.pkl"
    path.write_bytes(raw)
    for read in (load_pickle, load_torch):
        with suppress(FormatError):
            read(path)


STEPS = [bytes([b]) for b in b".0129()]}abcdefghijlnopqrstuKNRQX\x80\x81\x85\x86\x87\x8f\x90\x91\x93\x94"]
STEPS += [F4, RECONSTRUCT, NDARRAY, b"K\x01", b"h\x00", b"q\x00"]


@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_any_instructions(tmp_path_factory, parts):
    path = tmp_path_factory.getbasetemp() / "ops.pkl"
    path.write_bytes(b"".join(parts) + b".")
    with suppress(FormatError):
        load_pickle(path)


@pytest.mark.parametrize(
    ("value", "shape"),
    [(3, ()), ("x", ()), ([1, 2.5], (2,)), ([np.zeros(3)] * 4, (4, 3)), ([[1, 2], [3, 4]], (2, 2))],
)
def test_lists_as_arrays(value, shape):
    assert array_of(value).shape == shape


@pytest.mark.parametrize("value", [None, {}, [], [[]], [[1], [1, 2]], [None], [[[1]]], [2**80, 1], object()])
def test_what_is_no_array(value):
    found = array_of(value)
    assert found is None or found.dtype.kind in "biufSU"


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_itself_writes(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 4)
    value = {"net": layer.state_dict(), "t": torch.arange(6.0).reshape(2, 3).T, "half": torch.ones(2).half()}
    torch.save(value, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    found = load_torch(tmp_path / "x.pt")
    np.testing.assert_array_equal(found["net"]["weight"], layer.weight.detach().numpy())
    np.testing.assert_array_equal(found["t"], value["t"].numpy())
    assert found["half"].dtype == np.float16
    torch.save(layer, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(FormatError, match=r"torch\.nn\.modules"):
        load_torch(tmp_path / "x.pt")
