"""BEAT face JSON: names by name, times as they stand, bad files by frame."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import face_for_export
from kinesics.errors import DataError, FormatError
from kinesics.performance import Face, Performance


def load(tmp_path, data, name="x.beat.json", **options) -> Performance:
    path = tmp_path / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return formats.load(path, **options)


def take_of(times, names=ARKIT[:-1], **values):
    """A file with a frame at each time (None: without times)."""
    frames = []
    for i, t in enumerate(times):
        weights = [float(values[n][i]) if n in values else 0.0 for n in names]
        frames.append({"weights": weights, "rotation": []} | ({} if t is None else {"time": t}))
    return {"names": list(names), "frames": frames}


@pytest.mark.parametrize("fps", [60, 30, 25])
def test_round_trip(tmp_path, take, fps):
    path = tmp_path / "a.beat.json"
    face = take.face.resample(fps).shift(0.5)
    take.with_tracks(face=face).save(path)
    back = formats.load(path).face
    np.testing.assert_array_equal(back.values, face_for_export(face, take.body).values)
    assert (back.names, back.fps, back.start, len(back)) == (ARKIT, fps, 0.5, len(face))


def test_the_layout_is_beats(tmp_path):
    values = np.zeros((2, 52))
    values[:, ARKIT.index("jawOpen")] = 0.25
    show = Performance({"face": Face(values, ARKIT, 60)})
    show.save(tmp_path / "a.beat.json")
    data = json.loads((tmp_path / "a.beat.json").read_text())
    assert data["names"] == list(ARKIT[:51])
    assert [set(f) for f in data["frames"]] == [{"weights", "time", "rotation"}] * 2
    assert [f["time"] for f in data["frames"]] == [0, 0.016667]
    assert data["frames"][1]["weights"][ARKIT.index("jawOpen")] == 0.25
    show.save(tmp_path / "a.beat.json", tongue=True)
    assert json.loads((tmp_path / "a.beat.json").read_text())["names"] == list(ARKIT)


def test_a_tongue_that_moves_is_kept_or_told(tmp_path, take, caplog):
    take.save(tmp_path / "a.beat.json")
    assert formats.load(tmp_path / "a.beat.json").face.column("tongueOut").any()
    take.save(tmp_path / "a.beat.json", tongue=False)
    assert "the tongue moves" in caplog.text
    assert formats.load(tmp_path / "a.beat.json").meta["beat_face"]["missing"] == ["tongueOut"]


def test_names_count_and_order_does_not(tmp_path, caplog):
    show = load(
        tmp_path,
        take_of([0, 1 / 60], ("jawOpen", "Sparkle", "EyeBlinkLeft"), jawOpen=[0.1, 0.2], EyeBlinkLeft=[1, 0]),
    )
    np.testing.assert_allclose(show.face.column("jawOpen"), [0.1, 0.2], atol=1e-7)
    np.testing.assert_array_equal(show.face.column("eyeBlinkLeft"), [1, 0])
    assert show.meta["beat_face"]["extra"] == ["Sparkle"]
    assert "names missing" in caplog.text


def test_times(tmp_path, caplog):
    even = load(tmp_path, take_of([round(i / 60, 3) for i in range(100)]))
    assert (even.face.fps, len(even.face), even.meta["beat_face"]["resampled"]) == (60, 100, False)
    bare = load(tmp_path, take_of([None] * 5))
    assert (bare.face.fps, len(bare.face)) == (60, 5)
    gap = load(tmp_path, take_of([0, 0.1, 0.2, 0.5, 0.6], jawOpen=[0, 0.1, 0.2, 0.5, 0.6]))
    np.testing.assert_allclose(gap.face.column("jawOpen"), np.arange(7) / 10, atol=1e-6)
    assert gap.meta["beat_face"]["frames_missing"] == 2
    assert "not evenly spaced" in caplog.text
    assert load(tmp_path, take_of([0, 5, 1]), fps=50).face.fps == 50


def test_json_is_told_by_content(tmp_path):
    assert load(tmp_path, take_of([0, 1 / 60]), "a.json").face.fps == 60
    data = take_of([0, 1 / 60])
    assert load(tmp_path, {"frames": data["frames"], "names": data["names"]}, "b.json").face.fps == 60


def test_what_cannot_be_written_is_named(tmp_path, take):
    for face in (Face(np.zeros((1, 1)), ("a",), 60, "flame"), Face(np.zeros((0, 52)), ARKIT, 60)):
        with pytest.raises(DataError, match="ARKit coefficients"):
            Performance({"face": face}).save(tmp_path / "a.beat.json")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "complete JSON"),
        ("[" * 100_000, "complete JSON"),
        ("[]", "'names' and 'frames'"),
        ({"frames": []}, "names"),
        ({"names": ["jawOpen"], "frames": []}, "at least one frame"),
        ({"names": ["a"], "frames": [{"weights": [1]}]}, "ARKit names"),
        ({"names": ["jawOpen", "JawOpen"], "frames": [{"weights": [1, 1]}]}, "repeat"),
        ({"names": ["jawOpen"], "frames": [{"weights": [1, 2]}]}, r"frames\[0\].weights: expected 1 numbers"),
        ({"names": ["jawOpen"], "frames": [{"weights": [1]}, 7]}, r"frames\[1\]"),
        ({"names": ["jawOpen"], "frames": [{"weights": ["1"]}]}, "finite numbers"),
        ({"names": ["jawOpen"], "frames": [{"weights": [True]}]}, "finite numbers"),
        ({"names": ["jawOpen"], "frames": [{"weights": [[1]]}]}, "finite numbers"),
        ('{"names": ["jawOpen"], "frames": [{"weights": [NaN]}]}', "NaN"),
        ('{"names": ["jawOpen"], "frames": [{"weights": [1e999]}]}', "finite numbers"),
        ({"names": ["jawOpen"], "frames": [{"weights": [10**400]}]}, "finite numbers"),
        ({"names": ["jawOpen"], "frames": [{"weights": [1], "time": "0"}]}, r"frames\[0\].time"),
        (
            {"names": ["jawOpen"], "frames": [{"weights": [1], "time": 0}, {"weights": [1]}]},
            r"frames\[1\].time",
        ),
        ({"names": ["jawOpen"], "frames": [{"weights": [1], "time": t} for t in (0, 2, 1)]}, "rise"),
        ({"names": ["jawOpen"], "frames": [{"weights": [1], "time": t} for t in (0, 1e-9, 1e9)]}, "gaps"),
    ],
)
def test_faults_are_named(tmp_path, data, says):
    with pytest.raises(FormatError, match=says):
        load(tmp_path, data)


def test_truncation(tmp_path, take):
    path = tmp_path / "a.beat.json"
    take.slice(0, 0.1).save(path)
    whole = path.read_text()
    for end in range(0, len(whole) - 3, 61):
        path.write_text(whole[:end])
        with pytest.raises(FormatError, match="complete JSON"):
            formats.load(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["weights", "time", "names", "frames"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(["names", "frames", "weights", "time"]))
def test_fuzz(tmp_path_factory, value, where):
    data = take_of([0, 1 / 60], ("jawOpen",))
    (data if where in data else data["frames"][1])[where] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.beat.json"
    path.write_text(json.dumps(data))
    with suppress(FormatError):
        formats.load(path)
