"""Choosing a format, and writing whole files or none."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from kinesics import files as _files
from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.performance import Interval, Performance, Tier

SHOW = Performance({"words": Tier("words", [Interval(0, 1, "x")])})


def left(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_every_module_answers_for_its_extensions():
    for name, extensions in formats._MODULES.items():
        form = import_module(f"kinesics.formats.{name}").FORMAT
        assert form.extensions == extensions
        assert form.also_reads == formats._ALSO_READS.get(name, ())
        assert form.read or form.write
    every = {e for endings in (*formats._MODULES.values(), *formats._ALSO_READS.values()) for e in endings}
    assert set(formats.available("read")) | set(formats.available("write")) == every
    with pytest.raises(DataError, match="'eat'"):
        formats.available("eat")


def test_every_format_module_is_registered():
    files = Path(formats.__file__).parent.glob("[a-z]*.py")
    # Body models are read as what they are, not as performances: their module is no format of the registry.
    assert {f.stem for f in files} - {"body_model"} == set(formats._MODULES)


def test_shared_endings_are_written_by_one_and_read_by_who_recognises_them(tmp_path):
    """``.csv`` belongs to the table; other formats read it, and only their long endings write them."""
    assert formats.format_of("a.csv", verb="write").name == "table"
    assert formats.format_of("a.LiveLink.csv", verb="write").name == "Live Link Face"
    for only_read in ("a.json", "a.mp3", "a.txt", "a.avi"):
        with pytest.raises(DataError, match="cannot write"):
            formats.format_of(only_read, verb="write")
    for text, wanted in (("Timecode," + "EyeBlinkLeft,EyeWideLeft,JawOpen,JawLeft,JawRight,MouthClose,CheekPuff,TongueOut", "Live Link Face"),
                         ("CTRL_L_eye-translateX\n", "MetaHuman controls"), ("time,a\n0,1\n", "table"), ("", "table")):  # fmt: skip
        path = tmp_path / "a.csv"
        path.write_text(text)
        assert formats.format_of(path).name == wanted
    # what recognises nothing in particular is asked last, wherever it stands in the list
    tables = [
        n for n in formats._MODULES if ".csv" in (*formats._MODULES[n], *formats._ALSO_READS.get(n, ()))
    ]
    assert [n for n in tables if import_module(f"kinesics.formats.{n}").FORMAT.recognises is None] == [
        "table"
    ]


def test_the_extension_decides_in_any_case(tmp_path):
    path = tmp_path / "my.show.v2.KIN"
    SHOW.save(path)
    assert formats.load(path).tier("words").labels == ("x",)


@pytest.mark.parametrize("name", ["x.xyz", "noextension", ".kin"])
def test_unknown_extensions_list_the_valid_ones(tmp_path, name):
    for call in (lambda p: formats.save(SHOW, p), formats.load, lambda p: formats.check_outputs([p])):
        with pytest.raises(DataError, match=r"\.bvh, .*\.glb, .*\.kin"):
            call(tmp_path / name)
    assert left(tmp_path) == set()


def test_two_outputs_of_one_name_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="two outputs name one file"):
        formats.save(SHOW, "a.kin", tmp_path / "sub" / ".." / "a.kin")
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    with pytest.raises(DataError, match="two outputs"):
        formats.check_outputs(["real/a.kin", "link/a.kin"])
    assert left(tmp_path) == {"real", "link"}


def test_missing_folders_are_made_and_impossible_ones_named(tmp_path):
    SHOW.save(tmp_path / "new" / "deep" / "a.kin")
    assert (tmp_path / "new" / "deep" / "a.kin").is_file()
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "a.kin", Path("/proc/nowhere/a.kin")):
        with pytest.raises(DataError, match="cannot write"):
            formats.check_outputs([path])
    (tmp_path / "folder.kin").mkdir()
    with pytest.raises(DataError, match="it is a folder"):
        formats.check_outputs([tmp_path / "folder.kin"])
    with pytest.raises(FormatError, match="found a folder"):
        formats.load(tmp_path / "folder.kin")
    with pytest.raises(FormatError, match="found nothing"):
        formats.load(tmp_path / "none.kin")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="cannot write"):
        formats.check_outputs([tmp_path / "a.kin"])


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.kin"
    path.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(DataError, match=r"No space left.*untouched"):
        SHOW.save(path)
    assert path.read_text() == "old"
    assert left(tmp_path) == {"a.kin"}


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_broken_writer_leaves_nothing(tmp_path, failure):
    path = tmp_path / "a.kin"

    def write():
        with _files.replacing(path) as file:
            file.write(b"half")
            raise failure

    with pytest.raises(failure):
        write()
    assert left(tmp_path) == set()


def test_a_replaced_file_keeps_its_rights(tmp_path):
    path = tmp_path / "a.kin"
    SHOW.save(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    SHOW.save(path)
    assert path.stat().st_mode & 0o777 == 0o640


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_unknown_options_are_named(tmp_path):
    with pytest.raises(DataError, match=r"'colour' for BVH; it takes: order, unit"):
        formats.save(SHOW, tmp_path / "a.bvh", colour="red")
    with pytest.raises(DataError, match="'colour'"):
        formats.load(tmp_path / "a.bvh", colour="red")


def test_options_reach_the_formats_that_take_them(tmp_path, take):
    take.save(tmp_path / "a.bvh", tmp_path / "a.kin", unit="m")
    spine = take.body.skeleton.offsets[take.body.skeleton.index("spine"), 1]
    assert f" {spine:.6f} " in (tmp_path / "a.bvh").read_text()


def test_what_a_format_needs_is_named(tmp_path):
    for extension, track in ((".bvh", "body"), (".wav", "speech"), (".bml", "plan")):
        with pytest.raises(DataError, match=track):
            SHOW.save(tmp_path / f"a{extension}")
    assert left(tmp_path) == set()


@pytest.mark.parametrize("extension", [".kin", ".glb", ".bvh", ".wav", ".flac", ".ogg", ".bml"])
def test_the_same_performance_gives_the_same_bytes(tmp_path, take, extension):
    one, two = tmp_path / f"1{extension}", tmp_path / f"2{extension}"
    take.save(one, two)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("extension", [".kin", ".glb", ".bvh", ".wav", ".flac", ".ogg", ".bml"])
def test_names_beyond_ascii(tmp_path, take, extension):
    path = tmp_path / f"Grüße 日本 🙂{extension}"
    take.save(path)
    assert formats.load(path).duration > 0.4 or extension == ".bml"


@pytest.mark.parametrize(("extension", "within"), [(".wav", 4e-5), (".flac", 4e-5), (".ogg", 0.35)])
def test_sound(tmp_path, take, extension, within):
    path = tmp_path / f"a{extension}"
    take.shift(0.5).save(path)
    back = formats.load(path).speech
    assert len(back) == 24000
    np.testing.assert_array_less(np.abs(back.samples[:7000]), 0.05)
    wanted = take.speech.samples.clip(-1, 1)
    assert np.abs(back.samples[8000:] - wanted).max() < within
    take.shift(-0.5).save(path)
    assert len(formats.load(path).speech) == 8000


def test_sound_in_more_bits(tmp_path, take):
    path = tmp_path / "a.wav"
    take.save(path, bits=32)
    np.testing.assert_array_equal(formats.load(path).speech.samples, take.speech.samples)
    with pytest.raises(DataError, match="bits=8"):
        take.save(path, bits=8)


def test_pipes_and_devices_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "a.bvh")
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    for name in ("a.bvh", "b.csv"):
        with pytest.raises(FormatError, match="found a pipe or device"):
            formats.load(tmp_path / name)


def test_a_message_stays_one_line_of_bounded_length():
    error = FormatError("a.bvh", "line 1", "a\nb" + "9" * 10_000, "mend it")
    assert "\n" not in str(error)
    assert len(str(error)) < 500
    assert str(error).endswith("…; mend it")


@pytest.mark.parametrize(
    "name", ["a\0b.kin", "a" * 300 + ".kin", "a/" * 3000 + "x.kin", "\ud800.kin", "pipe.kin"]
)
def test_names_that_no_file_can_have_are_refused(tmp_path, name):
    os.mkfifo(tmp_path / "pipe.kin")
    (tmp_path / "loop.kin").symlink_to("loop.kin")
    for call in (
        lambda p: SHOW.save(p),
        lambda p: formats.check_outputs([p]),
        lambda p: formats.convert(tmp_path / "loop.kin", p),
    ):
        with pytest.raises(DataError, match="cannot write"):
            call(tmp_path / name)
    with pytest.raises(FormatError):
        formats.load(tmp_path / name)


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "real.kin").write_text("old")
    for target in ("real.kin", "loop.kin", "nowhere/x.kin"):
        link = tmp_path / "loop.kin"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        SHOW.save(link)
        assert not link.is_symlink()
        assert formats.load(link)["words"] == SHOW["words"]
    assert (tmp_path / "real.kin").read_text() == "old"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.xml", "<coverage/>", "one of: BML 1.0, SiGML"),
        ("a.json", '{"clip": {"behaviors": ["walk"]}}', "one of: BEAT face, BML as JSON"),
    ],
)
def test_what_no_format_recognises_lists_those_that_share_the_ending(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=says):
        formats.load(tmp_path / name)
    (tmp_path / "b.xml").write_text(
        "<?xml version='1.0'?><b:bml xmlns:b='http://www.bml-initiative.org/bml/bml-1.0' id='a'/>"
    )
    assert formats.format_of(tmp_path / "b.xml").name == "BML 1.0"
