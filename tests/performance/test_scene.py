"""Scenes: people by name and number, all tracks in one performance and back, tables."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import kinesics as kn
from kinesics.errors import DataError
from kinesics.performance import Audio, Interval, Performance, Scene, Signal, Tier


def person(label: str = "smile", start: float = 1.0) -> Performance:
    gaze = Signal(np.arange(6).reshape(3, 2), ("yaw", "pitch"), ("deg", "deg"), 2, 0.5, np.full((3, 2), 0.5))
    return Performance(
        {"smile": Tier("smile", [Interval(start, start + 1, label, 0.7, 0.9)]), "gaze": gaze},
        {"avatar": "maya"},
    )


@pytest.fixture
def scene() -> Scene:
    sound = Audio(np.zeros(48000), 16000)
    return Scene(
        {"ann": person(), "bob": person("grin", 4.0)},
        {"cup": {"x": 1}},
        (("ann", "looks at", "cup"),),
        {"speech": sound},
        {"note": "ü"},
    )


def test_people_are_found_by_name_and_number(scene):
    assert scene.people[0].tier("smile")[0].label == "smile"
    assert scene.people[-1] is scene.people["bob"]
    assert (list(scene.people), len(scene.people), "ann" in scene.people) == (["ann", "bob"], 2, True)
    for missing in (2, -3, "eve"):
        with pytest.raises(DataError, match="this scene has: ann, bob"):
            scene.people[missing]


def test_it_lasts_as_long_as_its_longest_track(scene):
    assert scene.duration == 5.0
    assert Scene(shared=scene.shared).duration == 3.0


def test_names_that_could_not_be_told_apart_are_refused():
    for people in ({"a/b": Performance()}, {"": Performance()}):
        with pytest.raises(DataError, match="without '/'"):
            Scene(people)
    with pytest.raises(DataError, match="without '/'"):
        Scene(shared={"a/b": Tier("x")})
    with pytest.raises(DataError, match="is a Tier"):
        Scene({"ann": Tier("x")})


def test_one_performance_of_all_and_back(scene):
    for same in (Scene.of(scene.as_performance()), pickle.loads(pickle.dumps(scene))):
        assert list(same.people) == ["ann", "bob"]
        for name, own in scene.people.items():
            assert max(same.people[name].difference(own).values()) == 0
            assert dict(same.people[name].meta) == {"avatar": "maya"}
        assert dict(same.objects) == {"cup": {"x": 1}}
        assert same.relations == (("ann", "looks at", "cup"),)
        assert list(same.shared) == ["speech"]
        assert dict(same.meta) == {"note": "ü"}


def test_what_is_no_scene_is_refused(scene):
    whole = scene.as_performance()
    with pytest.raises(DataError, match="one person's"):
        Scene.of(person())
    for people in ({"ann": {}}, {"ann": {}, "bob": 3}):
        about = {**whole.meta["scene"], "people": people, "relations": []}
        with pytest.raises(DataError):
            Scene.of(Performance(whole.tracks, {"scene": about}))


def test_a_person_with_what_is_shared(scene):
    alone = scene.person("bob")
    assert list(alone) == ["speech", "smile", "gaze"]
    assert alone.meta["avatar"] == "maya"


def test_the_table_has_a_row_per_number_and_interval(scene):
    table = scene.table()
    assert {len(column) for column in table.values()} == {2 * (1 + 6)}
    assert list(table) == [
        "person", "track", "type", "time", "end", "name", "value", "confidence", "label",
    ]  # fmt: skip
    mine = (table["person"] == "bob") & (table["track"] == "gaze") & (table["name"] == "pitch")
    assert table["time"][mine].tolist() == [0.5, 1.0, 1.5]
    assert table["value"][mine].tolist() == [1, 3, 5]
    assert np.isnan(table["end"][mine]).all()
    smiles = scene.table(["smile"])
    assert smiles["label"].tolist() == ["smile", "grin"]
    assert smiles["end"].tolist() == [2, 5]
    np.testing.assert_allclose(smiles["confidence"], 0.9)


def test_tables_of_chosen_tracks_and_of_one_person(scene):
    assert scene.table(["ann/smile"])["person"].tolist() == ["ann"]
    assert "person" not in scene.people[0].table()
    assert all(len(c) == 0 for c in kn.Scene().table().values())
    with pytest.raises(DataError, match="choose from: smile, gaze"):
        scene.table(["wink"])
