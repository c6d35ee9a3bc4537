"""Losses for imbalanced segmentation: `losses.create("tversky", fp_weight=0.3, fn_weight=0.7)`.

    loss(logits (B, C, *S) float, labels (B, *S) integer, maps={}) -> () float

Raw logits, exclusive classes with 0 = background, label −1 = ignored; S is 2D or 3D; lower is better.
A loss is one file in `losses/library/`, an entry point of the group `imbalance_bench.losses` in another distribution,
or a class under `@losses.register("name")`. Importing this package does not import torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from losses.errors import LossError
from losses.registry import Description, Registry
from losses.specification import split
from losses.statistics import Statistics

if TYPE_CHECKING:
    from losses import target_maps
    from losses.base import Loss

__all__ = [
    "LOSSES",
    "Description",
    "Loss",
    "LossError",
    "Statistics",
    "available",
    "create",
    "describe",
    "register",
    "resolve",
    "target_maps",
]

LOSSES: Registry[Loss] = Registry("loss", package="losses.library", group="imbalance_bench.losses", error=LossError)

available = LOSSES.names
create = LOSSES.create
describe = LOSSES.describe
register = LOSSES.register


def resolve(specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{name, **parameters}` with every default filled in, in nested losses too.

    Two specifications that mean the same loss resolve alike: a whole number given for a float parameter becomes a
    float. Raises `LossError` for an unknown name or parameter and for a required parameter that is missing.
    """
    name, parameters = split(specification)
    return {"name": name, **LOSSES.resolve(name, parameters)}


def __getattr__(name: str) -> Any:
    if name == "Loss":
        from losses.base import Loss

        return Loss
    if name == "target_maps":
        return importlib.import_module("losses.target_maps")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
