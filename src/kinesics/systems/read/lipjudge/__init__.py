"""The judge of filmed lips, ours: see :mod:`~kinesics.systems.read.lipjudge.spec`."""
