"""Images in which every voxel has the same value."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules


@rules.register("constant_image")
def constant_image(inspection: Inspection) -> Iterator[Finding]:
    """An error where all channels are constant, a warning where some are (a sequence that was not acquired)."""
    for examined in inspection.readable():
        ends = [ends for file in examined.facts.images for ends in zip(file.minima, file.maxima, strict=True)]
        constant = [index for index, (low, high) in enumerate(ends) if low == high]
        if constant and len(constant) == len(ends):
            text = f"every voxel of the image is {ends[0][0]:g}"
            yield examined.finding("constant_image", "error", text)
        elif constant:
            channels = ", ".join(map(str, constant))
            yield examined.finding("constant_image", "warning", f"constant channels (counted from 0): {channels}")
