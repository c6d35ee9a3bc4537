"""The plan in words: what a run will do, what is done already, and what it will cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import models
from bench.data.cache.store import CaseCache
from bench.execution.planning import Planned
from bench.execution.retry import ended_without_scores, without_weights
from bench.execution.timings import typical
from bench.files.checksum import is_sealed
from bench.suite.plan import CellPlan, PretrainPlan
from bench.suite.plugins import in_force


def describe_plan(planned: Planned, device_name: str) -> list[str]:
    """Lines for the terminal."""
    suite, request = planned.suite, planned.request
    cases = {name: _used(len(dataset.cases()), planned.skipped.get(name)) for name, dataset in planned.datasets.items()}
    lines = [
        f"{suite.title}",
        f"  profile   {planned.why}",
        f"  data      {', '.join(f'{name} {count}' for name, count in cases.items())}; "
        f"target {', '.join(f'{name} = {list(v)}' for name, v in suite.dataset.class_labels.items())}",
        *(f"  left out  {', '.join(bad)} of {name}: errors in data check" for name, bad in planned.skipped.items()),
        f"  network   {suite.backbone.name}, patch {_by(suite.sampling.patch_size)}, batch "
        f"{suite.sampling.batch_size}, {suite.training.steps} steps, {suite.training.decay.name} decay",
        *(f"  plug-in   {path.name} ({', '.join(entries)})" for path, entries in in_force().items()),
        f"  run       {planned.run.path}",
    ]
    if planned.plan is None:
        count = len(suite.methods) * len(suite.seeds)
        return [
            *lines,
            f"  cells     {len(suite.methods)} methods × {len(suite.seeds)} seeds = {count} per fold; "
            f"what is done is unknown ({planned.unread} files to read)",
            "  cost      unknown",
        ]
    if request.methods:
        lines.append(f"  methods   only {', '.join(request.methods)}")
    failed = ended_without_scores(planned.run, (cell.id for cell in planned.selected()))
    again = failed if request.retry_failed else {}
    todo = [c for c in planned.selected() if c.id in again or not is_sealed(planned.run.cell(c.id))]
    starts = _starts(planned, todo)
    pretrain = planned.plan.pretrainings([*todo, *starts])
    return [
        *lines,
        *_map_lines([*todo, *starts, *pretrain]),
        *_regressor_lines(planned, pretrain),
        *_cell_lines(planned, todo, failed),
        *([f"  starts    {len(starts)} more to do, which cells above start from"] if starts else []),
        f"  cost      {_cost(planned, [*todo, *starts], device_name)}",
    ]


def _used(count: int, skipped: Collection[str] | None) -> str:
    """`12 cases`, or `3 of 12 cases`."""
    return f"{count - len(skipped)} of {count} cases" if skipped else f"{count} cases"


def _starts(planned: Planned, todo: list[CellPlan]) -> list[CellPlan]:
    """Cells to be trained although they are not selected, because others start from them."""
    assert planned.plan is not None
    first = {cell.start for cell in todo if cell.start is not None} - {cell.id for cell in todo}
    again = ended_without_scores(planned.run, first) if planned.request.retry_failed else {}
    left = {identity for identity in first if identity in again or not is_sealed(planned.run.cell(identity))}
    return [cell for cell in planned.plan.cells if cell.id in left]


def _regressor_lines(planned: Planned, pretrain: Sequence[PretrainPlan]) -> list[str]:
    """How many regressors the cells need that are trained before; nothing where none is needed."""
    left = len(_untrained(planned, pretrain))
    return [f"  regressors {len(pretrain)}: {len(pretrain) - left} done, {left} to do"] if pretrain else []


def _untrained(planned: Planned, pretrain: Sequence[PretrainPlan]) -> list[PretrainPlan]:
    ids = [plan.id for plan in pretrain]
    again = without_weights(planned.run, ids) if planned.request.retry_failed else {}
    return [plan for plan in pretrain if plan.id in again or not is_sealed(planned.run.pretrained(plan.id))]


def _map_lines(todo: Sequence[CellPlan | PretrainPlan]) -> list[str]:
    """How many target maps these need and how many of them the cache has; nothing where none is needed."""
    identities = {one for cell in todo for one in cell.map_needs}
    if not identities:
        return []
    cache = CaseCache.of_user()
    done = sum(map(cache.holds, identities))
    kinds = sorted({kind for cell in todo for kind in cell.maps})
    return [f"  maps      {len(identities)}: {done} in the cache, {len(identities) - done} to do ({', '.join(kinds)})"]


def _cell_lines(planned: Planned, todo: list[CellPlan], failed: Mapping[str, str]) -> list[str]:
    """One line per cell with how it stands, shortened when there are many."""
    cells = planned.selected()
    ends = {cell.id: "to do" if cell in todo else failed.get(cell.id, "done") for cell in cells}
    rows = [f"    {end:6} {identity}" for identity, end in ends.items()]
    unfinished = sum(end not in ("to do", "done") for end in ends.values())
    done = f"{len(cells) - len(todo) - unfinished} done, " + (f"{unfinished} without scores, " if unfinished else "")
    lines = [
        f"  cells     {len(cells)}: {done}{len(todo)} to do",
        *(rows if len(rows) <= 60 else [*rows[:50], f"    … and {len(rows) - 50} more"]),
    ]
    if failed and planned.request.retry_failed:
        lines.append(f"  again     the {len(failed)} that did not finish, their records set aside")
    elif failed:
        lines.append(f"  again     --retry-failed tries the {len(failed)} that did not finish once more")
    assert planned.plan is not None
    planned_ids = {cell.id for cell in planned.plan.cells}
    orphaned = sum(path.name not in planned_ids for path in planned.run.finished_cells())
    if orphaned:
        lines.append(f"  orphaned  {orphaned} earlier cells are not in this plan and in no table; `clean` removes them")
    return lines


def _cost(planned: Planned, todo: list[CellPlan], device_name: str) -> str:
    """Estimated from timed steps of this configuration on this machine; there are no built-in constants."""
    if not todo:
        return "nothing to train"
    from bench.training.device import device_facts, resolve_device

    device = device_facts(resolve_device(device_name))
    timed = typical(planned.suite, device)
    if timed is None:
        return "unknown: this network, patch and data have not been timed on this machine yet"
    training = planned.suite.training
    seconds = 0.0
    for cell in todo:
        scored = 2 * (len(cell.test) + sum(map(len, cell.evaluate_on.values())))
        seconds += training.steps * timed["seconds_per_step"] + scored * timed["seconds_per_scored_case"]
        seconds += len(training.validation_steps()) * len(cell.validation) * timed["seconds_per_validated_case"]
    assert planned.plan is not None, "there is something to do"
    untrained = _untrained(planned, planned.plan.pretrainings(todo))
    of_stage = typical(planned.suite, device, pretraining=True)
    besides = ""
    if untrained and of_stage is None:
        besides = "; pre-training, which was not timed yet, comes on top"
    elif of_stage is not None:
        seconds += sum(of_stage["seconds_per_step"] * _steps(plan) for plan in untrained)
    return f"about {_duration(seconds)} of one worker in all, from timed steps on this machine{besides}"


def _steps(plan: PretrainPlan) -> int:
    stage = models.create_regressor(**plan.regressor).pretraining
    assert stage is not None
    return int(stage["steps"])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _by(size: tuple[int, ...]) -> str:
    return "×".join(map(str, size))
