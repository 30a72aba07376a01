"""SPECTRE (CVPRW 2023): see :mod:`~kinesics.systems.read.spectre.spec`."""
