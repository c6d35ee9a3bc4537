"""Unified focal loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.domains import number
from losses.errors import LossError
from losses.region import RegionLoss, bounded_power, ratio, smoothing
from losses.soft_counts import SoftCounts


@losses.register("unified_focal")
class UnifiedFocal(RegionLoss):
    """Asymmetric unified focal loss: focal cross entropy on the background, focal Tversky on the foreground.

    L = focal_share·F + (1 − focal_share)·T
    F = mean over voxels of −fn_weight·ln p_true on foreground, −(1 − fn_weight)·(1 − p_0)^exponent·ln p_0 on background
    T = mean over samples and classes of 1 − M_0 for the background, (1 − M_c)^(1 − exponent) for the others,
        M_c = (TP + smooth) / (TP + fn_weight·FN + (1 − fn_weight)·FP + smooth)

    logits (B, C, *S), labels (B, *S); L ≥ 0 and unbounded like the cross entropy, 0 at a perfect mask. Given an
    empty target, M_c ≈ 0 as soon as false positives exceed `smooth`: T is at least (C − 1)/C, nearly without gradient
    from the foreground, and F acts. Written for two classes; for C > 2 every foreground class is treated as the rare
    one.

    Raises `LossError` unless 0 ≤ fn_weight ≤ 1, 0 ≤ focal_share ≤ 1, 0 ≤ exponent < 1 and smooth ≥ 0.

    Source: Yeung et al. 2022 (arXiv 2102.04525), asymmetric form; δ = fn_weight = .6, λ = focal_share = .5, γ =
    exponent = .5, as in the authors' code. MONAI takes δ = .7, applies no activation to what it calls logits, and
    averages F over the two channels, which halves it; the authors' focal part picks channels by the third axis, which
    is right for 2D only. Deviations: (1 − M)^(1 − exponent) has an infinite slope at M = 1, so below 1 − M = 1e-6 it is
    (1 − M)·1e-6^(−exponent); 3D; −1 and voxel weights as in `cross_entropy` and `tversky`.
    """

    def __init__(
        self, *, fn_weight: float = 0.6, focal_share: float = 0.5, exponent: float = 0.5, smooth: float = 1e-7
    ) -> None:
        super().__init__(include_background=True, batch=False)
        self.fn_weight = number(self.name, "fn_weight", fn_weight, at_least=0, at_most=1)
        self.focal_share = number(self.name, "focal_share", focal_share, at_least=0, at_most=1)
        self.exponent = number(self.name, "exponent", exponent, at_least=0, at_most=1)
        if self.exponent == 1:
            raise LossError(f"{self.name}: exponent must be < 1, got 1: the Tversky part would be constant")
        self.smooth = smoothing(self.name, smooth)
        self.on_background = losses.create("focal", exponent=self.exponent, foreground_weight=0.0)
        self.on_foreground = losses.create("focal", exponent=0.0, foreground_weight=1.0)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        background = self.on_background(logits, labels, voxel_weight=voxel_weight)
        lesions = self.on_foreground(logits, labels, voxel_weight=voxel_weight)
        focal = self.fn_weight * lesions + (1 - self.fn_weight) * background
        tversky = super().compute(logits, labels, maps, voxel_weight)
        value: Tensor = self.focal_share * focal + (1 - self.focal_share) * tversky
        return value

    def per_class(self, counts: SoftCounts) -> Tensor:
        false_positive, false_negative = counts.predicted - counts.overlap, counts.target - counts.overlap
        errors = self.fn_weight * false_negative + (1 - self.fn_weight) * false_positive
        rest = 1 - ratio(counts.overlap, counts.overlap + errors, self.smooth)
        return torch.cat([rest[:, :1], bounded_power(rest[:, 1:], 1 - self.exponent)], 1)
