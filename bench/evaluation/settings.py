"""What a suite may say about evaluation. Every value can change a score and is part of a job's hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.settings import PositiveInt, Settings


class EvaluationSettings(Settings):
    """How a volume is segmented and scored; validation, test and prediction use the same values.

    tolerance_mm    surface Dice counts a surface voxel within this distance of the other surface as right.
    window_overlap  share of a window that the next one covers again, along each axis. 0.25 is MONAI's default; 0.5 is
                    nnU-Net's and runs about (1.5)³ ≈ 3.4 times as many windows in 3D.
    window_batch    windows per forward pass. It can change the last bits of a probability, so it is hashed too.
    """

    tolerance_mm: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    window_overlap: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.25
    window_batch: PositiveInt = 4
