"""A line that shows what is being done and leaves no trace, on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys


def passing(line: str) -> None:
    """Show a line on standard error in place of the one before; an empty one clears it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{line[:100]}", end="", file=sys.stderr, flush=True)
