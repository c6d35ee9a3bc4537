"""A generated stand-in for liver CT with tumours: `generate(index, settings)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.data.phantom.assemble import Phantom as Phantom
    from bench.data.phantom.assemble import generate as generate

__all__ = ["Phantom", "generate"]


def __getattr__(name: str) -> Any:
    """Import the generator when it is first used: suites are checked without scipy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bench.data.phantom import assemble

    return getattr(assemble, name)
