"""GestureLSM (ICCV 2025): see :mod:`~kinesics.systems.gesture.gesturelsm.spec`."""
