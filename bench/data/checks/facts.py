"""What is known of a case once its files were read: plain numbers, which every rule is decided from."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from bench.data.opening import Opened
from bench.data.orientation import orientation_of, to_canonical
from bench.settings import Settings

LABEL_TOLERANCE = 1e-3
"""Largest distance of a label from a whole number."""
_TABLE = 1 << 16
_LISTED = 12


class FileFacts(Settings):
    """One file, or why it cannot be read (`problem`, found by the check `rule`).

    digest      SHA-256 of the voxels as float32 in canonical orientation; equal for equal voxels in different files.
    values      of a label: voxels by value; values that are no whole numbers of 16 bits are counted in `unusable`.
    floating    whether the file stores floating-point numbers.
    shear       largest deviation of the direction cosines from orthonormal ones.
    """

    problem: str = ""
    rule: str = ""
    channels: int = 0
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    shear: float = 0.0
    floating: bool = False
    non_finite: int = 0
    minima: tuple[float, ...] = ()
    maxima: tuple[float, ...] = ()
    digest: str = ""
    values: dict[int, int] = Field(default_factory=dict)
    unusable: int = 0
    unusable_values: tuple[float, ...] = ()

    @property
    def voxels(self) -> int:
        """Of one channel."""
        return int(np.prod(self.shape, dtype=np.int64)) if self.shape else 0


class CaseFacts(Settings):
    """The files of a case; `problem` is why the case as a whole cannot be read."""

    images: tuple[FileFacts, ...] = ()
    label: FileFacts | None = None
    problem: str = ""

    @property
    def files(self) -> tuple[FileFacts, ...]:
        """Images, then the label."""
        return (*self.images, *((self.label,) if self.label is not None else ()))

    @property
    def readable(self) -> bool:
        """Whether there are files and all of them could be opened."""
        return bool(self.files) and not self.problem and not any(file.problem for file in self.files)


def image_facts(opened: Opened) -> FileFacts:
    """Facts of an image file."""
    finite = [_finite(channel) for channel in opened.voxels]
    return FileFacts(
        **_common(opened, sum(bad for _, _, bad in finite)),
        minima=tuple(low for low, _, _ in finite),
        maxima=tuple(high for _, high, _ in finite),
        digest=_digest(opened),
    )


def label_facts(opened: Opened) -> FileFacts:
    """Facts of a label file."""
    voxels = opened.voxels
    non_finite = int(voxels.size - np.count_nonzero(np.isfinite(voxels)))
    counts = np.zeros(_TABLE, np.int64)
    unusable = 0
    examples: set[float] = set()
    for piece in voxels.reshape(-1, *voxels.shape[-2:]):  # slice by slice, to save memory
        whole, wrong = _whole_numbers(piece)
        counts += np.bincount(whole.astype(np.int16).view(np.uint16).ravel(), minlength=_TABLE)
        unusable += wrong.size
        examples.update(float(value) for value in np.unique(wrong)[:_LISTED])
    found = np.flatnonzero(counts)
    return FileFacts(
        **_common(opened, non_finite),
        digest=_digest(opened),
        values={int(v.astype(np.uint16).view(np.int16)): int(counts[v]) for v in found},
        unusable=unusable,
        unusable_values=tuple(sorted(examples)[:_LISTED]),
    )


def _common(opened: Opened, non_finite: int) -> dict[str, Any]:
    geometry = opened.geometry
    return {
        "channels": len(opened.voxels),
        "shape": geometry.shape,
        "spacing_mm": tuple(map(float, geometry.spacing_mm)),
        "origin": tuple(map(float, geometry.origin)),
        "direction": tuple(map(float, geometry.direction)),
        "shear": opened.shear,
        "floating": bool(np.issubdtype(opened.voxels.dtype, np.floating)),
        "non_finite": opened.hidden or non_finite,
    }


def _finite(channel: npt.NDArray[Any]) -> tuple[float, float, int]:
    """Smallest and largest finite voxel, and how many are not finite."""
    if not np.issubdtype(channel.dtype, np.floating):
        return float(channel.min()), float(channel.max()), 0
    with np.errstate(over="ignore"):
        usable = np.isfinite(channel.astype(np.float32, copy=False))
    bad = int(channel.size - np.count_nonzero(usable))
    kept = channel if not bad else channel[usable]
    return (float(kept.min()), float(kept.max()), bad) if kept.size else (0.0, 0.0, bad)


def _whole_numbers(piece: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Values that are whole numbers of 16 bits, and the finite ones that are not."""
    limits = np.iinfo(np.int16)
    if np.issubdtype(piece.dtype, np.integer):
        good = (piece >= limits.min) & (piece <= limits.max)
        return piece[good], piece[~good]
    rounded = np.rint(piece)
    good = (np.abs(piece - rounded) <= LABEL_TOLERANCE) & (rounded >= limits.min) & (rounded <= limits.max)
    return rounded[good], piece[~good & np.isfinite(piece)]


def _digest(opened: Opened) -> str:
    canonical = to_canonical(opened.voxels, orientation_of(opened.geometry.direction))
    total = hashlib.sha256(repr(canonical.shape).encode())
    for channel in canonical:
        for piece in channel:
            with np.errstate(over="ignore"):
                total.update((piece.astype(np.float32) + np.float32(0)).tobytes())  # no negative zeros
    return total.hexdigest()
