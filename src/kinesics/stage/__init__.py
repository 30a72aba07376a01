"""The stage: people who do not exist, with known intent and perfect labels.

>>> from kinesics.stage import speaker
>>> speaker(7, 3).name
's0003'
"""

from kinesics.stage.actions import make_actions
from kinesics.stage.conversations import conversation
from kinesics.stage.identities import identity
from kinesics.stage.layouts import write_layout
from kinesics.stage.listeners import listener
from kinesics.stage.pixels import render_clip
from kinesics.stage.speakers import make_speakers, speaker
from kinesics.stage.speech import script

__all__ = [
    "conversation",
    "identity",
    "listener",
    "make_actions",
    "make_speakers",
    "render_clip",
    "script",
    "speaker",
    "write_layout",
]
