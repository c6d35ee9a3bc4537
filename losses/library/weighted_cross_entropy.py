"""Cross entropy with a weight per class or voxel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import losses
from losses.domains import number
from losses.errors import LossError
from losses.labels import class_voxels, dot, equals, valid, voxels
from losses.soft_counts import soft_counts
from losses.statistics import Statistics, class_weights
from losses.voxel import cross_entropies, plain, voxel_sum

_POWERS = {"inverse_sqrt": 0.5, "inverse": 1.0, "unet_border": 1.0}
_MODES = ("inverse_sqrt", "inverse", "adaptive", "unet_border")


@losses.register("weighted_cross_entropy")
class WeightedCrossEntropy(losses.Loss):
    """Weighted cross entropy: the weighted mean over voxels of the negative log-probability of the true class.

    L = Σ_i w_i·(−ln p_true,i) / Σ_i w_i,  sums over all voxels of the batch that are not −1

    weight is one of four rules, or a list of C numbers ≥ 0, background first:
      - "inverse_sqrt": w_c = (1 / f_c)^½, f_c the frequency of class c in the training set; the softest rule.
      - "inverse": w_c = 1 / f_c. On tumours the foreground then weighs hundreds of times as much; SegLossOdyssey's
        weighted cross entropy (576 : 1) has a liver tumour Dice of .27 against .56 unweighted.
      - "adaptive": Sudre's. w_c = (N − Σp_c) / Σp_c from the *prediction*, 1 for the background, N voxels; gradients
        flow through w; the sum is divided by N, not by Σw. A prediction of less than one voxel counts as one voxel.
      - "unet_border": w = 1 / f_c + φ, φ the map `border` (w0 = 10, σ = 5 voxels, the largest of all classes).

    logits (B, C, *S), labels (B, *S), map `border` (B, C-1, *S) for "unet_border" only. L ≥ 0 and unbounded, 0 at a
    perfect mask. An empty target is ordinary: Σw and the sum are the background's, so L is its cross entropy. With
    every voxel ignored L = 0. Voxel weights multiply costs, not Σw. C > 2: one weight per class.
    Frequencies come through `prepare(statistics)`; `weights` shows the weights, None until then and for "adaptive".

    Raises `LossError` for another `weight`, a list of fewer than two numbers, of negative ones or of zeros only, when
    used before `prepare`, for a class that the training set does not have, and at the first call for a list whose
    length is not the number of classes.

    Source: the weighted mean is torch's `cross_entropy(weight)`; "inverse_sqrt" Wong et al. 2018 (arXiv 1809.00076);
    "adaptive" Sudre et al. 2017 (arXiv 1707.03237), equation 1; "unet_border" Ronneberger et al. 2015 (arXiv
    1505.04597), equation 2, which leaves w_c open. Which of them stands behind "WCE" in Table 2 of Li et al. 2021,
    who cite Ronneberger, is not known. Deviations: C > 2 of "adaptive", and its bound of one voxel.
    """

    def __init__(self, *, weight: str | Sequence[float] = "inverse_sqrt") -> None:
        super().__init__()
        self.mode = weight if isinstance(weight, str) else "fixed"
        self.weights: tuple[float, ...] | None = None
        if not isinstance(weight, str):
            self.weights = self._listed(weight)
        elif weight not in _MODES:
            raise self._wrong(weight)
        if self.mode == "unet_border":
            self.required_maps = ("border",)

    @classmethod
    def resolve_parameters(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Whole numbers in a list are floats, so that [1, 10] and [1.0, 10.0] are one loss."""
        weight = parameters["weight"]
        return {"weight": weight if isinstance(weight, str) else cls(weight=weight).weights}

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        return self.weights

    def prepare(self, statistics: Statistics) -> None:
        if self.mode in _POWERS:
            self.weights = statistics.inverse_frequencies(self.name, power=_POWERS[self.mode])

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        if self.mode == "adaptive":
            return self._adaptive(logits, labels, voxel_weight)
        weight = class_weights(self.name, self.weights, logits)
        if self.mode == "unet_border":
            return self._bordered(logits, labels, weight, maps["border"], voxel_weight)
        summed = voxel_sum(logits, labels, plain, class_weight=weight, voxel_weight=voxel_weight)
        return _divided(summed, dot(weight, class_voxels(labels, len(weight), weight)))

    def _bordered(
        self, logits: Tensor, labels: Tensor, weight: Tensor, border: Tensor, voxel_weight: Tensor | None
    ) -> Tensor:
        by_voxel = weight.take(labels.long().clamp(min=0)) + border.amax(1).to(weight.dtype)
        by_voxel.mul_(valid(labels, by_voxel))
        own = by_voxel if voxel_weight is None else by_voxel * voxel_weight.to(by_voxel.dtype)
        return _divided(voxel_sum(logits, labels, plain, voxel_weight=own), by_voxel.sum())

    def _adaptive(self, logits: Tensor, labels: Tensor, voxel_weight: Tensor | None) -> Tensor:
        costs = cross_entropies(logits, labels)
        if voxel_weight is not None:
            costs = costs * voxel_weight.to(costs.dtype)
        counts = soft_counts(logits, labels, voxel_weight=voxel_weight)
        predicted = counts.predicted.sum(0)
        rarity = (counts.total.sum() - predicted) / predicted.clamp(min=1)
        by_class = torch.stack([dot(costs, equals(labels, c, costs)) for c in range(logits.shape[1])])
        return _divided(by_class[0] + dot(rarity, by_class[1:]), voxels(labels, costs))

    def _listed(self, weight: object) -> tuple[float, ...]:
        if not isinstance(weight, Sequence) or len(weight) < 2:
            raise self._wrong(weight)
        listed = tuple(number(self.name, f"weight[{i}]", w, at_least=0) for i, w in enumerate(weight))
        if sum(listed) == 0:
            raise LossError(f"{self.name}: every weight is 0, so nothing would cost anything, got {weight!r}")
        return listed

    def _wrong(self, weight: object) -> LossError:
        return LossError(
            f"{self.name}: weight must be one of {', '.join(_MODES)} or a list of one number per class, got {weight!r}"
        )


def _divided(summed: Tensor, weight: Tensor) -> Tensor:
    """A sum over no weight is 0 and stays 0."""
    return summed / weight.masked_fill(weight == 0, 1)
