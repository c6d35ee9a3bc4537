"""What a suite says about generated data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.data.settings import DatasetSettings, Target, TargetLabels
from bench.settings import PositiveFloat, PositiveInt

AxisLength = Annotated[int, Field(ge=16)]


class PhantomSettings(DatasetSettings):
    """Generated liver CT with tumours. A case depends on seed, size, spacing and its number, not on how many there are.

    The liver scales with the field of view (size × spacing); vessels and lesions keep their size in millimetres.
    """

    format: Literal["phantom"] = "phantom"
    cases: PositiveInt
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    size: tuple[AxisLength, AxisLength, AxisLength] = (56, 80, 80)
    """Voxels along (z, y, x)."""
    spacing_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (3.0, 1.75, 1.75)
    """Distance of voxels along (z, y, x)."""
    target: Target = (2,)
    """Labels: 0 background, 1 liver with its benign look-alikes, 2 tumour."""
    roi: TargetLabels | None = (1, 2)
