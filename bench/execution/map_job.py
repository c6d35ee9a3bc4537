"""The job that computes one target map of one prepared case, in the cache that all runs share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.data.stored_maps import write_map
from bench.errors import RunError
from bench.execution.context import RunContext
from bench.execution.watch import JobWatch
from bench.files.lock import FileLock
from bench.suite.plan import MapPlan


@dataclass(frozen=True)
class MapJob:
    """Computes what `losses.target_maps` defines, on the whole prepared case; every loss that needs it shares it."""

    context: RunContext
    plan: MapPlan

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def target(self) -> Path:
        return self.context.cache.folder(self.id)

    @cached_property
    def needs(self) -> tuple[Path, ...]:
        return (self.context.cache.folder(self.plan.case),)

    @property
    def lock(self) -> FileLock:
        return self.context.cache.lock(self.id)

    @property
    def building(self) -> Path:
        return self.context.cache.building(self.id)

    def start(self) -> None:
        self.context.cache.start(self.id)

    def run(self, working: Path, watch: JobWatch) -> None:
        """Compute the map.

        Raises:
            DataError: it cannot be computed or stored.
        """
        watch("target map")
        write_map(self.building, self.plan.kind, self.context.prepared(self.plan.case))

    def record_deaths(self, working: Path, reason: str) -> None:
        raise RunError(
            f"target map {self.plan.kind} of the prepared case {self.plan.case}: {reason}; methods whose loss needs "
            "it cannot train"
        )

    def publish(self) -> None:
        self.context.cache.publish(self.id)
