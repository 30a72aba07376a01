"""The machine that carries out a pickle's instructions without calling anything; see ``_pickle``."""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError

MOST_STEPS = 5_000_000
MOST_NUMBERS = 16_000_000
"""Numbers above which a sparse matrix is not written out in full."""

KINDS = "biufSU"
"""Kinds of numpy types that hold numbers or text."""

TORCH = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "<?",
}  # fmt: skip
"""torch's storages and the numpy types of what is in them."""


class Wrong(ValueError):
    """What is wrong with a pickle; becomes a FormatError with the byte."""


class _Mark:
    pass


class Global:
    """A name that a pickle gives for a class or function; it stands for one of the few things done with it."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Array:
    """A numpy array whose BUILD is still to come, and where the memo has it."""

    def __init__(self) -> None:
        self.remembered: list[int] = []


class _Dtype:
    def __init__(self, text: str) -> None:
        self.text = text.lstrip("<>=|")
        self.order = text[0] if text[:1] in "<>=|" else "<"

    def dtype(self) -> np.dtype[Any]:
        if self.text == "O8" or self.text == "O":
            return np.dtype(object)
        if not (
            self.text == "?" or (self.text[:1] in KINDS and self.text[1:].isdecimal() and len(self.text) < 10)
        ):
            raise Wrong(f"an array of numbers or text, found the type {self.text[:40]!r}")
        try:
            return np.dtype(self.order + self.text)
        except TypeError as error:
            raise Wrong(f"a numpy type, found {self.text!r}") from error


class _Holder:
    """An object of chumpy or scipy.sparse: only what it holds is kept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.remembered: list[int] = []


class Storage:
    def __init__(self, dtype: str, data: bytes | None, count: int) -> None:
        self.dtype, self.data, self.count = np.dtype(dtype), data, count


_MARK = _Mark()
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_CONTAINERS = ("set", "frozenset", "list", "dict", "tuple", "bytearray", "bytes")
_SPARSE = ("csc_matrix", "csr_matrix", "coo_matrix")


def _allowed(module: str, name: str) -> str | None:
    """What a global stands for here, or None."""
    if module in _NUMPY and name in ("_reconstruct", "scalar", "_frombuffer"):
        return name
    if module == "numpy" and name in ("ndarray", "dtype"):
        return name
    if module in ("builtins", "__builtin__") and name in _CONTAINERS:
        return f"builtin {name}"
    if module in ("builtins", "__builtin__") and name == "object":
        return "object"
    if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
        return "_reconstructor"
    if (module, name) == ("collections", "OrderedDict"):
        return "builtin dict"
    if (module, name) == ("_codecs", "encode"):
        return "encode"
    if module.split(".")[0] == "chumpy" and name in ("Ch", "ch", "Select", "Transpose", "Reshape", "reorder"):
        return "holder chumpy"
    if module.startswith("scipy.sparse") and name in _SPARSE:
        return f"holder {name}"
    if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor", "_rebuild_parameter"):
        return name
    if module == "torch" and name in TORCH:
        return f"storage {name}"
    if (module, name) == ("torch", "Size"):
        return "builtin tuple"
    return None


