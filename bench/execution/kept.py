"""What an interrupted run keeps, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.errors import BenchError
from bench.execution.status import CellStatus, Status, read_status
from bench.results.run_directory import RunDirectory
from bench.stopping import Interrupted

NAMED = 3
"""Interrupted cells that the line names."""


@contextmanager
def saying_what_is_kept(run: RunDirectory) -> Iterator[None]:
    """Give an interruption of the block the words for whoever interrupted."""
    try:
        yield
    except Interrupted as ending:
        with suppress(BenchError):  # a run that cannot be read is no reason not to end as asked
            ending.kept = kept_words(read_status(run))
        raise


def kept_words(status: Status) -> str:
    """`1 of 4 cells done, kept: dice-s0-f0-…: training 17 of 30`."""
    done = sum(cell.state == "done" for cell in status.cells)
    begun = [cell for cell in status.cells if cell.state in ("interrupted", "working")]
    names = [*map(_place, begun[:NAMED]), *([f"{len(begun) - NAMED} more"] if len(begun) > NAMED else [])]
    kept = f", kept: {', '.join(names)}" if names else ""
    return f"{done} of {len(status.cells)} cells done{kept}"


def _place(cell: CellStatus) -> str:
    return f"{cell.id} at {cell.phase} {cell.step} of {cell.steps}"
