"""What a row has from other jobs, and whether its regressor did anything: said beside its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from bench.results.load import FINISHED, Run

IDLE = 0.01
"""Share of the gradient at the backbone below which a term is idle."""

_SHARES = {"regression_gradient_share": "the regression", "segmentation_gradient_share": "the loss"}


def stage_remarks(run: Run, cells: pd.DataFrame) -> tuple[str, ...]:
    """What must be said of one row's finished cells: where they started, what their regressor knew, idle terms."""
    finished = cells[cells["status"] == FINISHED]
    return tuple(dict.fromkeys((*_starts(run, finished), *_untaught(run, finished), *_idle(run, finished))))


def _starts(run: Run, finished: pd.DataFrame) -> Iterator[str]:
    if "started_from.cell" not in finished:
        return
    for _, cell in finished[finished["started_from.cell"].notna()].iterrows():
        how = run.plan[str(cell["cell"])]["identity"]["start"]
        first = run.plan[how["cell"]]["method"] if how["cell"] in run.plan else how["cell"]
        before, here = int(cell["started_from.steps"]), int(cell["steps"])
        yield (
            f"warm start from the best weights of {run.methods.get(first, first)} at a learning rate of "
            f"{how['learning_rate']:g}, so {before} + {here} steps in all; it compares with {_comparable(run, cell)}, "
            "and with no row that was trained from scratch"
        )


def _comparable(run: Run, cell: pd.Series[Any]) -> str:
    """In words, the row that a cell that was started from another compares with."""
    control = _control_of(run, str(cell["cell"]))
    if control == cell["method"]:
        return "what was started alike"
    return "no row here" if control is None else run.methods[control]


def _control_of(run: Run, cell: str) -> str | None:
    """The method that only continues what a cell was started from, by the same learning rate; None where it is missing.

    Told from identities, in which all defaults are spelled out.
    """
    start = run.plan[cell]["identity"]["start"]
    first = run.plan.get(start["cell"])
    if first is None:
        return None
    continued = {**first["identity"], "start": start}
    controls = (one for one in run.plan.values() if one["identity"] == continued)
    return next((str(one["method"]) for one in controls), None)


def _untaught(run: Run, finished: pd.DataFrame) -> Iterator[str]:
    """Regressors that were frozen before they knew more than a constant predictor."""
    if "pretrained" not in finished:
        return
    several = len(finished["seed"].unique()) > 1
    for identity, cells in finished.groupby("pretrained", sort=False):
        lack = _lack(run.pretrained.get(str(identity), {}).get("all", {}))
        if lack is not None:
            of = f" (seed {', '.join(str(seed) for seed in cells['seed'].unique())})" if several else ""
            yield f"its regressor{of} was frozen before it had learned {lack}"


def _lack(reached: Mapping[str, Any]) -> str | None:
    """What a regressor does not know better than a constant predictor; None where there were no lesions to tell by."""
    if reached.get("dice") is None:
        return None
    if reached["dice"] <= reached["constant_dice"]:
        return f"where lesions are: Dice {reached['dice']:.3f} with reference masks, as of a mask that is everything"
    error, constant = reached["error"], reached["constant_error"]
    if error >= constant:
        return f"how deep lesions are: error {error:.3f} inside them, a constant's {constant:.3f}"
    return None


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
