"""Another try of cells that ended without scores: their records are set aside, so that they are to be done again."""

from __future__ import annotations

from collections.abc import Iterable

from bench.execution.claims import claim, forget
from bench.execution.damage import move_aside
from bench.files.checksum import is_sealed
from bench.results.records import read_cell
from bench.results.run_directory import RunDirectory


def ended_without_scores(run: RunDirectory, cells: Iterable[str]) -> dict[str, str]:
    """How those of the cells ended that diverged, ran out of memory, failed or died, by their ids."""
    published = (identity for identity in cells if is_sealed(run.cell(identity)))
    ends = {identity: str(read_cell(run.cell(identity))["status"]) for identity in published}
    return {identity: end for identity, end in ends.items() if end != "finished"}


def set_failed_aside(run: RunDirectory, cells: Iterable[str]) -> None:
    """Rename the records of such cells to `<id>.failed`, which no table reads; `clean` removes them.

    What a killed worker left of its attempts goes first, so that the deaths of the old try do not end the new one. Then
    one rename a cell: killed in between, some are to be done again and the others are as they were.
    """
    for identity in ended_without_scores(run, cells):
        lock = claim(run, identity)
        if lock is None:  # another process is at it already
            continue
        try:
            if ended_without_scores(run, [identity]):  # nobody else has set it aside meanwhile
                forget(run, identity)
                move_aside(run.cell(identity), "failed")
        finally:
            lock.release()
