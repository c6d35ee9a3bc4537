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
            files = f"{name} and {other}"
            if file.shape != first.shape:
                yield examined.finding("shape_mismatch", "error", f"{first.shape} and {file.shape} voxels in {files}")
                continue
            if not np.allclose(first.spacing_mm, file.spacing_mm, rtol=0, atol=SPACING_TOLERANCE_MM):
                spacings = f"{_numbers(first.spacing_mm)} and {_numbers(file.spacing_mm)} mm"
                yield examined.finding("spacing_mismatch", "error", f"{spacings} (z, y, x) in {files}")
            for what, a, b in (
                ("origins", first.origin, file.origin),
                ("directions", first.direction, file.direction),
            ):
                if not np.allclose(a, b, rtol=0, atol=FRAME_TOLERANCE):
                    text = f"{what} {_numbers(a)} and {_numbers(b)} in {files}; taken as the same grid"
                    yield examined.finding("frame_mismatch", "warning", text)


def _numbers(values: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
