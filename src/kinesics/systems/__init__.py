"""The published systems: one small folder each, and one registry.

A system is ``systems/<task>/<name>/`` with two modules. ``spec.py`` imports without torch: the configuration
with its presets, the capability, the features, and the task's verb (``perform`` for gesture and face) over a few
exported networks. ``net.py`` is torch: the networks and ``loss(batch, stage)``. Nothing else: training, reading,
sampling and measuring are done once for all, in :mod:`kinesics.lab`, :mod:`kinesics.corpora`,
:mod:`kinesics.nn.samplers` and :mod:`kinesics.metrics`. To add one, write the folder and one line in
``_registry.py``.

>>> from kinesics import systems
>>> systems.find("gesturelsm").capability.gives
('body',)
"""

from kinesics.systems._loading import load_system
from kinesics.systems._registry import available, find
from kinesics.systems._system import Capability, Config, System, Training

__all__ = ["Capability", "Config", "System", "Training", "available", "find", "load_system"]
