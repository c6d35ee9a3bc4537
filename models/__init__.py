"""Networks and the methods built from them: `models.create_backbone("residual_unet", in_channels=1, classes=2, …)`.

A backbone is one file in `models/backbones/`, an entry point of the group `imbalance_bench.backbones` in another
distribution, or a class under `@models.register_backbone("name")`. Importing this package does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from losses.registry import Registry
from models.errors import ModelError

if TYPE_CHECKING:
    from models.backbone import Backbone, BackboneOutput
    from models.initialisation import initialise
    from models.method import Batch, Method, Term

__all__ = [
    "BACKBONES",
    "Backbone",
    "BackboneOutput",
    "Batch",
    "Method",
    "ModelError",
    "Term",
    "available_backbones",
    "create_backbone",
    "describe_backbone",
    "initialise",
    "register_backbone",
    "resolve_backbone",
]

BACKBONES: Registry[Backbone] = Registry(
    "backbone",
    package="models.backbones",
    group="imbalance_bench.backbones",
    error=ModelError,
    supplied=("in_channels", "classes", "spatial_dims"),
)

available_backbones = BACKBONES.names
describe_backbone = BACKBONES.describe
register_backbone = BACKBONES.register

_LAZY = {
    "Backbone": "models.backbone",
    "BackboneOutput": "models.backbone",
    "Batch": "models.method",
    "Method": "models.method",
    "Term": "models.method",
    "initialise": "models.initialisation",
}


def create_backbone(name: str, *, in_channels: int, classes: int, spatial_dims: int, **parameters: Any) -> Backbone:
    """Make a backbone; its weights are those of its construction until `initialise` draws them from a seed.

    in_channels   channels of the image, ≥ 1.
    classes       channels of the logits, background included, ≥ 2.
    spatial_dims  2 or 3.

    Raises `ModelError` for an unknown name or parameter and for a value outside its domain.
    """
    for what, value, least in (("in_channels", in_channels, 1), ("classes", classes, 2)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ModelError(f"backbone {name!r}: {what} must be a whole number >= {least}, got {value!r}")
    if spatial_dims not in (2, 3):
        raise ModelError(f"backbone {name!r}: spatial_dims must be 2 or 3, got {spatial_dims!r}")
    return BACKBONES.create(name, in_channels=in_channels, classes=classes, spatial_dims=spatial_dims, **parameters)


def resolve_backbone(specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{name, **parameters}` of a backbone as written in a suite, with every default filled in.

    Raises `ModelError` for an unknown name or parameter, for a required one that is missing, and for those that are
    not the suite's to set (in_channels, classes, spatial_dims).
    """
    parameters = {key: value for key, value in specification.items() if key != "name"}
    name = specification.get("name")
    if not isinstance(name, str):
        raise ModelError(f"expected a backbone such as {{name: residual_unet}}, got {dict(specification)!r}")
    return {"name": name, **BACKBONES.resolve(name, parameters)}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
