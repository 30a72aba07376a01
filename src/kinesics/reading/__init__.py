"""Video in, time-aligned annotation out: reading, and what shows what was read."""
