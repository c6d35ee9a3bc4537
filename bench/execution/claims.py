"""Who may do a job: a claim is a kernel lock, so it ends with its holder; attempts and deaths stand beside the work."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.errors import VanishedError
from bench.execution.watch import PROGRESS
from bench.files.json_files import read_json
from bench.files.jsonl import append_jsonl, read_jsonl
from bench.files.lock import FileLock
from bench.results.run_directory import RunDirectory

ATTEMPTS = "attempts.jsonl"
DEATHS = "deaths.jsonl"
FATAL_DEATHS = 3
"""Attempts in a row that died without any progress, after which a job is given up."""


def claim(run: RunDirectory, job: str) -> FileLock | None:
    """Take a job; None when a living process has it.

    Raises:
        StorageError: nothing can be written there; `VanishedError` when somebody removed the run directory.
    """
    lock = FileLock(run.claim(job))
    return lock if lock.acquire() else None


def is_claimed(run: RunDirectory, job: str) -> bool:
    """Whether a living process has the job."""
    return FileLock(run.claim(job)).is_held()


def begin_attempt(working: Path) -> None:
    """Note, under the claim, that this process takes the job up where it stands."""
    append_jsonl(working / ATTEMPTS, {"pid": os.getpid(), "began": time.time(), "at": _place(working)})


def note_death(run: RunDirectory, pid: int, since: float, cause: str) -> str | None:
    """Remember that a worker started at `since` died, beside the job it was at; returns that job.

    The job is found by the attempt that the worker noted and not by its claim, which another worker may hold by now.
    """
    found = [
        (attempt["began"], path.parent)
        for path in run.path.glob(f"work/*/{ATTEMPTS}")
        for attempt in read_jsonl(path)
        if attempt["pid"] == pid and attempt["began"] >= since
    ]
    if not found:
        return None
    began, working = max(found)
    with suppress(VanishedError):  # somebody else has finished the job meanwhile
        append_jsonl(working / DEATHS, {"began": began, "cause": cause})
    return working.name


def given_up(working: Path) -> str | None:
    """The reason to stop trying: attempt after attempt died at the same place; else None.

    Attempts that ended otherwise, as when the whole machine went down, do not count against the job.
    """
    causes = {death["began"]: death["cause"] for death in read_jsonl(working / DEATHS)}
    last = read_jsonl(working / ATTEMPTS)[-FATAL_DEATHS:]
    if len(last) < FATAL_DEATHS or any(a["began"] not in causes or a["at"] != _place(working) for a in last):
        return None
    return (
        f"its process died {FATAL_DEATHS} times in a row in phase {_phase(working)}, each time with "
        f"{_place(working)}: {causes[last[-1]['began']]}"
    )


def forget(run: RunDirectory, job: str) -> None:
    """Remove, under the claim, the working folder of a job that is published, with its attempts and deaths."""
    # Whoever notes a death may write here at this very moment; the next start removes what is left then.
    shutil.rmtree(run.work(job), ignore_errors=True)


def _place(working: Path) -> str:
    """How far the work has come, as far as a later attempt can go on from there."""
    checkpoints = sorted(path.name for path in (working / "resume").glob("step-*.pt"))
    scored = len(list((working / "scores").rglob("*.json")))
    return f"{checkpoints[-1] if checkpoints else 'no checkpoint'} and {scored} cases scored"


def _phase(working: Path) -> str:
    """The phase last noted."""
    try:
        progress: dict[str, Any] = read_json(working / PROGRESS)
        return str(progress["phase"])
    except (OSError, ValueError, KeyError):
        return "start"
