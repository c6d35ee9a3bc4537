"""Images without label and labels without image, duplicate ids, ids that cannot name a folder."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules


@rules.register("listing")
def listing(inspection: Inspection) -> Iterator[Finding]:
    """Errors under the names `pairing`, `duplicate_id` and `case_id`: what the format could not make a case of."""
    for name, found in inspection.listings.items():
        for omission in found.omissions:
            yield Finding(omission.rule, "error", name, omission.case, omission.reason)
        if not found.cases:
            yield Finding("listing", "error", name, "", "no case can be used")
