"""The data check before a run: errors stop it before anything is trained, or cost it the cases that have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from bench.data.checks.finding import Finding
from bench.data.checks.run import apply_rules, inspect
from bench.data.dataset import Dataset
from bench.errors import DataError
from bench.files.user_cache import user_cache
from bench.suite.schema import Suite

SHOWN = 20
"""Errors printed in one message; `data check` prints all."""

WHAT_TO_DO = "repair the files or leave the cases out; `on_bad_case: skip` in the dataset does so and says so in tables"

Skipped = dict[str, dict[str, str]]
"""Per data set, why (names of rules) by the id of each case that is left out."""


def check_before_run(suite: Suite, datasets: Mapping[str, Dataset], note: Callable[[str], None]) -> Skipped:
    """Check all files that are not known yet, and say which cases are to be skipped.

    Generated cases are not checked. Cases are dropped until no error is left, because without one case another
    split may result. A split that cannot be made is left to the planner to report.

    Raises:
        DataError: errors in a data set whose suite says `on_bad_case: fail`, all named.
    """
    preparation = suite.preprocessing
    inspection = inspect(
        datasets, suite.split, suite.sampling.patch_size, preparation.spacing_mm, cache=user_cache(), generated=False
    )
    skipped: Skipped = {}
    while errors := [found for found in apply_rules(inspection) if _counts(found, skipped)]:
        fatal = [found for found in errors if not found.case or _policy(datasets, found) == "fail"]
        if fatal:
            raise DataError(_message(fatal))
        for found in errors:
            reasons = skipped.setdefault(found.dataset, {})
            known = reasons.get(found.case)
            reasons[found.case] = f"{known}, {found.rule}" if known else found.rule
        inspection = inspection.without({(name, case) for name, cases in skipped.items() for case in cases})
    warned = Counter(found.rule for found in apply_rules(inspection) if found.severity == "warning")
    if warned:
        rules = ", ".join(f"{rule} {count}" for rule, count in sorted(warned.items()))
        note(f"warnings in the data check: {rules}; `data check` lists them")
    for name, cases in skipped.items():
        note(f"{name}: {len(cases)} cases with errors are left out ({', '.join(cases)}); `data check` says why")
    return skipped


def _counts(found: Finding, skipped: Skipped) -> bool:
    return found.severity == "error" and found.rule != "split" and found.case not in skipped.get(found.dataset, ())


def _policy(datasets: Mapping[str, Dataset], found: Finding) -> str:
    return str(datasets[found.dataset].settings.on_bad_case)


def _message(errors: list[Finding]) -> str:
    lines = [f"  {found.rule}: {found.where}: {found.message}" for found in errors[:SHOWN]]
    more = [f"  … and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
    head = f"the data check found {len(errors)} error{'s' if len(errors) > 1 else ''}, nothing was trained:"
    return "\n".join([head, *lines, *more, WHAT_TO_DO])
