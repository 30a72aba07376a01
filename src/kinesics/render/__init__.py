"""Pictures and films of performances, by a deterministic rasteriser on the CPU (extra ``video``)."""

from kinesics.render.film import Film, film
from kinesics.render.painter import Frame, Painter
from kinesics.render.views import view_of

__all__ = ["Film", "Frame", "Painter", "film", "view_of"]
