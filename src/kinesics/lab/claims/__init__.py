"""The ledger of claims: what made each system worth publishing, tested again and recorded whether or not it holds.

A claim is a module of this room that ends in ``CLAIM`` (:class:`Claim`): arms that are trained on the same
budget and seeds, measures, and a rule, stated in words, that says from the numbers whether it holds.

>>> from kinesics.lab import claims
>>> "gesturelsm" in claims.available()
True
"""

from kinesics.lab.claims._ledger import (
    Arm,
    Claim,
    Run,
    Verdict,
    available,
    claim,
    find,
    higher,
    lower,
    table,
    verdicts,
)

__all__ = [
    "Arm",
    "Claim",
    "Run",
    "Verdict",
    "available",
    "claim",
    "find",
    "higher",
    "lower",
    "table",
    "verdicts",
]
