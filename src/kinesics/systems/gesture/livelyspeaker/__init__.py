"""LivelySpeaker (ICCV 2023): see :mod:`~kinesics.systems.gesture.livelyspeaker.spec`."""
