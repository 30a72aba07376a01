"""EMOTE (SIGGRAPH Asia 2023): see :mod:`~kinesics.systems.face.emote.spec`."""
