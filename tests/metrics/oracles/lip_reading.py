"""Error rates: jiwer."""

from __future__ import annotations

from typing import Any

LIBRARIES = ("jiwer",)


def inputs() -> dict[str, Any]:
    """Sentences, true and read."""
    return {
        "true": [
            "the quick brown fox jumps over the lazy dog",
            "speech",
            "bin blue at f two now",
            "she said that he said that she said so",
        ],
        "read": [
            "the quick brown box jumped over a lazy dog again",
            "peach or speech",
            "bin blue f two",
            "he said that she said that so",
        ],
    }


def values() -> dict[str, Any]:
    import jiwer

    d = inputs()
    return {
        "wer": jiwer.wer(d["true"], d["read"]),
        "cer": jiwer.cer(d["true"], d["read"]),
        "each": [jiwer.wer(a, b) for a, b in zip(d["true"], d["read"], strict=True)],
    }
