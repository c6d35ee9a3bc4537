"""What a row has from other jobs, and whether its regressor did anything: said beside its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.results.load import FINISHED, Run

IDLE = 0.01
"""Share of the gradient at the backbone below which a term is idle."""

_SHARES = {"regression_gradient_share": "the regression", "segmentation_gradient_share": "the loss"}


def stage_remarks(run: Run, cells: pd.DataFrame) -> tuple[str, ...]:
    """What must be said of one row's finished cells: where they started, and terms that were idle all along."""
    finished = cells[cells["status"] == FINISHED]
    return tuple(dict.fromkeys((*_starts(run, finished), *_idle(run, finished))))


def _starts(run: Run, finished: pd.DataFrame) -> Iterator[str]:
    if "started_from.cell" not in finished:
        return
    for _, cell in finished[finished["started_from.cell"].notna()].iterrows():
        first, control = _first_and_control(run, str(cell["method"]), str(cell["started_from.cell"]))
        before, here = int(cell["started_from.steps"]), int(cell["steps"])
        is_control = cell["method"] == control
        against = "what was started alike" if is_control else run.methods.get(control, control)
        yield (
            f"warm start from the best weights of {run.methods.get(first, first)}, so {before} + {here} steps in all; "
            f"it compares with {against}, and with no row that was trained from scratch"
        )


def _first_and_control(run: Run, row: str, start: str) -> tuple[str, str]:
    """The method that a row was started from, and the one that only continues it, by the same learning rate."""
    first = str(run.plan[start]["method"]) if start in run.plan else start
    settings = {method["id"]: method for method in run.suite["methods"]}
    continued = [settings.get(first, {}).get(key) for key in ("loss", "regressor")]
    for name, method in settings.items():
        same = [method.get(key) for key in ("loss", "regressor")] == continued
        if same and method.get("start") and method["start"] == settings[row].get("start"):
            return first, name
    return first, first


def _idle(run: Run, finished: pd.DataFrame) -> Iterator[str]:
    history = run.history
    if "regression_reach" not in history:
        return
    rows = history[history["cell"].isin(finished["cell"]) & history["regression_reach"].notna()]
    if rows.empty:
        return
    for column, name in _SHARES.items():
        if column in rows and (rows[column].fillna(1) < IDLE).all():
            yield f"idle term: {name} had less than 1 % of the gradient at the backbone all along"
    dead = [_dead_since(part) for _, part in rows.groupby("cell", sort=False)]
    if any(step is not None for step in dead):
        steps = ", ".join(str(step) for step in dead if step is not None)
        yield f"dead head: from step {steps} on the regression had no gradient at any voxel"


def _dead_since(rows: pd.DataFrame) -> int | None:
    """The step from which on to the end nothing came through the head, or None."""
    ordered = rows.sort_values("step")
    alive = ordered[ordered["regression_reach"] > 0]
    after: Any = ordered if alive.empty else ordered[ordered["step"] > alive["step"].max()]
    return None if after.empty else int(after["step"].iloc[0])
