"""From meaning to movement: notation, lexicon, planner, realisers, and the performer that runs them."""
