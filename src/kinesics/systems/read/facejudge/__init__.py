"""The judge of faces, ours: see :mod:`~kinesics.systems.read.facejudge.spec`."""
