"""Check the data of a suite: list, read what is new, apply every rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.data.checks.examine import Examiner
from bench.data.checks.facts import CaseFacts
from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules
from bench.data.dataset import Dataset, Listing, Omission, natural_key
from bench.data.fingerprints import FingerprintMemory
from bench.data.settings import SplitSettings
from bench.data.volume import Case
from bench.errors import DataError


def inspect(
    datasets: Mapping[str, Dataset],
    split: SplitSettings,
    patch_size: tuple[int, ...],
    spacing_mm: tuple[float, ...] | None = None,
    *,
    cache: Path | None = None,
    generated: bool = True,
    note: Callable[[str], None] = lambda _: None,
) -> Inspection:
    """Read every case whose facts are not remembered.

    Args:
        datasets: by name; `main` is the one that is split.
        cache: folder of fingerprints and facts that are remembered; None remembers nothing.
        generated: whether cases without files are examined too, which means generating them.
        note: told of every case that is read, before.
    """
    memory = None if cache is None else FingerprintMemory(cache / "fingerprints.json")
    examiner = Examiner(None if cache is None else cache / "checks")
    listings = {name: _listing(dataset) for name, dataset in datasets.items()}
    facts: dict[str, dict[str, CaseFacts]] = {}
    for name, dataset in datasets.items():
        chosen = [case for case in listings[name].cases if generated or case.files]
        facts[name] = {}
        for index, case in enumerate(chosen, start=1):
            note(f"{name}: {case.id} ({index} of {len(chosen)})")
            facts[name][case.id] = examiner.facts(dataset, case, _fingerprint(dataset, case, memory))
    if memory is not None:
        memory.save()
    return Inspection(datasets, listings, facts, split, patch_size, spacing_mm)


def apply_rules(inspection: Inspection) -> list[Finding]:
    """All findings, by data set and case, errors first."""
    found = [finding for name in rules.names() for finding in rules.get(name)(inspection)]
    order = list(inspection.datasets)
    return sorted(found, key=lambda f: (order.index(f.dataset), natural_key(f.case), f.severity, f.rule, f.message))


def _listing(dataset: Dataset) -> Listing:
    try:
        return dataset.listing()
    except DataError as error:
        return Listing((), (Omission("", str(error), "listing"),))


def _fingerprint(dataset: Dataset, case: Case, memory: FingerprintMemory | None) -> str | None:
    try:
        return dataset.fingerprint(case, memory)
    except DataError:
        return None  # the file cannot be read, which the examination will say
