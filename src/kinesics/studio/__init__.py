"""The browser viewer: one page, one file, served on this machine alone.

The page's TypeScript lives in ``studio/`` at the root of the repository, its built bundle in
``static/`` beside this file.
"""

from kinesics.studio.server import MAX_BYTES, Viewer, view

__all__ = ["MAX_BYTES", "Viewer", "view"]
