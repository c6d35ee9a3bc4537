"""A prepared case as a folder of plain arrays that are memory-mapped, so that opening it reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.cache.arrays import Arrays, open_arrays, write_arrays
from bench.data.geometry import Placement, bounding_box, box_from_json, slices
from bench.data.preprocessing import PreparedCase
from bench.data.preview import Preview
from bench.data.volume import Case
from bench.errors import DataError
from bench.files.names import is_plain

SCHEMA_VERSION = 2
KEYS = {"schema_version", "id", "patient", "meta", "class_voxels", "reference_box", "reference_voxels", "preview"}


def write_prepared(folder: Path, prepared: PreparedCase, case: Case) -> None:
    """Write a prepared case into a folder, which is made if need be; sealing and publishing it is the caller's.

    image, labels, roi (if any)  on the prepared grid; the image with the floating-point type that it has.
    foreground      flat indices of all target voxels, class after class.
    reference       classes on the native grid, cut to the box of everything that is not background.
    preview_image, preview_labels  native slices.
    description     id, patient, meta, counts and boxes; no path of a source file.

    Raises:
        StorageError: the disk has no room for it.
    """
    labels, classes = prepared.labels.ravel(), len(prepared.meta["classes"])
    foreground = [np.flatnonzero(labels == index).astype(np.int64) for index in range(1, classes + 1)]
    arrays: dict[str, npt.NDArray[Any]] = {
        "image": prepared.image,
        "labels": prepared.labels,
        "foreground": np.concatenate(foreground),
        "preview_image": prepared.preview.image,
        "preview_labels": prepared.preview.labels,
    }
    if prepared.roi is not None:
        arrays["roi"] = prepared.roi
    reference_box = reference_voxels = None
    if prepared.reference is not None:
        reference_voxels = [int(np.count_nonzero(prepared.reference == index)) for index in range(1, classes + 1)]
        reference_box = bounding_box(prepared.reference != 0) or tuple((0, 0) for _ in prepared.reference.shape)
        arrays["reference"] = prepared.reference[slices(reference_box)]
    counts = [len(voxels) for voxels in foreground]
    description = {
        "schema_version": SCHEMA_VERSION,
        "id": case.id,
        "patient": case.patient,
        "meta": prepared.meta,
        "class_voxels": [int(np.count_nonzero(labels == 0)), *counts],
        "reference_box": reference_box,
        "reference_voxels": reference_voxels,
        "preview": {"index": prepared.preview.index, "box": prepared.preview.box},
    }
    write_arrays(folder, arrays, description)


def open_prepared(folder: Path) -> Prepared:
    """Open a prepared case; arrays are mapped when they are first used and cannot be written to.

    Raises:
        DataError: there are no arrays, or not those of a prepared case of this schema version.
    """
    arrays = open_arrays(folder)
    missing = {"image", "labels", "foreground", "preview_image", "preview_labels"} - set(arrays.names)
    missing |= KEYS - arrays.description.keys()
    if missing:
        raise DataError(f"{folder} is no prepared case: it has no {', '.join(sorted(missing))}")
    version = arrays.description["schema_version"]
    if version != SCHEMA_VERSION:
        raise DataError(f"{folder}: prepared with schema version {version}, this program reads {SCHEMA_VERSION}")
    if not is_plain(arrays.description["id"]):  # it names the files of masks
        raise DataError(f"{folder}: the case id {arrays.description['id']!r} cannot name a file; remove this folder")
    return Prepared(arrays)


@dataclass(frozen=True)
class Prepared:
    """A prepared case on disk."""

    arrays: Arrays

    @property
    def folder(self) -> Path:
        return self.arrays.folder

    @property
    def description(self) -> dict[str, Any]:
        return self.arrays.description

    @property
    def id(self) -> str:
        """Id of the case in its dataset."""
        return str(self.description["id"])

    @property
    def patient(self) -> str:
        return str(self.description["patient"])

    @property
    def meta(self) -> dict[str, Any]:
        """What `restore` needs, and what was noticed (see `PreparedCase`)."""
        return dict(self.description["meta"])

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self.meta["notes"])

    @cached_property
    def placement(self) -> Placement:
        """Where the prepared grid lies in the native one."""
        return Placement.from_json(self.meta["placement"])

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Of the prepared grid."""
        return self.placement.grid.spacing_mm

    @property
    def image(self) -> npt.NDArray[np.floating[Any]]:
        """(C, *S), float32 or as it was stored."""
        return self.arrays["image"]

    @property
    def labels(self) -> npt.NDArray[np.int8]:
        """(*S), −1 ignored."""
        return self.arrays["labels"]

    @property
    def roi(self) -> npt.NDArray[np.bool_] | None:
        """(*S), or None."""
        if "roi" not in self.arrays:
            return None
        return self.arrays["roi"]

    @property
    def class_voxels(self) -> tuple[int, ...]:
        """Voxels of background and of each class on the prepared grid, ignored ones left out."""
        return tuple(self.description["class_voxels"])

    @cached_property
    def foreground(self) -> Sequence[npt.NDArray[np.int64]]:
        """Flat indices of the voxels of each target class on the prepared grid."""
        stops = np.cumsum(self.class_voxels[1:])
        return tuple(np.split(self.arrays["foreground"], stops[:-1]))

    @property
    def has_target(self) -> bool:
        """Whether any voxel of the native reference is of a target class; known without reading it.

        Raises:
            DataError: the case was prepared without reference.
        """
        if self.description["reference_voxels"] is None:
            raise self._unlabelled()
        return any(self.description["reference_voxels"])

    def reference(self) -> npt.NDArray[np.int8]:
        """Classes (*N) on the native grid, a new array.

        Raises:
            DataError: the case was prepared without reference.
        """
        if self.description["reference_box"] is None:
            raise self._unlabelled()
        full = np.zeros(self.placement.native.shape, np.int8)
        full[slices(box_from_json(self.description["reference_box"]))] = self.arrays["reference"]
        return full

    def preview(self) -> Preview:
        """Slices for reports."""
        place = self.description["preview"]
        images, labels = self.arrays["preview_image"], self.arrays["preview_labels"]
        return Preview(tuple(place["index"]), box_from_json(place["box"]), images, labels)

    def _unlabelled(self) -> DataError:
        return DataError(f"case {self.id} was prepared without reference labels and cannot be scored")
