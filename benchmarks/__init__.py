"""Benchmarks: each module here measures one thing; ``python -m benchmarks`` runs them and writes dated pages.

A benchmark is a module without a leading underscore that has ``METHOD``, a paragraph on how the
figures come about, and ``run(runs) -> list[Figure]``.
"""
