"""Sums over numbered parts of a patch – lesions, Voronoi cells – for all parts at once.

Parts come as a map of numbers >= 0, cropped with the patch: numbers need not be consecutive, and a lesion may be
missing or cut. Hundreds of parts cost as much as one: a single scatter, and one look at the largest number.
"""

from __future__ import annotations

import torch
from torch import Tensor

from losses.errors import LossError


class Parts:
    """The parts of every sample and class, from a map (B, K, *S) of numbers; sums have shape (B, K, largest + 1).

    Entry 0 of the last axis is what belongs to no part; the entry of a number that does not occur is 0. Raises
    `LossError` for a map that is not of integers or holds a number below 0.
    """

    def __init__(self, loss: str, key: str, numbers: Tensor) -> None:
        if numbers.is_floating_point() or numbers.is_complex():
            raise LossError(f"{loss}: map {key!r} must hold integers, got {numbers.dtype}")
        low, high = torch.stack(numbers.aminmax()).tolist()
        if low < 0:
            raise LossError(f"{loss}: map {key!r} must hold numbers >= 0 (0 = no lesion), found {low}")
        batch, classes = numbers.shape[:2]
        self.shape = (batch, classes, int(high) + 1)
        first = torch.arange(batch * classes, device=numbers.device).mul_(self.shape[2]).view(batch, classes, 1)
        self._entry = (numbers.flatten(2) + first).flatten()

    def sums(self, values: Tensor) -> Tensor:
        """Sum values (B, K, *S), or (B, 1, *S) shared by all classes, over every part; added up in float64."""
        shared = values.flatten(2).expand(-1, self.shape[1], -1)
        table = values.new_zeros(self.shape, dtype=torch.float64).flatten()
        return table.scatter_add(0, self._entry, shared.reshape(-1).double()).view(self.shape).to(values.dtype)

    def spread(self, table: Tensor, space: torch.Size) -> Tensor:
        """Give every voxel the entry of its part: (B, K, largest + 1) -> (B, K, *S)."""
        return table.flatten().take(self._entry).view(*self.shape[:2], *space)
