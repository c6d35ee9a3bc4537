"""The message with which a worker ends, passed to whoever started it through a pipe: a full disk cannot lose it."""

from __future__ import annotations

import os
from contextlib import suppress

VARIABLE = "IMBALANCE_BENCH_LAST_WORDS"
"""Environment variable with the number of the pipe's end that a worker writes to."""

LONGEST_BYTES = 32_768
"""A pipe holds this much without anybody reading."""


def say(message: str) -> None:
    """In a worker: leave the message; does nothing in a process that no other is waiting for."""
    number = os.environ.get(VARIABLE)
    if number is not None:
        with suppress(OSError):  # whoever started this worker is gone
            os.write(int(number), message.encode()[:LONGEST_BYTES])


class Ear:
    """The other end of the pipe; `number` is for the worker, which must inherit it."""

    def __init__(self) -> None:
        self._reading, self.number = os.pipe()
        os.set_blocking(self._reading, False)

    def started(self) -> None:
        """The worker has its end now."""
        os.close(self.number)

    def hear(self) -> str:
        """What the worker has said, once it has ended; nothing is there to be heard a second time."""
        try:
            said = os.read(self._reading, LONGEST_BYTES)
        except BlockingIOError:  # a process that the worker started still has the other end
            said = b""
        return said.decode(errors="replace")

    def __del__(self) -> None:
        os.close(self._reading)
