"""How a process is asked to stop, and how it does: it comes to a safe point first, so that nothing done is lost.

A worker only notes the request; what it does then looks here at its safe points: after a training step, between two
cases, between two jobs.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CODES = {signal.SIGINT: 128 + signal.SIGINT, signal.SIGTERM: 128 + signal.SIGTERM}
"""Exit codes of a process that ended because it was asked to."""

REPLACE = 75
"""Exit code of a worker that leaves the rest to a new process, as its own is of no use any more."""

_code: int | None = None


class Interrupted(SystemExit):
    """The end of a process that was asked to stop; `kept` says what there is to go on from."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.kept = ""


def ask(code: int) -> None:
    """Ask this process to end at the next safe point; the first request decides on the exit code."""
    global _code
    if _code is None:
        _code = code


def asked() -> bool:
    """Whether this process was asked to stop."""
    return _code is not None


def leave_if_asked() -> None:
    """A safe point.

    Raises:
        Interrupted: this process was asked to stop.
    """
    if _code is not None:
        raise Interrupted(_code)


@contextmanager
def noting_signals() -> Iterator[None]:
    """Inside the block SIGTERM and Ctrl-C ask to stop; a second Ctrl-C ends the process at once, by the kernel."""

    def note(number: int, _frame: FrameType | None) -> None:
        ask(128 + number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    global _code
    former = {number: signal.signal(number, note) for number in CODES}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        _code = None
