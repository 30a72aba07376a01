"""Every reader against damaged files of its own kind: a FormatError or a result, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.performance import Performance

ROOM = 48_000_000
"""Bytes that a reader may take whatever the file: tables, parsers."""
PER_BYTE = 120
"""Bytes that it may take for each byte of the file: text becomes lists of numbers."""

EFFORT = dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), 4)
"""How many cuts and changes are tried where each opens a process of its own; their own tests try more."""

ENDINGS = sorted(set(formats.available("read")) & set(formats.available("write")))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, take_of) -> dict[str, bytes]:
    """A small file of every kind, as bytes."""
    folder, take = tmp_path_factory.mktemp("samples"), take_of(0.2)
    out = {}
    for ending in ENDINGS:
        path = folder / f"a{ending}"
        try:
            take.save(path)
        except DataError:  # some hold what this take has not: a video
            continue
        out[ending] = path.read_bytes()
    return out


def read(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    wrong = None
    tracemalloc.start()
    try:
        assert isinstance(formats.load(path), Performance)
    except FormatError as error:
        wrong = error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if wrong is not None:
        assert str(path) in str(wrong)
        assert "\n" not in str(wrong)
        assert all((wrong.where, wrong.expected, wrong.fix))
    assert peak < ROOM + PER_BYTE * len(data)


@pytest.mark.parametrize("ending", ENDINGS)
def test_cut_off_anywhere(tmp_path, samples, ending):
    data = samples.get(ending)
    if data is None:
        pytest.skip("this take cannot be written so")
    # The ends of headers and tables lie near the start and the end.
    places = {
        *((0, 1, 4, 12, 20, 40) if ending not in EFFORT else (12,)),
        *np.linspace(0, len(data) - 1, EFFORT.get(ending, 24)).astype(int).tolist(),
    }
    for place in sorted(p for p in places if p < len(data)):
        read(tmp_path / f"a{ending}", data[:place])


@pytest.mark.parametrize("ending", ENDINGS)
def test_bytes_changed_anywhere(tmp_path, samples, ending):
    data = samples.get(ending)
    if data is None:
        pytest.skip("this take cannot be written so")
    rng = np.random.default_rng(0)
    for k in range(EFFORT.get(ending, 40)):
        damaged = bytearray(data)
        # Headers first: what is wrong there leads farthest astray.
        reach = (64, 2048, len(data))[k % 3]
        for place in rng.integers(0, min(reach, len(data)), 1 + k % 4):
            damaged[place] = int(rng.choice([0, 255, 0x22, 0x39, 0x7F, int(rng.integers(256))]))
        read(tmp_path / f"a{ending}", bytes(damaged))


@pytest.mark.parametrize("ending", sorted(formats.available("read")))
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        b"\xff\xfe" + "nonsense in UTF-16".encode("utf-16-le"),
        b"\x80\x81\x82 text in no encoding \xff",
        b"PK\x03\x04" + b"\0" * 200,
        b"{" * 5000,
        b"[" * 5000 + b"]" * 5000,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b"<a>" * 3000,
        b"1e999999999,-1e999999999,nan,inf\n" * 20,
        b"9" * 5000,
    ],
    ids=range(11),
)
def test_files_of_another_kind(tmp_path, ending, data):
    if ending in EFFORT and ending != ".usda":
        pytest.skip("opened as .usda is")
    read(tmp_path / f"a{ending}", data)
