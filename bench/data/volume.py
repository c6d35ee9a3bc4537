"""What a case is on disk and in memory: files, voxels and where the voxels lie in the patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Case:
    """One image with its label, and whom it shows.

    id       unique in its dataset; names folders and rows of tables.
    patient  unit of splits and of statistics; several cases may share one.
    files    image files (one per channel), then the label file; empty where the case is generated.
    """

    id: str
    patient: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Geometry:
    """Voxel grid in the patient.

    shape       voxels along (z, y, x), or (y, x).
    spacing_mm  distance of voxel centres in millimetres, in the same order.
    origin      centre of the first voxel in millimetres, in (x, y, z) order as SimpleITK gives it.
    direction   row-major direction cosines of the (x, y, z) axes, as SimpleITK gives them.
    stored      how the file's axes lie to these: ±(axis + 1) for each axis, negative where it runs the other way; empty
                where they are the same. Reading turns volumes (`bench.data.orientation`), writing turns them back.
    """

    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    stored: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.shape)
        if n not in (2, 3) or len(self.spacing_mm) != n or len(self.origin) != n or len(self.direction) != n * n:
            raise ValueError(
                f"geometry of shape {self.shape} with spacing {self.spacing_mm}, origin {self.origin} and direction "
                f"{self.direction}: expected 2 or 3 axes, the same number everywhere"
            )
        if self.stored and sorted(map(abs, self.stored)) != list(range(1, n + 1)):
            raise ValueError(f"stored axes {self.stored}: expected each of 1 to {n} once, with a sign")
        if not all(s > 0 and math.isfinite(s) for s in self.spacing_mm):
            raise ValueError(f"spacing {self.spacing_mm} mm: expected positive numbers")

    @classmethod
    def plain(cls, shape: tuple[int, ...], spacing_mm: tuple[float, ...] | None = None) -> Geometry:
        """A grid at the origin with axes along the patient's; 1 mm unless spacing is given."""
        n = len(shape)
        direction = tuple(float(row == column) for row in range(n) for column in range(n))
        return cls(tuple(shape), spacing_mm or (1.0,) * n, (0.0,) * n, direction)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists, exact on the way back."""
        return {
            "shape": list(self.shape),
            "spacing_mm": list(self.spacing_mm),
            "origin": list(self.origin),
            "direction": list(self.direction),
            "stored": list(self.stored),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Geometry:
        """Inverse of `to_json`."""
        return cls(
            tuple(int(n) for n in value["shape"]),
            tuple(float(s) for s in value["spacing_mm"]),
            tuple(float(o) for o in value["origin"]),
            tuple(float(d) for d in value["direction"]),
            tuple(int(axis) for axis in value.get("stored", ())),
        )


@dataclass(frozen=True)
class Volume:
    """The voxels of a case as read.

    image   (C, *S) float32, or None where there are only masks.
    labels  (*S) int16 with the values of the file, or None where there is no reference.
    notes   what is odd but usable, one sentence each.
    """

    image: npt.NDArray[np.float32] | None
    labels: npt.NDArray[np.int16] | None
    geometry: Geometry
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, shape in (
            ("image", None if self.image is None else self.image.shape[1:]),
            ("labels", None if self.labels is None else self.labels.shape),
        ):
            if shape is not None and shape != self.geometry.shape:
                raise ValueError(f"{name} of shape {shape} in a geometry of shape {self.geometry.shape}")
