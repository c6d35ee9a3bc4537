"""MapDice: Dice between prediction and a target map."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

import losses
from losses import target_maps
from losses.domains import flag
from losses.errors import LossError
from losses.region import RegionLoss, ratio, smoothing
from losses.soft_counts import SoftCounts

_OF_THE_METHOD = "same_as_regressor"


@losses.register("map_dice")
class MapDice(RegionLoss):
    """MapDice: Dice with a target map φ in place of the mask, so that some voxels of a lesion count more than others.

    L = mean over foreground classes of 1 − (2·Σpφ + smooth) / (Σp + Σφ + smooth), sums over the whole batch, or over
    each sample and then the mean over samples too with `batch=False`

    logits (B, C, *S), labels (B, *S), the map named by `penalty_map` (B, C-1, *S): any unsigned kind of
    `losses.target_maps`. Range with maps ≤ 1: 0 ≤ L ≤ 1. **A perfect mask is not 0**: L = (1 − φ̄) / (1 + φ̄) with φ̄
    the mean of φ over the mask, 1/7 for a large ball under `norm_inverse`; with `distance` or `inverse` φ exceeds 1
    and L can be negative (above −1). An empty target (φ = 0) gives Σp / (Σp + smooth). C > 2: the mean over classes.

    **The mask is not the minimiser.** The best p is 1 exactly where φ > F/2, F the score reached: under
    `norm_inverse` the core of every lesion thicker than about 2 voxels is dropped (4.4 % of a ball of radius 8).
    Combine it with a loss whose minimiser is the mask, or fill the holes.

    Raises `LossError` for a map that is unknown, holds integers, or is signed unless `allow_signed`: where Σφ < 0 the
    denominator passes through 0 and L falls below every bound. Also for `same_as_regressor`, which only a suite can
    turn into the map of its method's regressor, and for `smooth` < 0.

    Source: Li et al. 2021, equation 2, as in their class `MapDiceLoss` of TumorNet.py: foreground only, sums over the
    batch. Deviations: in that code maps (B, 1, *S) and probabilities (B, *S) are broadcast to (B, B, *S), so that every
    prediction meets every sample's map; here each meets its own. Three of the published scripts pick up another class
    of that name, which sums both channels of the softmax and is constant. The printed equation sums over classes.
    """

    def __init__(
        self,
        *,
        penalty_map: str = "norm_inverse",
        allow_signed: bool = False,
        batch: bool = True,
        smooth: float = 1e-5,
    ) -> None:
        super().__init__(include_background=False, batch=batch)
        self.allow_signed = flag(self.name, "allow_signed", allow_signed)
        self.penalty_map = self._checked(penalty_map)
        self.smooth = smoothing(self.name, smooth)
        self.required_maps = (self.penalty_map,)

    def target_map(self, maps: Mapping[str, Tensor]) -> Tensor:
        return maps[self.penalty_map]

    def per_class(self, counts: SoftCounts) -> Tensor:
        return 1 - ratio(2 * counts.overlap, counts.predicted + counts.target, self.smooth)

    def _checked(self, kind: object) -> str:
        if kind == _OF_THE_METHOD:
            raise LossError(
                f"{self.name}: penalty_map {kind!r} stands for the map of the method's regressor, and there is none "
                f"here; name a map: {', '.join(self._usable())}"
            )
        if not isinstance(kind, str):
            raise LossError(f"{self.name}: penalty_map must be the name of a target map, got {kind!r}")
        try:
            known = target_maps.describe(kind)
        except LossError as error:
            raise LossError(f"{self.name}: penalty_map: {error}") from error
        if known.dtype != "float32":
            raise LossError(
                f"{self.name}: penalty_map {kind!r} numbers lesions and says nothing about how much a voxel matters; "
                f"use one of {', '.join(self._usable())}"
            )
        if known.value_range[0] < 0 and not self.allow_signed:
            raise LossError(
                f"{self.name}: penalty_map {kind!r} is negative outside lesions, so Σp + Σφ passes through 0 and the "
                f"loss has no lower bound; use one of {', '.join(self._usable())}, or allow_signed: true to see it fail"
            )
        return kind

    def _usable(self) -> list[str]:
        known = [target_maps.describe(kind) for kind in target_maps.available()]
        return [kind.name for kind in known if kind.dtype == "float32" and kind.value_range[0] >= 0]
