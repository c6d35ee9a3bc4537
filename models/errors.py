"""The one exception of this package."""

from __future__ import annotations


class ModelError(ValueError):
    """A network that does not exist, a parameter outside its domain, or an image that a network cannot take."""
