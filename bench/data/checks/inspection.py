"""All cases of a suite with their facts: what a rule looks at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from bench.data.checks.facts import CaseFacts, FileFacts
from bench.data.checks.finding import Finding, Severity
from bench.data.dataset import Dataset, Listing
from bench.data.settings import DatasetSettings, SplitSettings
from bench.data.splits import Split, make_splits, split_in_force
from bench.data.volume import Case

MAIN = "main"


@dataclass(frozen=True)
class Examined:
    """One case of one data set."""

    dataset: str
    settings: DatasetSettings
    case: Case
    facts: CaseFacts

    def finding(self, rule: str, severity: Severity, message: str) -> Finding:
        return Finding(rule, severity, self.dataset, self.case.id, message)

    @property
    def label_name(self) -> str:
        """The label's path; `the label` of a generated case."""
        return str(self.case.files[-1]) if self.case.files else "the label"

    @property
    def image_name(self) -> str:
        """The path of the first image; `the image` of a generated case."""
        return str(self.case.files[0]) if self.case.files else "the image"

    def named_files(self) -> Iterator[tuple[str, FileFacts]]:
        """The files with their names; a generated case has `image` and `label`."""
        names = [str(path) for path in self.case.files] or ["image", "label"]
        return zip(names, self.facts.files, strict=False)


@dataclass(frozen=True)
class Inspection:
    """The data sets of a suite, and what the suite does with them.

    listings    what each data set lists.
    facts       per data set, what is known of each case by its id.
    patch_size  of training, in voxels of the prepared grid.
    spacing_mm  of the prepared grid; None where the spacing of the files is kept.
    dropped     (data set, id) of the cases that `without` left out.
    """

    datasets: Mapping[str, Dataset]
    listings: Mapping[str, Listing]
    facts: Mapping[str, Mapping[str, CaseFacts]]
    split: SplitSettings
    patch_size: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None = None
    dropped: frozenset[tuple[str, str]] = frozenset()

    def cases(self) -> Iterator[Examined]:
        """All cases whose facts are known."""
        for name, listing in self.listings.items():
            settings = self.datasets[name].settings
            for case in listing.cases:
                if case.id in self.facts[name]:
                    yield Examined(name, settings, case, self.facts[name][case.id])

    def readable(self) -> Iterator[Examined]:
        """The cases whose files could all be opened."""
        return (examined for examined in self.cases() if examined.facts.readable)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """The split of the main data set, one per fold.

        Raises:
            DataError: it cannot be made.
        """
        dataset = self.datasets[MAIN]
        omitted = {omission.case for omission in self.listings[MAIN].omissions}
        omitted |= {identity for name, identity in self.dropped if name == MAIN}
        return make_splits(self.listings[MAIN].cases, split_in_force(self.split, dataset), omitted)

    def without(self, bad: Collection[tuple[str, str]]) -> Inspection:
        """The same without some cases, given as (data set, id)."""
        kept = {
            name: replace(listing, cases=tuple(case for case in listing.cases if (name, case.id) not in bad))
            for name, listing in self.listings.items()
        }
        return replace(self, listings=kept, dropped=self.dropped | frozenset(bad))
