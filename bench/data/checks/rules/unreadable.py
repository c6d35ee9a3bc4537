"""Files that cannot be read: truncated, damaged, empty, not an image, with impossible spacing or too many axes."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules


@rules.register("unreadable")
def unreadable(inspection: Inspection) -> Iterator[Finding]:
    """Errors under the names `unreadable`, `spacing` (zero, negative, NaN) and `axes` (4D and not declared)."""
    for examined in inspection.cases():
        if examined.facts.problem:
            yield examined.finding("unreadable", "error", examined.facts.problem)
        for path, file in examined.named_files():
            if file.problem:
                yield examined.finding(file.rule, "error", f"{path}: {file.problem}")
