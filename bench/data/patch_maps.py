"""The maps of a patch: cut from stored ones, or computed in the patch, and moved with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.augmentation import move
from bench.data.cutting import cut, inside
from bench.data.maps import COORDINATES, RESERVED, Maps, coordinates, maps_for
from bench.data.sampler import Patch

Stored = Mapping[str, npt.NDArray[Any]]
"""Maps (C−1, *S) of one case by kind."""


@dataclass(frozen=True)
class PatchMaps:
    """What a method requires beside image and labels.

    required  names as in `required_maps`; `step` is passed over, being the training loop's.
    classes   C, the background included.
    stored    maps of whole cases, in the sampler's order, of which required ones are read; None: they are computed in
              every patch, which then knows nothing of the lesions outside.
    """

    required: tuple[str, ...] = ()
    classes: int = 2
    stored: Sequence[Stored] | None = None

    def of(
        self, patch: Patch, labels: npt.NDArray[np.int8], size: tuple[int, ...], spacing_mm: Sequence[float] | None
    ) -> Maps:
        """The maps of a patch of `size` of a case with these labels, moved as labels are; 0 outside the volume.

        Stored types are kept. Numbers of lesions and values do not depend on how a patch is turned.
        """
        found: Maps = {}
        if COORDINATES in self.required:
            found[COORDINATES] = _coordinates(labels.shape, patch.start, size)
        kinds = [name for name in dict.fromkeys(self.required) if name not in RESERVED]
        if self.stored is not None:
            found |= {kind: cut(self.stored[patch.case][kind], patch.start, size, 0) for kind in kinds}
        elif kinds:
            here = labels[inside(labels.shape, patch.start, size)]
            computed = maps_for(kinds, here, classes=self.classes, spacing_mm=spacing_mm)
            found |= {kind: _padded(array, patch.start, size) for kind, array in computed.items()}
        return {name: move(array, patch.augmentation, len(size)) for name, array in found.items()}


NO_MAPS = PatchMaps()


def _coordinates(shape: Sequence[int], start: tuple[int, ...], size: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """The patch of `coordinates(shape)`, without the rest of it."""
    return _padded(coordinates(shape, inside(shape, start, size)), start, size)


def _padded(array: npt.NDArray[Any], start: tuple[int, ...], size: tuple[int, ...]) -> npt.NDArray[Any]:
    """The part of a patch that lies inside the volume, with 0 around it."""
    return cut(array, tuple(min(first, 0) for first in start), size, 0)
