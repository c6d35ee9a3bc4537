"""The jobs of a plan, in the order in which a worker looks at them."""

from __future__ import annotations

from bench.execution.baseline_job import BaselineJob
from bench.execution.cell_job import CellJob
from bench.execution.context import RunContext
from bench.execution.job import Job
from bench.execution.prepare_job import PrepareJob


def jobs_of(context: RunContext) -> tuple[Job, ...]:
    """The selected cells in the order of the suite, behind the cases that they need."""
    cells = [CellJob(context, plan) for plan in context.plan.cells if plan.id in context.selected]
    needed = {case for cell in cells for case in cell.plan.needs}
    prepare = (PrepareJob(context, plan) for plan in context.plan.prepare if plan.id in needed)
    return (*prepare, *_baselines(context, cells), *cells)


def _baselines(context: RunContext, cells: list[CellJob]) -> list[BaselineJob]:
    """One for each set of test cases, where the suite asks for them."""
    if not context.suite.threshold_baselines:
        return []
    return [BaselineJob(context, cases) for cases in dict.fromkeys(cell.plan.test for cell in cells)]
