"""Image and label (and all channels) on one grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules
from bench.data.reading import FRAME_TOLERANCE, SPACING_TOLERANCE_MM


@rules.register("grid")
def grid(inspection: Inspection) -> Iterator[Finding]:
    """`shape_mismatch` and `spacing_mismatch` (> 1e-3 mm) are errors, `frame_mismatch` a warning, as in nnU-Net."""
    for examined in inspection.readable():
        (name, first), *others = examined.named_files()
        for other, file in others:
            if file.shape != first.shape:
                text = f"{first.shape} voxels in {name}, {file.shape} in {other}"
                yield examined.finding("shape_mismatch", "error", text)
                continue
            if not np.allclose(first.spacing_mm, file.spacing_mm, rtol=0, atol=SPACING_TOLERANCE_MM):
                text = f"{_numbers(first.spacing_mm)} mm (z, y, x) in {name}, {_numbers(file.spacing_mm)} in {other}"
                yield examined.finding("spacing_mismatch", "error", text)
            for what, a, b in (
                ("origins", first.origin, file.origin),
                ("directions", first.direction, file.direction),
            ):
                if not np.allclose(a, b, rtol=0, atol=FRAME_TOLERANCE):
                    text = f"{what} {_numbers(a)} in {name}, {_numbers(b)} in {other}; taken as the same grid"
                    yield examined.finding("frame_mismatch", "warning", text)


def _numbers(values: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
