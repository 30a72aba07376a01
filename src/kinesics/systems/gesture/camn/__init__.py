"""CaMN (ECCV 2022): see :mod:`~kinesics.systems.gesture.camn.spec`."""
