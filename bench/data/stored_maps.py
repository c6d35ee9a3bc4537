"""A target map of a prepared case as an entry of the cache: one named array beside the case, which it never touches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.cache.arrays import open_arrays, write_arrays
from bench.data.maps import maps_for
from bench.data.prepared import Prepared
from bench.errors import DataError
from losses import LossError, target_maps


def write_map(folder: Path, kind: str, case: Prepared) -> None:
    """Compute one kind of map of a whole prepared case and write it; sealing and publishing is the caller's.

    The array (C−1, *S) is named after its kind (`_mm` behind it: in mm) and has the type in which that kind is stored.

    Raises:
        DataError: the map cannot be computed, or has values that its stored type does not hold.
        StorageError: the disk has no room for it.
    """
    try:
        values = maps_for([kind], case.labels, classes=len(case.class_voxels), spacing_mm=case.spacing_mm)[kind]
        with np.errstate(over="ignore"):  # seen below
            stored = values.astype(target_maps.describe(target_maps.unit_of(kind)[0]).stored_dtype)
    except LossError as error:
        raise DataError(f"case {case.id}: {error}") from error
    if not np.isfinite(stored).all() or (stored.dtype.kind in "iu" and not np.array_equal(stored, values)):
        raise DataError(
            f"case {case.id}: the target map {kind!r} has values from {values.min():g} to {values.max():g}, which "
            f"cannot be stored as {stored.dtype}; a kind with such values needs another stored_dtype"
        )
    write_arrays(folder, {kind: stored}, {"id": case.id, "kind": kind})


def open_map(folder: Path, kind: str, case: Prepared) -> npt.NDArray[Any]:
    """Open a stored map (C−1, *S) of a prepared case; it is mapped and cannot be written to.

    Raises:
        DataError: there is no such map, or not one of this case's classes and shape.
    """
    arrays = open_arrays(folder)
    if kind not in arrays:
        raise DataError(f"{folder} is no target map {kind!r}: it has {', '.join(arrays.names) or 'no array'}")
    expected = (len(case.class_voxels) - 1, *case.labels.shape)
    found = arrays[kind].shape
    if found != expected:
        raise DataError(f"{folder}: the map {kind!r} has shape {found}, case {case.id} needs {expected}; remove it")
    return arrays[kind]
