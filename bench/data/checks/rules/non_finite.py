"""Voxels of NaN or infinity."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules


@rules.register("non_finite")
def non_finite(inspection: Inspection) -> Iterator[Finding]:
    """An error: a single one makes every network output around it NaN."""
    for examined in inspection.readable():
        for path, file in examined.named_files():
            if file.non_finite:
                text = f"{path}: {file.non_finite} of {file.voxels * file.channels} voxels are NaN or infinite"
                yield examined.finding("non_finite", "error", text)
