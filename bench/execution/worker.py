"""The one worker: claim a job whose inputs exist, do it, publish one folder, take the next."""

from __future__ import annotations

import shutil
import time

from bench.execution.claims import begin_attempt, claim, given_up, is_claimed
from bench.execution.context import RunContext
from bench.execution.damage import make_room, without_damage
from bench.execution.job import RESULT, Job, is_done, is_ready
from bench.execution.jobs import jobs_of
from bench.execution.watch import JobWatch, leave_with_parent
from bench.files.atomic import publish_folder
from bench.files.checksum import is_sealed, seal_folder
from bench.results.run_directory import RunDirectory

POLL_SECONDS = 0.2


def work(run: RunDirectory, device: str = "auto") -> None:
    """Do jobs until none is left that could be done; waits for jobs of other workers that others depend on.

    Raises:
        BenchError: a case cannot be prepared; the job stays unpublished and its claim is free again.
    """
    context = RunContext.read(run, device)
    jobs = jobs_of(context)
    for job in jobs:
        _tidy(context, job)
    while remaining := [job for job in jobs if not is_done(job)]:
        leave_with_parent()
        if not any(_attempt(context, job) for job in remaining):
            if not any(is_claimed(run, job.id) for job in remaining):
                return
            time.sleep(POLL_SECONDS)


def _attempt(context: RunContext, job: Job) -> bool:
    """Take one job up if it is ready and free; True when something was done about it."""
    if not is_ready(job):
        return False
    lock = claim(context.run, job.id)
    if lock is None:
        return False
    try:
        if not is_done(job) and without_damage(job.needs):
            make_room(job.target)
            _do(context, job)
        return True
    finally:
        lock.release()


def _do(context: RunContext, job: Job) -> None:
    working = context.run.work(job.id)
    working.mkdir(parents=True, exist_ok=True)
    watch = JobWatch(context.run.events, job.id, working)
    reason = given_up(working)
    begin_attempt(working)
    result = working / RESULT
    if not is_sealed(result):
        shutil.rmtree(result, ignore_errors=True)
        result.mkdir()
        if reason is None:
            job.run(working, watch)
        else:
            job.record_deaths(working, reason)
        seal_folder(result)
    watch.event("publishing")
    publish_folder(result, job.target)
    watch.event("published")
    _remove(context, job)


def _tidy(context: RunContext, job: Job) -> None:
    """Remove the working folder of a job whose worker was killed between publishing and tidying up."""
    if is_done(job) and context.run.work(job.id).exists():
        lock = claim(context.run, job.id)
        if lock is not None:
            _remove(context, job)
            lock.release()


def _remove(context: RunContext, job: Job) -> None:
    # Whoever notes a death may write here at this very moment; the next start removes what is left then.
    shutil.rmtree(context.run.work(job.id), ignore_errors=True)
