"""Ctrl-C and SIGTERM end a run in an orderly way: workers first, one line in place of a traceback, the usual code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bench.stopping import CODES, Interrupted


@contextmanager
def resumable() -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C inside the block into `Interrupted`, and that into one line; a second Ctrl-C breaks in.

    The first signal leads through all clean-up. During that SIGTERM is ignored, and Ctrl-C raised again, so that the
    clean-up ends what it is waiting for.
    """
    interrupted = False

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted and sys.stderr.isatty():  # who waits at a terminal would press again
            print("stopping when the present step has a checkpoint; Ctrl-C again ends at once", file=sys.stderr)
        if not interrupted or number == signal.SIGINT:
            interrupted = True
            raise Interrupted(128 + number)

    former = {number: signal.signal(number, end) for number in CODES}
    try:
        with telling():
            yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def telling() -> Iterator[None]:
    """Print what is kept when the block is interrupted, one line."""
    try:
        yield
    except Interrupted as ending:
        kept = f" ({ending.kept})" if ending.kept else ""
        print(f"interrupted{kept}; the same command goes on from there", file=sys.stderr)
        raise
