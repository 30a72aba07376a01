"""Both layouts as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError, MissingExtra
from kinesics.files import replacing
from kinesics.formats._encode import from_json, to_json
from kinesics.formats._table_long import PERSON, Block, Long, blocks, columns_of, joined, who_and_what
from kinesics.formats._table_wide import Wide
from kinesics.performance import Performance

KEY = b"kinesics"
MOST_BYTES = 8_000_000_000
"""Bytes that a table may take in memory."""

_EXPANDS = 200
"""Times its size that a file may grow; tables of real movement grow tenfold."""

_ALWAYS = 64_000_000
_ROWS = 1 << 16
_FOOTER = 100_000_000


def _arrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("tables", "reading and writing Parquet") from error
    return pyarrow


def _schema(pa: Any, fields: list[tuple[str, Any]], about: dict[str, Any]) -> Any:
    return pa.schema(fields, metadata={KEY: to_json(about, "this performance's meta")})


def write_wide(path: Path, wide: Wide, about: dict[str, Any]) -> None:
    """float32 columns (times float64), empty cells as null; the description in the schema's metadata."""
    pa = _arrow()
    names = list(wide.columns)
    schema = _schema(pa, [("time", pa.float64()), *((n, pa.float32()) for n in names)], about)
    arrays = [pa.array(wide.times)]
    arrays += [pa.array(wide.columns[n], mask=np.isnan(wide.columns[n])) for n in names]
    with replacing(path) as file, pa.parquet.ParquetWriter(file, schema, compression="zstd") as out:
        out.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=_ROWS)


def write_long(path: Path, performance: Performance, about: dict[str, Any]) -> None:
    """As :func:`write_wide`, with a row per number or interval; values are float64."""
    pa = _arrow()
    word = pa.dictionary(pa.int32(), pa.string())
    people = "scene" in performance.meta
    kinds = dict.fromkeys(columns_of(people), pa.float64()) | {
        **({PERSON: word} if people else {}),
        "track": word,
        "type": word,
        "name": word,
        "label": pa.string(),
    }
    schema = _schema(pa, list(kinds.items()), about)
    with replacing(path) as file, pa.parquet.ParquetWriter(file, schema, compression="zstd") as out:
        for block in blocks(performance.tracks):
            out.write_table(_rows(pa, schema, block, people))


def _rows(pa: Any, schema: Any, block: Block, people: bool) -> Any:
    who, what = who_and_what(block.track, people)
    times, each = block.values.shape
    count = times * each

    def same(text: str) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text]))

    def numbers(values: NDArray[np.floating]) -> Any:
        flat = np.asarray(values, np.float64).reshape(-1)
        return pa.array(flat, mask=np.isnan(flat))

    names = block.names or [""]
    columns = {
        PERSON: same(who),
        "track": same(what),
        "type": same(block.kind),
        "time": numbers(np.repeat(block.time, each)),
        "end": numbers(np.repeat(block.end, each)),
        "name": pa.DictionaryArray.from_arrays(
            pa.array(np.tile(np.arange(each, dtype=np.int32), times)), pa.array(names)
        ),
        "value": numbers(block.values),
        "confidence": numbers(block.confidence),
        "label": pa.array(block.labels or [None] * count, pa.string()),
    }
    return pa.Table.from_arrays([columns[c] for c in schema.names], schema=schema)


