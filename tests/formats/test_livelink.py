"""Live Link Face CSV: names by name, signs by the anatomy, time by the timecode, bad files by line."""

from __future__ import annotations

import gzip
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError, FormatError
from kinesics.formats import _timecode
from kinesics.formats.livelink import COLUMNS
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Performance


def code(frame: float, base: int = 60) -> str:
    return _timecode.label(frame, base)


def table(places, columns=COLUMNS, *, base=60, **values) -> str:
    """A recording with a row at each place (frames since midnight); ``values`` are numbers or arrays."""
    lines = ["Timecode,BlendshapeCount," + ",".join(columns)]
    for i, place in enumerate(places):
        cells = [values.get(c, 0.0) for c in columns]
        cells = [c[i] if np.ndim(c) else c for c in cells]
        label = place if isinstance(place, str) else code(place, base)
        lines.append(f"{label},{len(columns)}," + ",".join(f"{c:.10f}" for c in cells))
    return "\n".join(lines) + "\n"


def load(tmp_path: Path, text: str, name: str = "x.livelink.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return formats.load(path, **options)


def real(shared_data, tmp_path: Path, take: int) -> Path:
    source = shared_data("nc-livelink_face_csv") / f"MySlate_{take}_iPhone_cal.csv.gz"
    path = tmp_path / source.stem
    path.write_bytes(gzip.decompress(source.read_bytes()))
    return path


def test_round_trip(tmp_path, take):
    path = tmp_path / "a.livelink.csv"
    take.save(path)
    back = formats.load(path)
    wanted = face_for_export(take.face, take.body)
    assert np.abs(back.face.values - wanted.values).max() < 1e-6
    assert (back.face.names, back.face.fps, len(back.face)) == (ARKIT, 60, 60)
    head = rot.multiply(take.body.joint("neck"), take.body.joint("head"))
    assert np.max(rot.angle(rot.multiply(back.body.joint("neck"), back.body.joint("head")), head)) < 1e-6
    for eye in ("leftEye", "rightEye"):
        assert np.max(rot.angle(back.body.joint(eye), take.body.joint(eye))) < 1e-6
    assert back.meta["livelink"] == {
        "missing": [], "extra": [], "timecode": "00:00:00:00.000", "frames_missing": 0,
        "frames_repeated": 0, "resampled": False, "measured_fps": 60.0,
    }  # fmt: skip


def test_the_header_is_the_apps(tmp_path, take, shared_data):
    take.save(tmp_path / "a.livelink.csv")
    header = (tmp_path / "a.livelink.csv").read_text().split("\n", 1)[0]
    assert header == real(shared_data, tmp_path, 161).read_text().split("\n", 1)[0]


def test_gaze_can_stay_the_faces_own(tmp_path, take):
    take.save(tmp_path / "a.livelink.csv", eye_look="face")
    assert formats.load(tmp_path / "a.livelink.csv").face.difference(take.face) < 1e-6
    with pytest.raises(DataError, match="eye_look 'nose'"):
        take.save(tmp_path / "a.livelink.csv", eye_look="nose")


def test_a_face_without_a_body_gets_eyes_that_look_where_it_says(tmp_path):
    values = np.zeros((3, 52))
    values[:, ARKIT.index("eyeLookOutLeft")] = [0, 0.5, 1]
    values[:, ARKIT.index("eyeLookInRight")] = [0, 0.5, 1]
    Performance({"face": Face(values, ARKIT, 60)}).save(tmp_path / "a.livelink.csv")
    show = formats.load(tmp_path / "a.livelink.csv")
    gaze = rot.rotate(show.body.joint("leftEye"), [0, 0, 1.0])
    np.testing.assert_allclose(np.degrees(np.arctan2(gaze[:, 0], gaze[:, 2])), [0, 17.5, 35], atol=1e-3)
    assert np.abs(face_for_export(show.face, show.body).values - values).max() < 1e-6


@pytest.mark.parametrize(
    ("column", "to"),
    [
        ("HeadYaw", [-1, 0, 0]),  # the nose turns to the own right, which is −X
        ("HeadPitch", [0, -1, 0]),  # the nose goes down
        ("LeftEyeYaw", [-1, 0, 0]),
        ("RightEyePitch", [0, -1, 0]),
    ],
)
def test_signs(tmp_path, column, to):
    body = load(tmp_path, table([0, 1], **{column: 0.3})).body
    assert body.skeleton.names == JOINTS
    joint = {"L": "leftEye", "R": "rightEye", "H": "head"}[column[0]]
    turn = body.joint(joint)
    if joint == "head":
        turn = rot.multiply(body.joint("neck"), turn)
    moved = rot.rotate(turn, [0, 0, 1.0])[0]
    np.testing.assert_allclose(
        moved, np.cos(0.3) * np.array([0, 0, 1]) + np.sin(0.3) * np.array(to), atol=1e-6
    )


def test_positive_roll_leans_to_the_own_left(tmp_path):
    body = load(tmp_path, table([0], HeadRoll=0.3)).body
    crown = rot.rotate(rot.multiply(body.joint("neck"), body.joint("head")), [0, 1.0, 0])[0]
    np.testing.assert_allclose(crown, [np.sin(0.3), np.cos(0.3), 0], atol=1e-6)


def test_real_gaze_agrees_with_real_coefficients(shared_data, tmp_path):
    """The app's own eyeLook curves rise and fall with those that follow from its eye angles."""
    takes = [formats.load(real(shared_data, tmp_path, n)) for n in (161, 162, 167)]
    for name in EYE_LOOK:
        own = np.concatenate([t.face.column(name) for t in takes])
        derived = np.concatenate([face_for_export(t.face, t.body).column(name) for t in takes])
        assert np.corrcoef(own, derived)[0, 1] > 0.9, name
        assert np.abs(own - derived).mean() < 0.06, name


def test_real_eyes_turn_without_torsion(shared_data, tmp_path):
    """What settles the sign of roll and the order: read so, yaw times pitch leaves no twist of the eyes."""
    body = formats.load(real(shared_data, tmp_path, 167)).body
    for eye in ("leftEye", "rightEye"):
        pitch, yaw, twist = rot.to_euler(body.joint(eye).astype(float), "XYZ").T
        terms = np.stack([yaw * pitch, yaw, pitch, np.ones_like(yaw)], axis=1)
        assert abs(np.linalg.lstsq(terms, twist, rcond=None)[0][0]) < 0.05


def test_real_takes(shared_data, tmp_path):
    for take, rows in ((161, 1846), (164, 1895), (169, 1852)):
        show = formats.load(real(shared_data, tmp_path, take))
        told = show.meta["livelink"]
        assert (told["frames_missing"], told["frames_repeated"], told["missing"], told["extra"]) == (
            0,
            0,
            [],
            [],
        )
        assert told["resampled"]
        assert told["measured_fps"] == pytest.approx(59.9, abs=0.02)
        # 1.0016 frames from row to row: the last lies later than its number says.
        assert len(show.face) == round((rows - 1) * 1.0016) + 1
        assert show.face.values.max() <= 1
        show.save(tmp_path / "o.livelink.csv", eye_look="face")
        back = formats.load(tmp_path / "o.livelink.csv")
        assert back.face.difference(show.face) < 1e-6
        assert back.body.difference(show.body) < 1e-6
        assert back.meta["livelink"]["timecode"] == told["timecode"]
        rows_alone = formats.load(real(shared_data, tmp_path, take), clock="rows")
        assert len(rows_alone.face) == rows


def test_names_count_and_order_does_not(tmp_path):
    order = tuple(reversed(COLUMNS))
    show = load(tmp_path, table([0], order, JawLeft=0.25, JawRight=0.5, TongueOut=1.0))
    assert [float(show.face.column(n)[0]) for n in ("jawLeft", "jawRight", "tongueOut")] == [0.25, 0.5, 1]
    lower = (
        table([0], order, JawLeft=0.25)
        .replace("JawLeft", "jawLeft")
        .replace("BlendshapeCount", "BlendShapeCount")
    )
    assert load(tmp_path, lower).face.column("jawLeft")[0] == 0.25


def test_old_files_lack_columns_and_new_ones_have_more(tmp_path, caplog):
    show = load(tmp_path, table([0, 1], ("JawOpen", "EyeBlinkLeft", "Sparkle"), JawOpen=0.5))
    assert show.face.column("jawOpen")[0] == 0.5
    assert "body" not in show
    assert "TongueOut" in show.meta["livelink"]["missing"]
    assert show.meta["livelink"]["extra"] == ["Sparkle"]
    assert "lacks the columns" in caplog.text
    caplog.clear()
    load(tmp_path, table([0, 1]).replace(",61,", ",52,"))
    assert "BlendshapeCount is 52, but there are 61 columns" in caplog.text


def test_a_head_alone_keeps_the_gaze_of_the_coefficients(tmp_path):
    show = load(
        tmp_path, table([0], (*COLUMNS[:52], "HeadYaw"), EyeLookUpLeft=0.5, EyeLookUpRight=0.5, HeadYaw=0.1)
    )
    assert face_for_export(show.face, show.body).column("eyeLookUpLeft")[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("delimiter", "end"), [(";", "\n"), ("\t", "\r\n"), (",", "\r\n")])
def test_other_delimiters_line_ends_and_marks(tmp_path, delimiter, end):
    text = "\ufeff" + table([0, 1], JawOpen=0.5).replace(",", delimiter).replace("\n", end) + end * 2
    assert load(tmp_path, text, "x.csv").face.column("jawOpen")[1] == 0.5


def test_missing_frames_are_filled_and_repeated_ones_left_out(tmp_path, caplog):
    places = [0, 1, 2, 2, 6, 7, 8]
    show = load(tmp_path, table(places, JawOpen=np.array(places) / 10, HeadYaw=np.array(places) / 100))
    assert (len(show.face), show.face.fps) == (9, 60)
    np.testing.assert_allclose(show.face.column("jawOpen"), np.arange(9) / 10, atol=1e-6)
    yaw = rot.to_euler(rot.multiply(show.body.joint("neck"), show.body.joint("head")).astype(float), "YXZ")[
        :, 0
    ]
    np.testing.assert_allclose(yaw, -np.arange(9) / 100, atol=1e-6)
    told = show.meta["livelink"]
    assert (told["frames_missing"], told["frames_repeated"], told["resampled"]) == (3, 1, True)
    assert "3 frames are missing" in caplog.text


def test_over_midnight(tmp_path):
    day = 24 * 3600 * 60
    show = load(tmp_path, table([day - 2, day - 1, 0, 1], JawOpen=np.arange(4) / 10))
    np.testing.assert_allclose(show.face.column("jawOpen"), [0, 0.1, 0.2, 0.3], atol=1e-6)
    assert show.meta["livelink"]["frames_missing"] == 0
    show.save(tmp_path / "b.livelink.csv")
    assert [r[:15] for r in (tmp_path / "b.livelink.csv").read_text().splitlines()[1:]] == [
        "23:59:59:58.000", "23:59:59:59.000", "00:00:00:00.000", "00:00:00:01.000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "fps"),
    [
        ([code(i, 30) for i in range(70)], 30),
        ([code(i, 24) for i in range(70)], 24),
        ([code(i, 25) for i in range(70)], 25),
        ([code(i / 2, 30) for i in range(140)], 60),
        ([f"00:00:{i // 30:02d};{i % 30:02d}.000" for i in range(70)], Fraction(30000, 1001)),
        ([f"00:00:{i // 60:02d};{i % 60:02d}" for i in range(140)], Fraction(60000, 1001)),
        ([str(i + 7) for i in range(70)], 60),
    ],
)
def test_bases_of_timecode(tmp_path, labels, fps):
    show = load(tmp_path, table(labels, ("JawOpen",), JawOpen=np.arange(len(labels)) / 200))
    assert (show.face.fps, len(show.face)) == (fps, len(labels))
    np.testing.assert_allclose(show.face.column("jawOpen"), np.arange(len(labels)) / 200, atol=1e-6)


def test_drop_frame_skips_numbers_and_no_time(tmp_path):
    """00:00:59;29 is followed by 00:01:00;02, and 00:09:59;29 by 00:10:00;00 (SMPTE ST 12-1)."""
    labels = ["00:00:59;28", "00:00:59;29", "00:01:00;02", "00:01:00;03"]
    show = load(tmp_path, table(labels, ("JawOpen",)))
    assert (len(show.face), show.meta["livelink"]["frames_missing"]) == (4, 0)
    labels = ["00:09:59;28", "00:09:59;29", "00:10:00;00", "00:10:00;01"]
    assert len(load(tmp_path, table(labels, ("JawOpen",))).face) == 4


def test_start_timecode(tmp_path, take):
    path = tmp_path / "a.livelink.csv"
    take.shift(0.5).save(path, start_timecode="10:20:30:40.250")
    assert path.read_text().splitlines()[1].startswith("10:20:31:10.250,61,")
    for bad in ("10:20:30", "10:20:30:60.000", "25:00:00:00.000", "x"):
        with pytest.raises(DataError, match="timecode"):
            take.save(path, start_timecode=bad)


def test_other_rates_and_bases_are_told(tmp_path, take, caplog):
    take.with_tracks(face=take.face.resample(30), body=None).save(tmp_path / "a.livelink.csv")
    assert "resampled to 60" in caplog.text
    assert len(formats.load(tmp_path / "a.livelink.csv").face) == 60
    with pytest.raises(DataError, match="basis 'flame'"):
        Performance({"face": Face(np.zeros((1, 1)), ("a",), 60, "flame")}).save(tmp_path / "a.livelink.csv")
    assert len(formats.load(tmp_path / "a.livelink.csv").face) == 60


SMALL = table([100, 101, 102], JawOpen=0.5)


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("Timecode", "Time", "line 1", "Timecode"),
        ("JawLeft", "JawRight", "line 1", "repeats"),
        ("00:00:01:41.000", "00:00:01", "line 3", "HH:MM:SS:FF"),
        ("00:00:01:41.000", "25:00:01:41.000", "line 3", "HH:MM:SS:FF"),
        ("00:00:01:41.000", "٠٠:00:01:41.000", "line 3", "HH:MM:SS:FF"),
        ("00:00:01:41.000", "00:00:01:39.000", "line 3", "a timecode after"),
        ("00:00:01:42.000", "11:00:01:42.000", "timecode", "without long gaps"),
        ("00:00:01:41.000,61,0.0", "00:00:01:41.000,61,nan", "line 3", "'EyeBlinkLeft', found 'nan"),
        ("00:00:01:41.000,61,0.0", "00:00:01:41.000,61,1e99", "line 3", "'EyeBlinkLeft'"),
        ("00:00:01:41.000,61,0.0", "00:00:01:41.000,61,x", "line 3", "'EyeBlinkLeft'"),
        ("00:00:01:41.000,61,", "00:00:01:41.000,61,0,", "line 3", "63 cells, found 64"),
    ],
)
def test_faults_are_named(tmp_path, old, new, where, says):
    with pytest.raises(FormatError, match=says) as caught:
        load(tmp_path, SMALL.replace(old, new, 1))
    assert caught.value.where == where


