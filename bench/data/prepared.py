"""A prepared case as a folder of plain arrays that are memory-mapped, so that opening it reads nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.geometry import Box, Placement, bounding_box, slices
from bench.data.preprocessing import PreparedCase
from bench.data.preview import Preview
from bench.data.volume import Case
from bench.errors import DataError
from bench.files.atomic import write_json

DESCRIPTION = "case.json"
SCHEMA_VERSION = 1


def write_prepared(folder: Path, prepared: PreparedCase, case: Case) -> None:
    """Write a prepared case into a folder, which is made if need be; sealing and publishing it is the caller's.

    image.npy, labels.npy, roi.npy (if any)  on the prepared grid.
    foreground.npy  flat indices of all target voxels, class after class (counts in case.json).
    reference.npy   classes on the native grid, cut to the box of everything that is not background.
    preview_image.npy, preview_labels.npy  native slices.
    case.json       id, patient, meta, counts and boxes; no path of a source file.
    """
    folder.mkdir(parents=True, exist_ok=True)
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
    reference_box = None
    if prepared.reference is not None:
        reference_box = bounding_box(prepared.reference != 0) or tuple((0, 0) for _ in prepared.reference.shape)
        arrays["reference"] = prepared.reference[slices(reference_box)]
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    counts = [len(voxels) for voxels in foreground]
    description = {
        "schema_version": SCHEMA_VERSION,
        "id": case.id,
        "patient": case.patient,
        "meta": prepared.meta,
        "class_voxels": [int(np.count_nonzero(labels == 0)), *counts],
        "reference_box": reference_box,
        "preview": {"index": prepared.preview.index, "box": prepared.preview.box},
    }
    write_json(folder / DESCRIPTION, description)


def open_prepared(folder: Path) -> Prepared:
    """Open a prepared case; arrays are mapped when they are first used and cannot be written to.

    Raises:
        DataError: case.json is missing, unreadable or of another schema version.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        version = description["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is no prepared case: {DESCRIPTION} cannot be read ({error})") from error
    if version != SCHEMA_VERSION:
        raise DataError(f"{folder}: prepared with schema version {version}, this program reads {SCHEMA_VERSION}")
    return Prepared(folder, description)


@dataclass(frozen=True)
class Prepared:
    """A prepared case on disk."""

    folder: Path
    description: dict[str, Any]

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

    @cached_property
    def image(self) -> npt.NDArray[np.float32]:
        """(C, *S)."""
        return self._array("image")

    @cached_property
    def labels(self) -> npt.NDArray[np.int8]:
        """(*S), −1 ignored."""
        return self._array("labels")

    @cached_property
    def roi(self) -> npt.NDArray[np.bool_] | None:
        """(*S), or None."""
        return self._array("roi") if (self.folder / "roi.npy").exists() else None

    @property
    def class_voxels(self) -> tuple[int, ...]:
        """Voxels of background and of each class on the prepared grid, ignored ones left out."""
        return tuple(self.description["class_voxels"])

    @cached_property
    def foreground(self) -> Sequence[npt.NDArray[np.int64]]:
        """Flat indices of the voxels of each target class on the prepared grid."""
        stops = np.cumsum(self.class_voxels[1:])
        return tuple(np.split(self._array("foreground"), stops[:-1]))

    def reference(self) -> npt.NDArray[np.int8]:
        """Classes (*N) on the native grid, a new array.

        Raises:
            DataError: the case was prepared without reference.
        """
        if self.description["reference_box"] is None:
            raise DataError(f"case {self.id} was prepared without reference labels and cannot be scored")
        full = np.zeros(self.placement.native.shape, np.int8)
        full[slices(_box(self.description["reference_box"]))] = self._array("reference")
        return full

    def preview(self) -> Preview:
        """Slices for reports."""
        place = self.description["preview"]
        images, labels = self._array("preview_image"), self._array("preview_labels")
        return Preview(tuple(place["index"]), _box(place["box"]), images, labels)

    def _array(self, name: str) -> npt.NDArray[Any]:
        path = self.folder / f"{name}.npy"
        # An empty array cannot be mapped.
        try:
            mapped: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if path.stat().st_size > 4096:
                raise DataError(f"{path}: cannot be mapped ({error}); remove its folder to have it rebuilt") from error
            mapped = np.load(path, allow_pickle=False)
        return mapped


def _box(value: Sequence[Sequence[int]]) -> Box:
    return tuple((first, stop) for first, stop in value)
