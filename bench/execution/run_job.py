"""What jobs share that publish into the run directory: a claim there, and a working folder in which they fill it."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from bench.execution.context import RunContext
from bench.execution.job import RESULT
from bench.files.atomic import publish_folder
from bench.files.lock import FileLock
from bench.files.storage import make_folder


@dataclass(frozen=True)
class RunJob(ABC):
    """A job whose result belongs to one run."""

    context: RunContext

    @property
    @abstractmethod
    def id(self) -> str: ...

    @property
    @abstractmethod
    def target(self) -> Path: ...

    @property
    def lock(self) -> FileLock:
        return FileLock(self.context.run.claim(self.id))

    @property
    def building(self) -> Path:
        return self.context.run.work(self.id) / RESULT

    def start(self) -> None:
        shutil.rmtree(self.building, ignore_errors=True)
        make_folder(self.building)

    def publish(self) -> None:
        publish_folder(self.building, self.target)
