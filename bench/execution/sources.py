"""The files that cases were made of: a run goes on only as long as they are what it was planned with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from bench.data.dataset import Dataset
from bench.data.fingerprints import FingerprintMemory
from bench.data.volume import Case
from bench.errors import DataError, StorageError
from bench.suite.plan import Plan, PreparePlan


class Sources:
    """The source files of a plan's cases.

    Args:
        memory: what the plan's fingerprints were made of; a file that it knows by size and time is not read.
    """

    def __init__(self, datasets: Mapping[str, Dataset], plan: Plan, memory: FingerprintMemory) -> None:
        self._datasets, self._memory = datasets, memory
        self._plans = {job.id: job for job in plan.prepare}
        self._cases: dict[str, dict[str, Case]] = {}

    def of(self, plan: PreparePlan) -> tuple[Dataset, Case]:
        """A planned case, listed at the first request for one of its data set, and the data set.

        Raises:
            DataError: it is not there any more.
        """
        dataset = self._datasets[plan.dataset]
        if plan.dataset not in self._cases:
            self._cases[plan.dataset] = {case.id: case for case in dataset.cases()}
        if plan.case not in self._cases[plan.dataset]:
            raise DataError(
                f"case {plan.case} is not in the data set {plan.dataset} any more, although this run was planned with "
                "it; run the suite again"
            )
        return dataset, self._cases[plan.dataset][plan.case]

    def refuse_changed(self, identities: Iterable[str]) -> None:
        """See that no file of these prepared cases has another content than when the run was planned.

        Files whose size and time are as before are not read; a generated case has no files.

        Raises:
            DataError: a file changed or cannot be read; case and path are named.
        """
        for identity in identities:
            plan = self._plans.get(identity)
            if plan is None:
                raise DataError(f"{identity} is no case that this run was planned with; run the suite again to plan it")
            refuse_change(*self.of(plan), plan.fingerprint, self._memory)
        with suppress(StorageError):  # what is not remembered is read again, and nothing is lost
            self._memory.save()


def refuse_change(dataset: Dataset, case: Case, fingerprint: str, memory: FingerprintMemory) -> None:
    """See that a case's files still have the content of this fingerprint.

    Raises:
        DataError: they have not, or one of them cannot be read.
    """
    unknown = [path for path in case.files if not memory.knows(path)]
    try:
        now = dataset.fingerprint(case, memory)
    except DataError as error:
        raise DataError(f"case {case.id}: {error}") from error
    if now != fingerprint:
        files = ", ".join(map(str, unknown or case.files))
        raise DataError(
            f"case {case.id}: its files changed since this run was planned ({files}); run the suite again, which does "
            "anew what depends on them"
        )
