"""Kinesics: the nonverbal half of human communication, in both directions."""
