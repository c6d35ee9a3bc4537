"""CC-DiceCE."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.components import Parts
from losses.domains import number
from losses.probabilities import foreground, sample_mean, weights
from losses.region import ratio, smoothing
from losses.voxel import cross_entropies, equals, mean_over, valid


@losses.register("connected_component")
class ConnectedComponent(Loss):
    """CC-DiceCE: Dice plus cross entropy of the whole, and of the surroundings of each lesion alone, lesions alike.

    L = L_Dice + L_CE + component_weight · mean over samples of mean_k (Dice_k + CE_k),
        Dice_k and CE_k (mean per voxel) within the Voronoi cell of lesion k: the voxels nearer to it than to any other

    logits (B, C, *S), labels (B, *S), map `nearest_lesion`; L ≥ 0 and unbounded like the cross entropy, 0 at a perfect
    mask. A sample with an empty target has no cells, only the first two terms; with smooth = 0 its Dice is 1 for any
    false positives (no gradient) and the cross entropy alone acts. A cell without any voxel of its lesion – which lies
    outside the patch – is no cell; its voxels count in the whole. For C > 2 each foreground class has its cells: Dice_k
    of that class, CE_k of all classes; the mean over its cells, then over the classes that have any. The mean over
    samples counts a sample without cells as 0 and leaves out samples of −1.

    Raises `LossError` for component_weight or `smooth` < 0.

    Source: CC-DiceCE (arXiv 2511.17146): 26-connected components, Euclidean cells, λ = component_weight = 1, Dice
    without smoothing. Deviation: cells come with the map, so by default they are those of the case, not of the patch.
    """

    required_maps = ("nearest_lesion",)

    def __init__(self, *, component_weight: float = 1.0, smooth: float = 0.0) -> None:
        super().__init__()
        self.component_weight = number(self.name, "component_weight", component_weight, at_least=0)
        self.smooth = smoothing(self.name, smooth)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        p = foreground(logits)
        counted, weight = valid(labels, p), weights(labels, voxel_weight, p)
        cost = cross_entropies(logits, labels) * weight
        dice, cells, present = [], [], []
        for c in range(1, logits.shape[1]):
            parts = Parts(self.name, "nearest_lesion", maps["nearest_lesion"][:, c - 1 : c])
            target = equals(labels, c, p)
            predicted = p[:, c - 1] * weight
            sums = [
                parts.sums(values[:, None])[:, 0]
                for values in (predicted * target, predicted, target * weight, cost, counted, target)
            ]
            dice.append(self._dice(*(table.sum(1) for table in sums[:3])))
            mean, any_cell = self._mean_of_cells(*(table[:, 1:] for table in sums))
            cells.append(mean)
            present.append(any_cell)
        of_cells = torch.stack(cells, 1).sum(1) / torch.stack(present, 1).sum(1).clamp(min=1)
        per_sample = torch.stack(dice, 1).mean(1) + self.component_weight * of_cells
        return sample_mean(per_sample, weight) + mean_over(counted, cost.sum())

    def _dice(self, overlap: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
        return 1 - ratio(2 * overlap, predicted + target, self.smooth)

    def _mean_of_cells(
        self, overlap: Tensor, predicted: Tensor, target: Tensor, cost: Tensor, voxels: Tensor, lesion: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean Dice_k + CE_k (B,) of sums per cell (B, cells), and whether there is any cell (B,)."""
        each = self._dice(overlap, predicted, target) + cost / voxels.clamp(min=1)
        present = (lesion > 0).to(each.dtype)
        count = present.sum(1)
        return (each * present).sum(1) / count.clamp(min=1), (count > 0).to(each.dtype)