class Machine:
    """Carries out the instructions of one pickle."""

    def __init__(
        self, path: Path, stream: IO[bytes], size: int, storage: Callable[[Any], Storage] | None = None
    ) -> None:
        self.path, self.stream, self.storage = path, stream, storage
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = 256_000_000 + 8 * size

    def run(self) -> Any:
        place = 0
        try:
            for step, (op, argument, position) in enumerate(pickletools.genops(self.stream)):
                place = position or 0
                if step > MOST_STEPS:
                    raise Wrong(f"at most {MOST_STEPS:,} instructions")
                if op.name == "STOP":
                    return self._plain(self._pop())
                self._step(op.name, argument)
        except (Wrong, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
            # What the machine itself finds says what was expected; the rest is bytes that make no sense.
            expected = str(error) if isinstance(error, Wrong) else f"a whole pickle ({str(error)[:80]})"
            raise FormatError(
                self.path,
                f"byte {place}",
                expected,
                "check the file, or convert it to .npz where it was made",
            ) from error
        raise FormatError(
            self.path, f"byte {place}", "a STOP, found the end", "the file is cut off; get it again"
        )

    def _pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise Wrong("a value, found a mark")
        return value

    def _to_mark(self) -> list[Any]:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is _MARK:
                values = self.stack[i + 1 :]
                del self.stack[i:]
                return values
        raise Wrong("a mark, found none")

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise Wrong(f"a {kind.__name__} to add to, found a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def _spend(self, count: int) -> None:
        self.budget -= count
        if self.budget < 0:
            raise Wrong("data that is not many times as large as the file")

    def _step(self, op: str, argument: Any) -> None:
        stack = self.stack
        if op in _VALUES:
            if isinstance(argument, int) and argument.bit_length() > 2048:
                raise Wrong("a number of at most 2048 bits")
            stack.append(argument)
        elif op in _CONSTANTS:
            make = _CONSTANTS[op]
            stack.append(make() if isinstance(make, type) else make)
        elif op in ("PROTO", "FRAME"):
            pass
        elif op == "MARK":
            stack.append(_MARK)
        elif op == "POP":
            stack.pop()
        elif op == "POP_MARK":
            self._to_mark()
        elif op == "DUP":
            stack.append(stack[-1])
        elif op in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            key = len(self.memo) if op == "MEMOIZE" else argument
            self.memo[key] = stack[-1]
            if isinstance(stack[-1], (_Array, _Holder)):
                stack[-1].remembered.append(key)
        elif op in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif op == "APPEND":
            value = self._pop()
            self._top(list).append(value)
        elif op == "APPENDS":
            values = self._to_mark()
            self._top(list).extend(values)
        elif op in ("LIST", "TUPLE"):
            values = self._to_mark()
            stack.append(values if op == "LIST" else tuple(values))
        elif op in ("TUPLE1", "TUPLE2", "TUPLE3"):
            values = [self._pop() for _ in range(int(op[-1]))]
            stack.append(tuple(reversed(values)))
        elif op == "SETITEM":
            value, key = self._pop(), self._pop()
            self._top(dict)[_key(key)] = value
        elif op in ("SETITEMS", "DICT"):
            values = self._to_mark()
            if op == "DICT":
                stack.append({})
            self._fill(self._top(dict), values)
        elif op in ("ADDITEMS", "FROZENSET"):
            keys = {_key(v) for v in self._to_mark()}
            if op == "FROZENSET":
                stack.append(frozenset(keys))
            else:
                self._top(set).update(keys)
        elif op in ("GLOBAL", "STACK_GLOBAL"):
            if op == "GLOBAL":
                module, _, name = argument.partition(" ")
            else:
                name, module = self._pop(), self._pop()
            stack.append(self._global(module, name))
        elif op in ("REDUCE", "NEWOBJ"):
            arguments, function = self._pop(), self._pop()
            if not isinstance(function, Global) or not isinstance(arguments, tuple):
                raise Wrong("a class and its arguments")
            stack.append(self._made(function.name, arguments))
        elif op == "BUILD":
            self._build(self._pop())
        elif op == "BINPERSID" and self.storage is not None:
            stack.append(self.storage(self._pop()))
        else:
            raise Wrong(f"plain data, found the instruction {op}")

    def _fill(self, target: dict[Any, Any], values: list[Any]) -> None:
        if len(values) % 2:
            raise Wrong("keys with values")
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_key(key)] = value

    def _global(self, module: Any, name: Any) -> Global:
        if not isinstance(module, str) or not isinstance(name, str):
            raise Wrong("the name of a class")
        found = _allowed(module, name)
        if found is None:
            raise Wrong(
                f"data, found {f'{module}.{name}'[:100]!r}, which is not allowed in a file that is read here"
            )
        return Global(found)

    def _made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "_reconstruct":
            return _Array()
        if name == "dtype":
            if not arguments or not isinstance(arguments[0], str):
                raise Wrong("the name of a numpy type")
            return _Dtype(arguments[0])
        if name == "scalar":
            dtype, raw = arguments
            return self._array(dtype, self._bytes(raw), ())[()]
        if name == "_frombuffer":
            raw, dtype, shape, order = arguments
            return self._array(dtype, self._bytes(raw), shape, order == "F")
        if name == "encode":
            return self._bytes(arguments[0])
        if name == "_reconstructor":
            if not isinstance(arguments[0], Global) or not arguments[0].name.startswith("holder"):
                raise Wrong("an object of chumpy or scipy.sparse")
            return _Holder(arguments[0].name[7:])
        if name.startswith("holder"):
            return _Holder(name[7:])
        if name.startswith("builtin"):
            return self._container(name[8:], arguments)
        if name == "_rebuild_parameter":
            return arguments[0]
        if name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return self._tensor(*arguments[:4])
        raise Wrong(f"data, found a call of {name!r}")

    def _container(self, kind: str, arguments: tuple[Any, ...]) -> Any:
        if kind in ("bytes", "bytearray"):
            return self._bytes(arguments[0]) if arguments else b""
        values = arguments[0] if arguments else []
        if not isinstance(values, (list, tuple, set, frozenset)):
            raise Wrong(f"a list for a {kind}")
        self._spend(64 * len(values))
        if kind == "list":
            return list(values)
        if kind == "tuple":
            return tuple(values)
        if kind == "dict":
            pairs = [v for v in values if isinstance(v, (list, tuple)) and len(v) == 2]
            return {_key(k): v for k, v in pairs}
        keys = {_key(v) for v in values}
        return frozenset(keys) if kind == "frozenset" else keys

    def _bytes(self, raw: Any) -> bytes:
        # Python 2 wrote bytes as text, and protocol 2 of Python 3 encodes them as Latin-1.
        if isinstance(raw, str):
            self._spend(len(raw))
            return raw.encode("latin-1")
        if not isinstance(raw, (bytes, bytearray)):
            raise Wrong(f"bytes, found a {type(raw).__name__}")
        return bytes(raw)

    def _array(self, dtype: Any, raw: bytes, shape: Any, fortran: bool = False) -> NDArray[Any]:
        if not isinstance(dtype, _Dtype):
            raise Wrong("the type of an array")
        found = dtype.dtype()
        shape = shape_of(shape)
        if found.hasobject or math.prod(shape) * found.itemsize != len(raw):
            raise Wrong(f"as many bytes as an array {str(shape)[:60]} of {found} has, found {len(raw)}")
        array = np.frombuffer(raw, found) if raw else np.zeros(0, found)
        return array.reshape(shape, order="F" if fortran else "C")

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any) -> NDArray[Any]:
        if not isinstance(storage, Storage):
            raise Wrong("a tensor's storage")
        size, stride = shape_of(size), shape_of(stride)
        shape_of((offset,))
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if math.prod(size) else 0
        if last >= max(storage.count, 1):
            raise Wrong(f"a tensor within its {storage.count} numbers, found one that ends at {last}")
        if storage.data is None:
            return np.zeros(0, storage.dtype)
        self._spend(math.prod(size) * storage.dtype.itemsize)
        if not math.prod(size):
            return np.zeros(size, storage.dtype)
        flat = np.frombuffer(storage.data, storage.dtype)[offset:]
        steps = [s * storage.dtype.itemsize for s in stride]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat, size, steps)).reshape(size)

    def _build(self, state: Any) -> None:
        target = self.stack[-1]
        if isinstance(target, _Dtype):
            if not isinstance(state, tuple) or len(state) < 5 or state[2] is not None or state[3] is not None:
                raise Wrong("a plain numpy type, without fields")
            if state[1] not in ("<", ">", "|", "="):
                raise Wrong("a byte order")
            target.order = state[1]
        elif isinstance(target, _Array):
            _, shape, dtype, fortran, raw = state
            if isinstance(raw, list):  # of Python objects
                if math.prod(shape_of(shape)) != len(raw):
                    raise Wrong(f"{str(shape)[:60]} objects, found {len(raw)}")
                self._replace(target, raw)
            else:
                self._replace(target, self._array(dtype, self._bytes(raw), shape, bool(fortran)))
        elif isinstance(target, _Holder):
            self._replace(target, self._held(target.name, state))
        elif not isinstance(target, dict):  # attributes of an OrderedDict (torch's _metadata) are left out
            raise Wrong(f"an object to complete, found a {type(target).__name__}")

    def _replace(self, old: Any, new: Any) -> None:
        self.stack[-1] = new
        for key in old.remembered:
            if self.memo[key] is old:
                self.memo[key] = new

    def _held(self, name: str, state: Any) -> Any:
        if isinstance(state, tuple) and state:
            state = state[0]
        if not isinstance(state, dict):
            raise Wrong(f"what a {name} holds")
        if name == "chumpy":
            return state.get("x", state.get("a"))
        shape = shape_of(state.get("_shape", state.get("shape")))
        parts = [state.get(k) for k in ("data", "indices", "indptr", "row", "col")]
        data, indices, pointers, row, column = parts
        if isinstance(state.get("coords"), tuple):
            row, column = state["coords"]
        if len(shape) != 2 or math.prod(shape) > MOST_NUMBERS or not isinstance(data, np.ndarray):
            raise Wrong(f"a sparse matrix of at most {MOST_NUMBERS:,} numbers")
        if name != "coo_matrix":
            if not isinstance(indices, np.ndarray) or not isinstance(pointers, np.ndarray):
                raise Wrong("the indices of a sparse matrix")
            long = shape[1] if name == "csc_matrix" else shape[0]
            counts = np.diff(pointers)
            if (
                len(counts) != long
                or (counts < 0).any()
                or (counts > len(data)).any()
                or counts.sum() != len(data)
            ):
                raise Wrong("the indices of a sparse matrix that fit its data")
            along = np.repeat(np.arange(long), counts)
            row, column = (indices, along) if name == "csc_matrix" else (along, indices)
        fits = all(
            isinstance(k, np.ndarray) and k.shape == data.shape == (data.size,) and k.dtype.kind in "iu"
            for k in (row, column)
        )
        if not fits or not all(((k >= 0) & (k < n)).all() for k, n in zip((row, column), shape, strict=True)):
            raise Wrong("the indices of a sparse matrix within its shape")
        self._spend(math.prod(shape) * 8)
        dense = np.zeros(shape, data.dtype if data.dtype.kind == "f" else np.float64)
        np.add.at(dense, (row, column), data)
        return dense

    def _plain(self, value: Any) -> Any:
        """``value``, once nothing in it is left that only the machine knows."""
        seen: set[int] = set()
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, (Global, _Array, _Dtype, _Holder, Storage, _Mark)):
                raise Wrong(f"plain data, found an unfinished {type(item).__name__.strip('_').lower()}")
            if isinstance(item, (list, tuple, dict, set, frozenset)) and id(item) not in seen:
                seen.add(id(item))
                waiting.extend(item.values() if isinstance(item, dict) else item)
        return value


_VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8".split()
)
_CONSTANTS: dict[str, Any] = {
    "NONE": None, "NEWTRUE": True, "NEWFALSE": False,
    "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set, "EMPTY_TUPLE": tuple,
}  # fmt: skip


def _key(key: Any) -> Any:
    """``key`` if its hash costs next to nothing and cannot be made to collide at will."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple) and len(key) <= 8 and not any(isinstance(k, (tuple, np.generic)) for k in key):
        return tuple(map(_key, key))
    if key is None or isinstance(key, (str, bytes)) or (isinstance(key, (bool, int)) and abs(key) < 2**60):
        return key
    raise Wrong(f"a key that is text or a number, found a {type(key).__name__}")


def shape_of(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, int):
        shape = (shape,)
    if not isinstance(shape, (tuple, list)) or len(shape) > 32:
        raise Wrong("a shape")
    if any(not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < 2**40 for n in shape):
        raise Wrong("a shape of whole numbers")
    if math.prod(n or 1 for n in shape) > 2**40:
        raise Wrong("a shape of sane size")
    return tuple(shape)
