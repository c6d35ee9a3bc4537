"""Dataset formats: each file is one, registered under its own stem. Importing this imports none of them."""

from __future__ import annotations

from bench.data.dataset import formats

__all__ = ["formats"]
