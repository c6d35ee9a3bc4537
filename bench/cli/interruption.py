"""Ctrl-C and SIGTERM end a run in an orderly way: workers first, one line in place of a traceback, the usual code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def resumable(hint: str) -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C inside the block into an exit with 128 + signal, after all clean-up; print `hint`."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit as ending:
        if ending.code in (128 + signal.SIGTERM, 128 + signal.SIGINT):
            print(hint, file=sys.stderr)
        raise
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
