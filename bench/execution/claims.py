"""Who may do a job: a claim is a kernel lock, so it ends with its holder; deaths are remembered beside the work."""

from __future__ import annotations

import json
from pathlib import Path

from bench.execution.watch import PROGRESS
from bench.files.jsonl import append_jsonl, read_jsonl
from bench.files.lock import FileLock
from bench.results.run_directory import RunDirectory

DEATHS = "deaths.jsonl"
FATAL_DEATHS = 3
"""Deaths in a row at the same place after which a job is given up."""


def claim(run: RunDirectory, job: str) -> FileLock | None:
    """Take a job; None when a living process has it."""
    lock = FileLock(run.claim(job))
    return lock if lock.acquire() else None


def is_claimed(run: RunDirectory, job: str) -> bool:
    """Whether a living process has the job."""
    return FileLock(run.claim(job)).is_held()


def held_by(run: RunDirectory, pid: int) -> str | None:
    """The job that a dead worker had claimed last, found by the pid in the claim."""
    folder = run.path / "claims"
    for path in folder.glob("*.lock") if folder.is_dir() else ():
        if FileLock(path).holder() == pid and run.work(path.stem).is_dir():
            return path.stem
    return None


def note_death(run: RunDirectory, job: str, cause: str) -> None:
    """Remember that a worker died on this job, and how far it had come."""
    working = run.work(job)
    append_jsonl(working / DEATHS, {"cause": cause, "at": _place(working)})


def given_up(working: Path) -> str | None:
    """The reason to stop trying: the same death at the same place, again and again; else None."""
    deaths = read_jsonl(working / DEATHS)[-FATAL_DEATHS:]
    if len(deaths) == FATAL_DEATHS and len({str(death["at"]) for death in deaths}) == 1:
        return f"its process died {FATAL_DEATHS} times at {deaths[-1]['at']}: {deaths[-1]['cause']}"
    return None


def _place(working: Path) -> str:
    """Where the work stood: the newest checkpoint, else the phase last noted."""
    checkpoints = sorted(path.name for path in (working / "resume").glob("step-*.pt"))
    scored = len(list((working / "scores").rglob("*.json")))
    try:
        phase = json.loads((working / PROGRESS).read_text(encoding="utf-8"))["phase"]
    except (OSError, ValueError, KeyError):
        phase = "start"
    return f"phase {phase}, {checkpoints[-1] if checkpoints else 'no checkpoint'}, {scored} cases scored"
