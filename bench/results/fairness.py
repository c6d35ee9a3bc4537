"""Equal treatment: the cells of one seed and fold may stand in one table only if their digests say so."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bench.errors import RunError
from bench.results.load import FINISHED, PLANNED, Run

_MEANING = {
    "comparison": "other data, patches, budget or evaluation",
    "start_digest": "other initial weights",
    "order_digest": "other training patches or another number of steps",
}


def require_equal_treatment(run: Run) -> None:
    """Compare `comparison`, `start_digest` and `order_digest` between the methods of every seed and fold.

    Cells that ended early count for what they recorded; their order of patches is that of fewer steps and is not
    compared.

    Raises:
        RunError: digests differ, or a finished cell has none; the message names the cells.
    """
    recorded = run.cells[run.cells["status"] != PLANNED]
    for (seed, fold), cells in recorded.groupby(["seed", "fold"], sort=True):
        for name, meaning in _MEANING.items():
            _compare(cells, name, f"seed {seed}, fold {fold}", meaning, run)


def _compare(cells: pd.DataFrame, name: str, place: str, meaning: str, run: Run) -> None:
    finished = cells["status"] == FINISHED
    digests = cells[name] if name in cells else pd.Series(index=cells.index, dtype=object)
    known = digests.map(_is_digest)
    if (finished & ~known).any():
        folder = run.directory.cell(str(cells.loc[finished & ~known, "cell"].iloc[0]))
        raise RunError(f"{folder / 'cell.json'} has no {name}; a finished cell without it proves no equal treatment")
    compared = cells[known & (finished | (name != "order_digest"))]
    groups = compared.groupby(name, sort=False)["cell"].apply(list).to_dict()
    if len(groups) > 1:
        sides = "; ".join(f"{str(digest)[:12]}: {', '.join(ids)}" for digest, ids in groups.items())
        raise RunError(
            f"{run.directory.path}: the cells of {place} cannot stand in one table, their {name} differs "
            f"({meaning}): {sides}. Run the suite again in a new folder"
        )


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and value != ""
