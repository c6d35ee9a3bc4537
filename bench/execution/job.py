"""A job: a unit of work that publishes one checksummed folder and never runs twice."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bench.execution.watch import JobWatch
from bench.files.checksum import is_sealed
from bench.files.lock import FileLock

RESULT = "result"
"""Folder inside a job's working folder that is sealed and published; all else there is only for resuming."""


class Job(Protocol):
    """What a worker needs to know of a job.

    id        readable slug and hash; also the name of its working folder.
    target    the folder it publishes; the job is done when that is sealed.
    needs     folders of other jobs that must be published first.
    lock      a new object for the job's claim: who holds it does the job, whichever run he belongs to.
    building  the folder that is filled, sealed and published; a sealed one is complete.
    """

    @property
    def id(self) -> str: ...
    @property
    def target(self) -> Path: ...
    @property
    def needs(self) -> tuple[Path, ...]: ...
    @property
    def lock(self) -> FileLock: ...
    @property
    def building(self) -> Path: ...

    def start(self) -> None:
        """Make `building`, empty."""
        ...

    def run(self, working: Path, watch: JobWatch) -> None:
        """Fill `building`, which is empty; `working` is for resuming, and holds what earlier processes left."""
        ...

    def record_deaths(self, working: Path, reason: str) -> None:
        """Fill `building` with the news that the process keeps dying, or raise when nothing can go on then."""
        ...

    def publish(self) -> None:
        """Give `building`, which is sealed, its final place."""
        ...


def is_done(job: Job) -> bool:
    """Whether the job's folder is published."""
    return is_sealed(job.target)


def is_ready(job: Job) -> bool:
    """Whether everything the job needs is published."""
    return all(is_sealed(folder) for folder in job.needs)
