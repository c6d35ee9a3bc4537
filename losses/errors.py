"""The one exception of this package."""

from __future__ import annotations


class LossError(ValueError):
    """A loss that does not exist, a parameter outside its domain, or tensors that a loss cannot use."""
