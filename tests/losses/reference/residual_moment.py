"""Residual moment, a reconstruction: p - g weighted by coordinates; level "map" keeps voxels apart, "moment" sums."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from .one_hot import counted, counted_probabilities, mean, truth


def patch_coordinates(shape: tuple[int, ...]) -> list[Tensor]:
    """One array per axis, -1 at its first voxel and +1 at its last, 0 at the patch's centre."""
    axes = [torch.linspace(-1, 1, n, dtype=torch.float64) if n > 1 else torch.zeros(1).double() for n in shape]
    return list(torch.meshgrid(*axes, indexing="ij"))


def monomials(coordinates: list[Tensor], order: int) -> list[Tensor]:
    """x^k for every multi-index with 0 < |k| <= order."""
    indices = itertools.product(range(order + 1), repeat=len(coordinates))
    chosen = [k for k in indices if 0 < sum(k) <= order]
    return [math.prod(x**e for x, e in zip(coordinates, k, strict=True)) for k in chosen]


def residual_moment(
    logits: Tensor, labels: Tensor, *, order: int = 1, level: str = "map", norm: str = "l1", coordinates=None
) -> Tensor:
    """map: Σ_k Σ_i |x^k (p - g)| / |Ω| (l2: squared). moment: Σ_k |Σ_i x^k (p - g)| / max(Σg, 1) (l2: squared).

    Of every sample and foreground class, then the mean; |Ω| counts the voxels that are not -1. Beyond the sheet, as
    the loss documents it: level "map" is the mean over the voxels of the batch.
    """
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    size = (lambda x: x.abs()) if norm == "l1" else (lambda x: x**2)
    losses = []
    for b in range(len(labels)):
        x = patch_coordinates(tuple(labels.shape[1:])) if coordinates is None else list(coordinates[b])
        for c in range(1, logits.shape[1]):
            residual = p[b, c] - g[b, c]
            if level == "map":
                parts = [size(m * residual).sum() * len(labels) / counted(labels).sum() for m in monomials(x, order)]
            else:
                parts = [size((m * residual).sum() / g[b, c].sum().clamp(min=1)) for m in monomials(x, order)]
            losses.append(sum(parts))
    return mean(losses)
