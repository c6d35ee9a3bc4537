"""The job that turns one case's files into arrays ready for patches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.data.distractors import write_distractors
from bench.data.fingerprints import FingerprintMemory
from bench.data.prepared import write_prepared
from bench.data.preprocessing import prepare
from bench.errors import DataError, RunError
from bench.execution.context import RunContext
from bench.execution.job import RESULT
from bench.execution.watch import JobWatch
from bench.suite.planner import PreparePlan


@dataclass(frozen=True)
class PrepareJob:
    """Reads, interprets, resamples, crops and normalises one case."""

    context: RunContext
    plan: PreparePlan

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def target(self) -> Path:
        return self.context.run.prepared(self.plan.id)

    @property
    def needs(self) -> tuple[Path, ...]:
        return ()

    def run(self, working: Path, watch: JobWatch) -> None:
        """Prepare the case.

        Raises:
            DataError: the case cannot be read, or its files are not those that the plan was made for.
        """
        watch("prepare")
        dataset = self.context.datasets[self.plan.dataset]
        case = next(case for case in dataset.cases() if case.id == self.plan.case)
        unremembered = FingerprintMemory(working / "fingerprints.json")
        if dataset.fingerprint(case, unremembered) != self.plan.fingerprint:
            files = ", ".join(map(str, case.files))
            raise DataError(
                f"case {case.id}: its files changed since this run was planned ({files}); run the suite again"
            )
        volume = dataset.read(case)
        prepared = prepare(volume, dataset.settings, self.context.suite.preprocessing)
        write_prepared(working / RESULT, prepared, case)
        distractors = dataset.distractors(case)
        if distractors is not None:
            write_distractors(working / RESULT, distractors)

    def record_deaths(self, working: Path, reason: str) -> None:
        raise RunError(
            f"preparing case {self.plan.case} of data set {self.plan.dataset}: {reason}; nothing can train without it"
        )
