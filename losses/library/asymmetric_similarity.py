"""Asymmetric similarity loss."""

from __future__ import annotations

import losses
from losses.domains import number
from losses.library.tversky import Tversky


@losses.register("asymmetric_similarity")
class AsymmetricSimilarity(Tversky):
    """Asymmetric similarity loss: one minus a soft F-score that values recall `beta` times as much as precision.

    L = mean over samples and foreground classes of
        1 − ((1 + β²)·TP + s) / ((1 + β²)·TP + β²·FN + FP + s),  TP = Σpg, FP = Σp(1−g), FN = Σ(1−p)g, β = beta

    This is `tversky` with fn_weight = β²/(1 + β²) and fp_weight = 1/(1 + β²): .692 and .308 at β = 1.5; beta = 1 is
    Dice. The smoothing is that of `tversky` at its default, s = 1e-5·(1 + β²).

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask. An empty target gives Σp / (Σp + s).
    C > 2: the mean over foreground classes. `batch`: see `RegionLoss`.

    Raises `LossError` unless beta > 0.

    Source: Hashemi et al. 2019 (arXiv 1803.11078), where β = 1.5 did best. Deviations: per sample, smoothed. The form
    in Shirokikh et al. 2020 has squares, 1 − (1+β²)·Σpg / Σ(β²·g² + p²); on hard masks both agree.
    """

    def __init__(self, *, beta: float = 1.5, batch: bool = False) -> None:
        square = number(self.name, "beta", beta, above=0) ** 2
        super().__init__(fp_weight=1 / (1 + square), fn_weight=square / (1 + square), batch=batch)
        self.beta = float(beta)
