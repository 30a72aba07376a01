"""Benchmarks: ``python -m benchmarks`` measures and writes dated pages to ``docs/benchmarks``.

It runs every module here that has a function ``run(runs)``. That returns rows: :class:`Figure`, or mappings with
``what``, ``value``, ``unit`` and ``wanted``. The module's docstring says how the figures come about. Modules without
such a function measure quality on given recordings and are programs of their own.
"""