class Parquet:
    """A Parquet file that nobody vouches for.

    Its footer is read at once, what it announces is checked against the file's size, and columns
    are read when they are asked for.

    Raises
    ------
    FormatError
        If it is no Parquet file, or would take more memory than a file of its size can justify.
    """

    def __init__(self, path: Path) -> None:
        self._pa = _arrow()
        self.path = path
        size = path.stat().st_size
        with path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(max(0, size - 8))
            tail = raw.read(8)
        if head != b"PAR1" or tail[4:] != b"PAR1":
            raise FormatError(
                path,
                "first and last bytes",
                "a Parquet file (PAR1)",
                "it is cut off or no Parquet; copy it again",
            )
        if int.from_bytes(tail[:4], "little") > min(size, _FOOTER):
            raise FormatError(path, "footer", "a footer within the file", "it is damaged; copy it again")
        try:
            self._file = self._pa.parquet.ParquetFile(
                path, thrift_string_size_limit=_FOOTER, thrift_container_size_limit=1_000_000
            )
            meta, schema = self._file.metadata, self._file.schema_arrow
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            rows = sum(g.num_rows for g in groups)
            told = sum(max(g.total_byte_size, 0) for g in groups)
        except (self._pa.ArrowException, OSError, ValueError) as error:
            raise self._damaged("footer", error) from error
        self.names: list[str] = list(schema.names)
        most = min(MOST_BYTES, _ALWAYS + _EXPANDS * size)
        if rows != meta.num_rows or min([0, *(g.num_rows for g in groups)]) < 0:
            raise self._damaged("footer", ValueError("numbers of rows that agree"))
        if max(told, rows * 8 * max(1, len(self.names))) > most:
            raise FormatError(
                path,
                "footer",
                f"a table that a file of {size / 1e6:.1f} MB can hold, found {rows} rows of {len(self.names)} columns",
                "it is damaged or made to fill the memory; split it if it is yours",
            )
        self.rows = rows
        self._schema = schema

    def _damaged(self, where: str, error: Exception) -> FormatError:
        what = " ".join(str(error).split())[:160]
        return FormatError(
            self.path, where, f"intact Parquet ({what})", "it is damaged; copy or export it again"
        )

    def about(self) -> Any:
        """The description in the schema's metadata, or None; ValueError if it is damaged."""
        raw = (self._schema.metadata or {}).get(KEY)
        return None if raw is None else from_json(raw)

    def numbers(self) -> tuple[dict[str, NDArray[np.floating]], list[str]]:
        """All columns of numbers, NaN where null, and the names of the others."""
        types = self._pa.types
        good, others = [], []
        for name in self.names:
            field = self._schema.field(self.names.index(name)).type
            numeric = types.is_integer(field) or types.is_floating(field) or types.is_boolean(field)
            (good if numeric or types.is_timestamp(field) else others).append(name)
        if len(set(self.names)) != len(self.names):
            raise FormatError(self.path, "schema", "column names that do not repeat", "rename them")
        return {n: self._column(n) for n in good}, others

    def _column(self, name: str) -> NDArray[np.floating]:
        pa = self._pa
        parts = []
        for batch in self._batches([name]):
            array = batch.column(0)
            if pa.types.is_timestamp(array.type):
                array = array.cast(pa.timestamp("ns"), safe=False).cast(pa.int64())
                parts.append(array.to_numpy(zero_copy_only=False).astype(np.float64) * 1e-9)
                continue
            kind = pa.float32() if pa.types.is_float32(array.type) else pa.float64()
            parts.append(array.cast(kind, safe=False).to_numpy(zero_copy_only=False))
        column = np.concatenate(parts) if parts else np.zeros(0)
        return np.where(np.isfinite(column), column, np.nan).astype(column.dtype)  # signalling NaNs, too

    def _batches(self, columns: list[str]) -> Any:
        count = 0
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False):
                batch.validate(full=True)  # offsets and dictionary indices are the file's, too
                count += batch.num_rows
                if count > self.rows:
                    raise ValueError("more rows than announced")
                yield batch
        except (self._pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise self._damaged(f"column {columns[0]!r:.60}", error) from error
        if count != self.rows:
            raise self._damaged(f"column {columns[0]!r:.60}", ValueError("fewer rows than announced"))

    def long(self) -> Long:
        """The rows of a long table."""
        texts = {c: self._codes(c) for c in ("track", "type", "name")}
        if PERSON in self.names:
            texts["track"] = _paired(self._codes(PERSON), texts["track"])
        numbers = {
            c: self._column(c).astype(np.float64) if c in self.names else np.full(self.rows, np.nan)
            for c in ("time", "end", "value", "confidence")
        }
        labels: list[str] = []
        if "label" in self.names:
            for batch in self._batches(["label"]):
                labels += [str(v) if v is not None else "" for v in batch.column(0).to_pylist()]
        return Long(
            texts["track"], texts["type"], texts["name"], *numbers.values(), labels or [""] * self.rows
        )

    def _codes(self, column: str) -> tuple[list[str], NDArray[np.intp]]:
        if column not in self.names:
            return [""], np.zeros(self.rows, np.intp)
        keys: dict[str, int] = {}
        parts = [np.zeros(0, np.intp)]
        for batch in self._batches([column]):
            array = batch.column(0)
            if not self._pa.types.is_dictionary(array.type):
                array = array.dictionary_encode()
            words = [str(v) if v is not None else "" for v in array.dictionary.to_pylist()]
            own = np.array([keys.setdefault(w, len(keys)) for w in words], dtype=np.intp)
            codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
            none = codes < 0
            part = own[np.where(none, 0, codes)] if len(own) else np.zeros(len(codes), np.intp)
            if none.any():
                part[none] = keys.setdefault("", len(keys))
            parts.append(part)
        return list(keys) or [""], np.concatenate(parts)


def _paired(
    people: tuple[list[str], NDArray[np.intp]], tracks: tuple[list[str], NDArray[np.intp]]
) -> tuple[list[str], NDArray[np.intp]]:
    """Names ``person/track`` of two columns of codes."""
    pairs, codes = np.unique(people[1] * len(tracks[0]) + tracks[1], return_inverse=True)
    names = [joined(people[0][p // len(tracks[0])], tracks[0][p % len(tracks[0])]) for p in pairs.tolist()]
    return names, codes.astype(np.intp)
