"""The mask whose target maps are drawn: of a file, or generated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.report.plots.target_maps import MapCase


def generated(number: int) -> MapCase:
    """The tumours of a phantom case, over its image."""
    from bench.data.phantom.assemble import TUMOUR, generate
    from bench.data.phantom.settings import PhantomSettings

    case = generate(number, PhantomSettings(cases=number + 1))
    title = f"phantom case {number}, tumours"
    return MapCase(title, case.labels == TUMOUR, case.geometry.spacing_mm, case.image[0])


def read(path: Path, label: int | None) -> MapCase:
    """The voxels of a label file that have this value, or any above 0.

    Raises:
        DataError: the file is unreadable, or has no such voxel.
    """
    from bench.data.reading import read_volume

    volume = read_volume(path.name, [], path)
    assert volume.labels is not None
    mask = volume.labels > 0 if label is None else volume.labels == label
    if not mask.any():
        values = ", ".join(map(str, np.unique(volume.labels)[:20]))
        wanted = "above 0" if label is None else f"equal to {label}"
        raise DataError(f"{path}: no voxel is {wanted}; values in the file: {values}. Choose one with --label")
    title = path.name if label is None else f"{path.name}, label {label}"
    return MapCase(title, mask, volume.geometry.spacing_mm, None)
