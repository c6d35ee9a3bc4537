"""Spacings that are positive but cannot be true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules

LARGEST_FIELD_MM = 500.0
"""Widest usual field of view of a CT scanner; a head or body is not larger across."""
SPACING_MM = (0.01, 25.0)
LONGEST_MM = 2500.0


@rules.register("implausible_spacing")
def implausible_spacing(inspection: Inspection) -> Iterator[Finding]:
    """Warnings: every figure in millimetres would be wrong. LiTS 28–47 have (1, 1, 1) mm with 512 × 512 voxels."""
    for examined in inspection.readable():
        file = examined.facts.files[0]
        if len(file.shape) != 3:  # pictures have no spacing worth a check
            continue
        extent = [n * s for n, s in zip(file.shape, file.spacing_mm, strict=True)]
        text = f"spacing {_by(file.spacing_mm)} mm with an extent of {_by(extent)} mm (z, y, x)"
        if all(s == 1 for s in file.spacing_mm) and sorted(extent)[1] > LARGEST_FIELD_MM:
            yield examined.finding("implausible_spacing", "warning", f"{text}: 1 mm looks like a lost spacing")
        elif not all(SPACING_MM[0] <= s <= SPACING_MM[1] for s in file.spacing_mm) or max(extent) > LONGEST_MM:
            yield examined.finding("implausible_spacing", "warning", text)


def _by(values: Sequence[float]) -> str:
    return " × ".join(f"{value:g}" for value in values)
