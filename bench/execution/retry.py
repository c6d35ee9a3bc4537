"""Another try of what ended without scores or weights: its records are set aside, so that it is to be done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from bench.execution.claims import claim, forget
from bench.execution.damage import move_aside
from bench.files.checksum import is_sealed
from bench.files.json_files import read_json
from bench.results.records import QUALITY, read_cell
from bench.results.run_directory import RunDirectory


def ended_without_scores(run: RunDirectory, cells: Iterable[str]) -> dict[str, str]:
    """How those of the cells ended that diverged, ran out of memory, failed or died, by their ids."""
    published = (identity for identity in cells if is_sealed(run.cell(identity)))
    ends = {identity: str(read_cell(run.cell(identity))["status"]) for identity in published}
    return {identity: end for identity, end in ends.items() if end != "finished"}


def without_weights(run: RunDirectory, pretrainings: Iterable[str]) -> dict[str, str]:
    """How those of the pre-trainings ended that have no regressor to give, by their ids."""
    folders = {identity: run.pretrained(identity) for identity in pretrainings}
    ends = {name: str(read_json(folder / QUALITY)["status"]) for name, folder in folders.items() if is_sealed(folder)}
    return {identity: end for identity, end in ends.items() if end != "finished"}


def set_failed_aside(run: RunDirectory, cells: Iterable[str], pretrainings: Iterable[str] = ()) -> None:
    """Rename the records of such cells and pre-trainings to `<id>.failed`, which nothing reads; `clean` removes them.

    What a killed worker left of its attempts goes first, so that the deaths of the old try do not end the new one. Then
    one rename each: killed in between, some are to be done again and the others are as they were.
    """
    for identity in without_weights(run, pretrainings):
        _set_aside(run, identity, run.pretrained(identity), without_weights)
    for identity in ended_without_scores(run, cells):
        _set_aside(run, identity, run.cell(identity), ended_without_scores)


def _set_aside(
    run: RunDirectory, identity: str, folder: Path, failed: Callable[[RunDirectory, Iterable[str]], dict[str, str]]
) -> None:
    lock = claim(run, identity)
    if lock is None:  # another process is at it already
        return
    try:
        if failed(run, [identity]):  # nobody else has set it aside meanwhile
            forget(run, identity)
            move_aside(folder, "failed")
    finally:
        lock.release()
