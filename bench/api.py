"""The harness from Python: `bench.run(suite)` and `bench.load(run)`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bench.errors import SuiteError
from bench.execution.charge import in_charge
from bench.execution.environment import environment_here, note_start
from bench.execution.kept import saying_what_is_kept
from bench.execution.local import started
from bench.execution.planning import Planned, Request, plan_request
from bench.execution.preview import describe_plan
from bench.execution.retry import set_failed_aside
from bench.execution.status import Status, read_status
from bench.execution.watch import JobWatch
from bench.files.lock import FileLock
from bench.report import Report, build
from bench.results.load import Run, load
from bench.results.run_directory import RunDirectory

ASK_ABOVE = 500
"""Cells above which a run must be confirmed: a matrix grows faster than one thinks."""

POLL_SECONDS = 0.5


__all__ = ["Show", "load", "rebuild", "run", "run_request"]


class Show(Protocol):
    """Somebody to tell how the run goes."""

    def note(self, line: str) -> None: ...
    def status(self, run: RunDirectory, status: Status) -> None: ...
    def report(self, report: Report) -> None: ...


class Silent:
    """Tells nobody."""

    def note(self, line: str) -> None:
        pass

    def status(self, run: RunDirectory, status: Status) -> None:
        pass

    def report(self, report: Report) -> None:
        pass


def run(
    suite: str | Path,
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    methods: Sequence[str] = (),
    seeds: Sequence[int] = (),
    folds: Sequence[int] = (),
    out: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    retry_failed: bool = False,
    other_environment: bool = False,
) -> Run:
    """Run a suite as `python -m bench run` does, and return its records.

    Continues what was interrupted; cells that are finished are not trained again.

    Raises:
        BenchError: the suite, its data or the run directory cannot be used; the message says where and what to do.
    """
    request = Request(
        Path(suite),
        profile,
        tuple(overrides),
        tuple(methods),
        tuple(seeds),
        tuple(folds),
        Path(out) if out else None,
        retry_failed,
        other_environment,
    )
    return load(run_request(request, device=device, workers=workers, yes=True, show=Silent()).path)


def run_request(request: Request, *, device: str, workers: int | None, yes: bool, show: Show) -> RunDirectory:
    """Plan, work, report.

    Raises:
        BenchError: as `run`.
        Interrupted: a signal was turned into it; the workers have come to safe points and ended.
    """
    planned = plan_request(request, read_data=True, note=show.note, device=device)
    cells = planned.selected()
    if len(cells) > ASK_ABOVE and not yes:
        raise SuiteError(
            f"{request.suite} asks for {len(cells)} cells; confirm more than {ASK_ABOVE} with --yes, "
            "or look at the plan with `validate`"
        )
    for line in describe_plan(planned, device):
        show.note(line)
    planned.run.create()
    with in_charge(planned.run, planned.description()), saying_what_is_kept(planned.run):
        note_start(planned.run, environment_here(device))
        if request.retry_failed:
            assert planned.plan is not None
            again = planned.plan.with_starts({cell.id for cell in cells})
            pretrained = planned.plan.pretrainings(again)
            set_failed_aside(planned.run, (cell.id for cell in again), (stage.id for stage in pretrained))
        _work(planned, device, workers, show)
        show.report(rebuild(planned.run))
    return planned.run


def rebuild(run: RunDirectory) -> Report:
    """Write tables and plots anew from the records; two processes at once wait for one another.

    Raises:
        RunError: not a run directory, a damaged record, or cells that were not treated equally.
    """
    run.read_run()
    watch, lock = JobWatch(run.events, "report", run.path), FileLock(run.reporting)
    while not lock.acquire():
        time.sleep(POLL_SECONDS)
    try:
        watch.event("reporting")
        report = build(run)
        watch.event("reported")
        return report
    finally:
        lock.release()


def _work(planned: Planned, device: str, workers: int | None, show: Show) -> None:
    threads = planned.suite.training.threads_per_cell
    status = read_status(planned.run)
    if status.finished:
        return
    count = workers or default_workers(device, threads)
    options = ["--device", device, *(["--other-environment"] if planned.request.other_environment else [])]
    if planned.suite.plugins:
        options.append("--trust-plugins")  # as whoever runs a suite does; planning has executed them already
    with started(planned.run, min(count, max(status.waiting_jobs, 1)), options, threads) as processes:
        while processes.running():
            show.status(planned.run, read_status(planned.run))
            time.sleep(POLL_SECONDS)
    show.status(planned.run, read_status(planned.run))


def default_workers(device: str, threads: int) -> int:
    """As many cells side by side as the cores carry; one on a GPU, which a cell fills by itself."""
    from bench.training.device import resolve_device

    if resolve_device(device).type == "cuda":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // threads)
