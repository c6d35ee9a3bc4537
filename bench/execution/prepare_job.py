"""The job that turns one case's files into arrays ready for patches, in the cache that all runs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.data.dataset import Dataset
from bench.data.distractors import write_distractors
from bench.data.fingerprints import FingerprintMemory
from bench.data.prepared import write_prepared
from bench.data.preprocessing import PreparedCase, prepare
from bench.data.volume import Case
from bench.errors import DataError, RunError
from bench.execution.context import RunContext
from bench.execution.sources import refuse_change
from bench.execution.watch import JobWatch
from bench.files.lock import FileLock
from bench.suite.plan import PreparePlan


@dataclass(frozen=True)
class PrepareJob:
    """Reads, interprets, resamples, crops and normalises one case. Nothing is left to do where the cache has it."""

    context: RunContext
    plan: PreparePlan

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def target(self) -> Path:
        return self.context.cache.folder(self.id)

    @property
    def needs(self) -> tuple[Path, ...]:
        return ()

    @property
    def lock(self) -> FileLock:
        return self.context.cache.lock(self.id)

    @property
    def building(self) -> Path:
        return self.context.cache.building(self.id)

    def start(self) -> None:
        self.context.cache.start(self.id)

    def run(self, working: Path, watch: JobWatch) -> None:
        """Prepare the case.

        Raises:
            DataError: the case cannot be read, or its files are not those that the plan was made for.
        """
        watch("prepare")
        dataset, case = self.context.sources.of(self.plan)
        unremembered = FingerprintMemory(working / "fingerprints.json")
        refuse_change(dataset, case, self.plan.fingerprint, unremembered)
        prepared = self._prepared(dataset, case)
        refuse_change(dataset, case, self.plan.fingerprint, unremembered)  # nobody wrote to them meanwhile
        watch("caching")
        write_prepared(self.building, prepared, case)
        distractors = dataset.distractors(case)
        if distractors is not None:
            write_distractors(self.building, distractors)

    def record_deaths(self, working: Path, reason: str) -> None:
        raise RunError(
            f"preparing case {self.plan.case} of data set {self.plan.dataset}: {reason}; nothing can train without it"
        )

    def publish(self) -> None:
        self.context.cache.publish(self.id)

    def _prepared(self, dataset: Dataset, case: Case) -> PreparedCase:
        volume = dataset.read(case)
        try:
            return prepare(volume, dataset.settings, self.context.suite.preprocessing)
        except DataError as error:
            raise DataError(f"case {case.id}: {error}") from error