def test_a_wild_timecode_can_be_ignored(tmp_path):
    text = SMALL.replace("00:00:01:42.000", "11:00:01:42.000")
    assert len(load(tmp_path, text, clock="rows").face) == 3


def test_truncation_and_noise(tmp_path):
    path = tmp_path / "cut.livelink.csv"
    last = SMALL.rindex(",")
    for end in range(0, last, 37):
        path.write_text(SMALL[:end])
        if SMALL[:end].count("\n") > 1 and SMALL[end - 1] == "\n":
            continue
        with pytest.raises(FormatError, match=r"cut\.livelink\.csv"):
            formats.load(path)
    for noise in (
        b"",
        b"\n\n",
        b"\0" * 999,
        b"\xff" * 999,
        b"\xff\xfe\0",
        b"," * 100_000,
        b'"' * 99_999,
        b"Timecode,\n" * 999,
    ):
        path.write_bytes(noise)
        with pytest.raises(FormatError, match=r"cut\.livelink\.csv"):
            formats.load(path)


@given(st.data())
def test_fuzz(tmp_path_factory, data):
    lines = [line.split(",") for line in SMALL.splitlines()]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(0, len(lines) - 1))
        column = data.draw(st.integers(0, len(lines[row]) - 1))
        lines[row][column] = data.draw(
            st.sampled_from(
                [
                    "",
                    "nan",
                    "1e400",
                    "-1",
                    '"',
                    "23:59:59:59.999",
                    "00:00:00:00",
                    "99999999",
                    "\n",
                    "0x10",
                    "1_0",
                ]
            )
            | st.text(max_size=9)
        )
    path = tmp_path_factory.getbasetemp() / "fuzz.livelink.csv"
    path.write_text("\n".join(map(",".join, lines)), encoding="utf-8", errors="surrogatepass")
    with suppress(FormatError):
        formats.load(path)
