"""Networks and the methods built from them: `models.create_backbone("residual_unet", in_channels=1, classes=2, …)`.

A backbone is one file in `models/backbones/`, an entry point of the group `imbalance_bench.backbones` in another
distribution, or a class under `@models.register_backbone("name")`; a regressor likewise, in `models/regressors/` and
`imbalance_bench.regressors`. Importing this package does not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from losses.errors import LossError
from losses.registry import Registry
from models.errors import ModelError

if TYPE_CHECKING:
    from models.backbone import Backbone, BackboneOutput
    from models.initialisation import initialise
    from models.method import Batch, Method
    from models.regressor import Regressor
    from models.term import Term

__all__ = [
    "BACKBONES",
    "REGRESSORS",
    "Backbone",
    "BackboneOutput",
    "Batch",
    "Method",
    "ModelError",
    "Regressor",
    "Term",
    "available_backbones",
    "available_regressors",
    "create_backbone",
    "create_regressor",
    "describe_backbone",
    "describe_regressor",
    "initialise",
    "register_backbone",
    "register_regressor",
    "resolve_backbone",
    "resolve_regressor",
]

BACKBONES: Registry[Backbone] = Registry(
    "backbone",
    package="models.backbones",
    group="imbalance_bench.backbones",
    error=ModelError,
    supplied=("in_channels", "classes", "spatial_dims"),
)

REGRESSORS: Registry[Regressor] = Registry(
    "regressor", package="models.regressors", group="imbalance_bench.regressors", error=ModelError
)

available_backbones = BACKBONES.names
describe_backbone = BACKBONES.describe
register_backbone = BACKBONES.register
available_regressors = REGRESSORS.names
describe_regressor = REGRESSORS.describe
register_regressor = REGRESSORS.register

_LAZY = {
    "Backbone": "models.backbone",
    "BackboneOutput": "models.backbone",
    "Batch": "models.method",
    "Method": "models.method",
    "Regressor": "models.regressor",
    "Term": "models.term",
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
    name, parameters = _split(specification, "backbone such as {name: residual_unet}")
    return {"name": name, **BACKBONES.resolve(name, parameters)}


def create_regressor(name: str, **parameters: Any) -> Regressor:
    """Make a regressor; `attach` then builds it for a backbone.

    Raises `ModelError` for an unknown name or parameter and for a value outside its domain.
    """
    with _as_model_error():
        return REGRESSORS.create(name, **parameters)


def resolve_regressor(specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{name, **parameters}` of a regressor as written in a suite, with every default filled in.

    Raises `ModelError` as `create_regressor` does.
    """
    name, parameters = _split(specification, "regressor such as {name: lr_net}")
    with _as_model_error():
        return {"name": name, **REGRESSORS.resolve(name, parameters)}


def _split(specification: Mapping[str, Any], expected: str) -> tuple[str, dict[str, Any]]:
    parameters = {key: value for key, value in specification.items() if key != "name"}
    name = specification.get("name")
    if not isinstance(name, str):
        raise ModelError(f"expected a {expected}, got {dict(specification)!r}")
    return name, parameters


@contextmanager
def _as_model_error() -> Iterator[None]:
    """Domains of parameters are checked by the same functions as those of losses."""
    try:
        yield
    except LossError as error:
        raise ModelError(str(error)) from error


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
