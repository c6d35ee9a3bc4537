"""The one worker: claim a job whose inputs exist, do it, publish one folder, take the next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bench import stopping
from bench.data.cache.uses import using
from bench.execution.cell_job import CellJob
from bench.execution.claims import begin_attempt, forget, given_up
from bench.execution.context import RunContext
from bench.execution.damage import Inspection, make_room
from bench.execution.environment import environment_here, refuse_elsewhere
from bench.execution.job import Job, is_done, is_ready
from bench.execution.jobs import cases_of, jobs_left, jobs_of, maps_of
from bench.execution.watch import JobWatch, ask_without_parent
from bench.files.checksum import is_sealed, seal_folder
from bench.files.storage import make_folder
from bench.results.run_directory import RunDirectory
from bench.training.device import is_usable

POLL_SECONDS = 0.2


def work(run: RunDirectory, device: str = "auto", other_environment: bool = False, trust_plugins: bool = False) -> None:
    """Do jobs until none is left that could be done; waits for jobs of other workers that others depend on.

    The run's prepared cases and target maps are not evicted from the cache meanwhile.

    Raises:
        RunError: the run was started in another environment, or has plug-ins, which are code, and
            `other_environment` or `trust_plugins` does not allow that.
        BenchError: a case cannot be prepared, or its files changed; the job stays unpublished and its claim is free
            again.
        Interrupted: this process was asked to stop; what was done of the job is in its working folder. Or its GPU is
            of no use any more after a cell that failed, which is published.
    """
    if not other_environment:
        refuse_elsewhere(run, environment_here(device))
    context = RunContext.read(run, device, trust_plugins)
    with using(context.cache, cases_of(context) | maps_of(context)):
        jobs = jobs_of(context)
        locks = {job.target: job for job in jobs}
        _work(context, jobs, Inspection(lambda folder: locks[folder].lock))


def _work(context: RunContext, jobs: Sequence[Job], inspection: Inspection) -> None:
    for job in jobs:
        _tidy(context, job)
    while left := jobs_left(jobs):
        ask_without_parent()
        stopping.leave_if_asked()
        if not any(_attempt(context, job, inspection) for job in left):
            # In this order, so that what a worker of another run has published just now is not missed.
            if not any(job.lock.is_held() or is_done(job) or is_ready(job) for job in left):
                return
            time.sleep(POLL_SECONDS)


def _attempt(context: RunContext, job: Job, inspection: Inspection) -> bool:
    """Take one job up if it is ready and free; True when something was done about it."""
    if not is_ready(job):
        return False
    lock = job.lock
    if not lock.acquire():
        return False
    try:
        if not is_done(job) and inspection.without_damage(job.needs):
            make_room(job.target)
            _do(context, job)
        return True
    finally:
        lock.release()


def _do(context: RunContext, job: Job) -> None:
    working = context.run.work(job.id)
    make_folder(working.parent)
    make_folder(working)
    watch = JobWatch(context.run.events, job.id, working)
    reason = given_up(working)
    begin_attempt(working)
    if not is_sealed(job.building):
        job.start()
        if reason is None:
            _run(job, working, watch)
        else:
            job.record_deaths(working, reason)
        seal_folder(job.building)
    watch.event("publishing")
    job.publish()
    watch.event("published")
    forget(context.run, job.id)
    if isinstance(job, CellJob) and not is_usable(context.device):
        # Every later cell of this process would fail by the same error.
        print(f"{job.id}: {context.device} does not answer this process any more; another has to go on", flush=True)
        raise stopping.Interrupted(stopping.REPLACE)


def _run(job: Job, working: Path, watch: JobWatch) -> None:
    try:
        job.run(working, watch)
    except stopping.Interrupted:
        watch.event("interrupted")
        raise


def _tidy(context: RunContext, job: Job) -> None:
    """Remove the working folder of a job whose worker was killed between publishing and tidying up."""
    if is_done(job) and context.run.work(job.id).exists():
        lock = job.lock
        if lock.acquire():
            forget(context.run, job.id)
            lock.release()
