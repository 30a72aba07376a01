"""The one place where a missing torch is told to the user."""

from __future__ import annotations

from kinesics.errors import MissingExtra

try:
    import safetensors.torch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise MissingExtra("lab", "training and evaluating systems") from error
