"""Measures of performances, one module per subject."""
