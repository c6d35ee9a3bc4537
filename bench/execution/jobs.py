"""The jobs of a plan, in the order in which a worker looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.execution.baseline_job import BaselineJob
from bench.execution.cell_job import CellJob
from bench.execution.context import RunContext
from bench.execution.job import Job, is_done
from bench.execution.map_job import MapJob
from bench.execution.prepare_job import PrepareJob
from bench.execution.pretrain_job import PretrainJob
from bench.suite.plan import CellPlan, PretrainPlan

_SERVANTS = PrepareJob | MapJob | PretrainJob


def jobs_of(context: RunContext) -> tuple[Job, ...]:
    """The selected cells in the order of the suite, behind everything that they need, cells to start from included."""
    plans = cells_of(context)
    pretrain = context.plan.pretrainings(plans)
    needed = cases_of(context)
    prepare = (PrepareJob(context, plan) for plan in context.plan.prepare if plan.id in needed)
    needed_maps = maps_of(context)
    maps = (MapJob(context, plan) for plan in context.plan.maps if plan.id in needed_maps)
    cells = [CellJob(context, plan) for plan in sorted(plans, key=lambda plan: plan.start is not None)]
    pretrained = (PretrainJob(context, plan) for plan in pretrain)
    return (*prepare, *maps, *_baselines(context, cells), *pretrained, *cells)


def cells_of(context: RunContext) -> tuple[CellPlan, ...]:
    """The selected cells, and those that they start from."""
    return context.plan.with_starts(context.selected)


def cases_of(context: RunContext) -> frozenset[str]:
    """Identities of the prepared cases that these jobs need."""
    return frozenset(case for plan in _reading(context) for case in plan.needs)


def maps_of(context: RunContext) -> frozenset[str]:
    """Identities of the stored target maps that these jobs need."""
    return frozenset(one for plan in _reading(context) for one in plan.map_needs)


def _reading(context: RunContext) -> tuple[CellPlan | PretrainPlan, ...]:
    cells = cells_of(context)
    return (*cells, *context.plan.pretrainings(cells))


def jobs_left(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that are not done; what only serves others as far as these need it, as the cache may forget the rest."""
    left = [job for job in jobs if not is_done(job)]
    needed: set[Path] = set()
    for job in reversed(left):  # whatever a job needs stands before it
        if job.target in needed or not isinstance(job, _SERVANTS):
            needed.update(job.needs)
    return [job for job in left if job.target in needed or not isinstance(job, _SERVANTS)]


def _baselines(context: RunContext, cells: list[CellJob]) -> list[BaselineJob]:
    """One for each set of test cases, where the suite asks for them."""
    if not context.suite.threshold_baselines:
        return []
    return [BaselineJob(context, cases) for cases in dict.fromkeys(cell.plan.test for cell in cells)]
