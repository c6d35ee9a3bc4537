"""Focal Tversky loss."""

from __future__ import annotations

from torch import Tensor

import losses
from losses.domains import number
from losses.library.tversky import Tversky
from losses.region import bounded_power
from losses.soft_counts import SoftCounts


@losses.register("focal_tversky")
class FocalTversky(Tversky):
    """Focal Tversky loss: a power of the Tversky loss of every sample and class.

    L = mean over samples and foreground classes of (1 − TI)^exponent,
        TI = (TP + smooth) / (TP + fp_weight·FP + fn_weight·FN + smooth)

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask. exponent = 1 is `tversky`. An exponent < 1, the
    published one included, raises the pull on samples that are nearly solved; > 1 lowers it. The power is applied
    to every sample and class before the mean. An empty target gives (fp_weight·Σp / (fp_weight·Σp + smooth))^exponent.
    C > 2: the mean over foreground classes. `batch`: see `RegionLoss`.

    Trap: the slope of x^0.75 at 0 is infinite. Below 1 − TI = 1e-6 the power is replaced by its chord from 0.

    Raises `LossError` for weights or `smooth` < 0, both weights 0, or exponent ≤ 0.

    Source: Abraham and Khan 2019 (arXiv 1810.07842), equation 4, Σ_c (1 − TI_c)^(1/γ) with γ = 4/3, which is
    exponent = 0.75 here; their code calls 0.75 γ. Their α = .7 is the weight of false negatives (`fn_weight`), unlike
    Tversky's. Deviations: the mean over classes and samples instead of the sum over classes of batch-wide ratios;
    foreground only; smooth 1e-5, their code has 1.
    """

    def __init__(
        self,
        *,
        fp_weight: float = 0.3,
        fn_weight: float = 0.7,
        smooth: float = 1e-5,
        exponent: float = 0.75,
        batch: bool = False,
    ) -> None:
        super().__init__(fp_weight=fp_weight, fn_weight=fn_weight, smooth=smooth, batch=batch)
        self.exponent = number(self.name, "exponent", exponent, above=0)

    def per_class(self, counts: SoftCounts) -> Tensor:
        return bounded_power(super().per_class(counts), self.exponent)
