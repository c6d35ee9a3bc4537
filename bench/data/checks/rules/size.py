"""Volumes that are smaller than the patch, flat, of other axes than the patch, or very large."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.facts import FileFacts
from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules

LARGE_VOXELS = 751 * 512 * 512
"""The largest volume of LiTS."""


@rules.register("size")
def size(inspection: Inspection) -> Iterator[Finding]:
    """Error `axes` (2D case and 3D patch, or back); warnings `smaller_than_patch`, `single_slice` and `large`."""
    for examined in inspection.readable():
        file, patch = examined.facts.files[0], inspection.patch_size
        if len(file.shape) != len(patch):
            text = f"the volume has {len(file.shape)} axes {file.shape}, the patch {len(patch)}: {patch}"
            yield examined.finding("axes", "error", text)
            continue
        if len(file.shape) == 3 and 1 in file.shape:
            yield examined.finding("single_slice", "warning", f"{file.shape} voxels (z, y, x): a single slice")
        shape = _prepared(file, inspection.spacing_mm)
        if any(n < p for n, p in zip(shape, patch, strict=True)):
            text = f"{shape} voxels before cropping, the patch has {patch}; it is padded with ignored voxels"
            yield examined.finding("smaller_than_patch", "warning", text)
        if file.voxels >= LARGE_VOXELS:
            gigabytes = file.voxels * 4 * sum(image.channels for image in examined.facts.images) / 2**30
            text = f"{file.shape} voxels: {gigabytes:.1f} GiB as float32; cropping to a region of interest saves most"
            yield examined.finding("large", "warning", text)


def _prepared(file: FileFacts, spacing_mm: tuple[float, ...] | None) -> tuple[int, ...]:
    """Shape after resampling."""
    if spacing_mm is None or len(spacing_mm) != len(file.shape):
        return file.shape
    axes = zip(file.shape, file.spacing_mm, spacing_mm, strict=True)
    return tuple(max(1, round(n * s / t)) for n, s, t in axes)
