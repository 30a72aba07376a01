"""The registry, and what every system must have."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import kinesics
from kinesics import systems
from kinesics.errors import DataError
from kinesics.systems import Capability, Config, System
from kinesics.systems._system import VERBS

EVERY = pytest.mark.parametrize("system", systems.available(), ids=lambda s: s.name)


def test_unknown_names_list_what_there_is():
    with pytest.raises(DataError, match=r"unknown system 'gesturelms'; choose one of: .*gesturelsm"):
        systems.find("gesturelms")
    with pytest.raises(DataError, match=r"unknown task 'juggling'; choose one of: .*gesture"):
        systems.available("juggling")


@EVERY
def test_a_system_says_what_it_is(system):
    capability = system.capability
    assert systems.find(system.name) is system
    assert callable(getattr(system, VERBS[capability.task]))
    assert capability.gives
    assert isinstance(capability.fps, Fraction)
    assert capability.look_ahead >= 0
    assert system.title
    assert system.stages
    module = sys.modules[system.__module__]
    folder = Path(module.__file__).parent
    assert (folder.parent.name, folder.name) == (capability.task, system.name)
    assert sorted(p.name for p in folder.glob("*.py")) == ["__init__.py", "net.py", "spec.py"]
    text = module.__doc__
    assert all(word in text for word in ("Paper", "In.", "Out.", "Faithful", "Differs")), (
        "the docstring is the spec"
    )


@EVERY
@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_presets_are_frozen_and_survive_json(system, preset):
    config = system.config_type.preset(preset)
    assert system.config_type.of_dict(config.as_dict()) == config
    name = dataclasses.fields(config)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, name, 1)
    for stage in system.stages:
        assert system(config).training(stage).steps > 0


def test_presets_and_settings_are_named_in_errors():
    kind = systems.find("gesturelsm").config_type
    with pytest.raises(DataError, match="unknown preset 'large'; choose one of: tiny, paper"):
        kind.preset("large")
    with pytest.raises(DataError, match=r"unknown setting 'layers'; choose one of: window"):
        kind.preset("tiny", layers=3)
    with pytest.raises(DataError, match="takes a GestureLSMConfig"):
        systems.find("gesturelsm")(Config())


@pytest.mark.parametrize(
    "changes",
    [{"width": "64"}, {"width": 1e9}, {"width": 10**9}, {"commit": None}, {"times": 2.0}, {"together": 1}],
)
def test_settings_of_another_type_are_refused(changes):
    kind = systems.find("gesturelsm").config_type
    with pytest.raises(DataError, match=f"{next(iter(changes))} is .*; expected one like"):
        kind.of_dict({**kind.tiny().as_dict(), **changes})


def test_the_key_of_examples_changes_with_what_they_depend_on():
    system = systems.find("gesturelsm")
    keys = {system(system.config_type.preset("tiny", stride=n)).key for n in (10, 10, 20)}
    assert len(keys) == 2


def test_a_system_without_its_tasks_verb_cannot_be_written():
    with pytest.raises(TypeError, match=r"without perform\(\)"):

        class Silent(System):
            capability = Capability("gesture", (), ("body",), "humanoid", Fraction(30), 0.0, (), "none")

            def training(self, stage):
                raise NotImplementedError

            def examples(self, performance):
                raise NotImplementedError


def test_naming_systems_loads_neither_torch_nor_the_runtime():
    code = "import sys; from kinesics import systems; systems.available(); print(*sys.modules)"
    src = str(Path(kinesics.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": src, "PATH": ""},
    )
    assert not set(done.stdout.split()) & {"torch", "openvino", "onnx", "scipy", "numba"}
