"""Any segmentation network of MONAI as a backbone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

import models
from losses.registry import nearest
from models.backbone import Backbone, BackboneOutput
from models.errors import ModelError
from models.patch_divisor import describe_mismatch, find_patch_divisor, sole_output

# What MONAI's networks call the three things that are filled in here.
_NAMES = {
    "spatial_dims": ("spatial_dims", "dimensions"),
    "in_channels": ("in_channels",),
    "classes": ("out_channels", "num_classes"),
}


@models.register_backbone("monai")
class MonaiNetwork(Backbone):
    """A network of `monai.networks.nets`: `{name: monai, class: DynUNet, kernel_size: …, strides: …}`.

    class          name of the MONAI class.
    patch_divisor  what each axis of a patch must be a multiple of, one number per axis; found by trying where left
                   out (layers are run without data).
    others         go to the MONAI class; spatial_dims, in_channels and the number of classes are filled in.

    image (B, in_channels, *S) → logits (B, classes, *S). Not separable and without features: MONAI's networks share
    no such structure, so methods that need an encoder, a decoder or features refuse this backbone. The network must
    return logits of the image's shape; deep supervision (several outputs) is refused, since a loss sees one output.

    Raises `ModelError` for a class that MONAI does not have or that takes no image of these dimensions, for
    parameters that the class refuses, and for outputs of another shape.
    """

    separable = False
    example: ClassVar[Mapping[str, Any]] = {"class": "UNet", "channels": (4, 8, 16), "strides": (2, 2)}

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        spatial_dims: int,
        patch_divisor: Sequence[int] | None = None,
        **parameters: Any,
    ) -> None:
        class_name = parameters.pop("class", None)
        network = _build(class_name, spatial_dims, in_channels, classes, parameters)
        label = f"monai {class_name}"
        given = _checked_divisor(label, patch_divisor, spatial_dims) if patch_divisor is not None else None
        divisor = given or find_patch_divisor(label, network, in_channels, classes, spatial_dims)
        super().__init__(name=label, in_channels=in_channels, patch_divisor=divisor, feature_channels=0)
        self.classes = classes
        self.network = network

    def forward(self, image: Tensor) -> BackboneOutput:
        self.check_image(image)
        output = self.network(image)
        wrong = describe_mismatch(output, (image.shape[0], self.classes, *image.shape[2:]))
        if wrong:
            raise ModelError(f"{self.name}: the network returned {wrong}; switch deep supervision off")
        return BackboneOutput(cast("Tensor", sole_output(output)), None)


def _build(name: object, spatial_dims: int, in_channels: int, classes: int, parameters: dict[str, Any]) -> nn.Module:
    network = _find_class(name)
    accepted = inspect.signature(network).parameters
    values = {"spatial_dims": spatial_dims, "in_channels": in_channels, "classes": classes}
    filled = {}
    for what, value in values.items():
        key = next((key for key in _NAMES[what] if key in accepted), None)
        if key is not None:
            filled[key] = value
        elif what != "spatial_dims" or spatial_dims != 3:
            raise ModelError(f"monai {name}: it has no parameter for {what} (looked for {', '.join(_NAMES[what])})")
    _refuse_parameters(name, parameters, filled, accepted)
    try:
        # Some constructors draw numbers outside any parameter; a fixed state keeps them from differing between runs.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return network(**filled, **parameters)
    except ImportError as error:
        raise ModelError(f"monai {name}: an optional package is missing: {str(error).splitlines()[0]}") from error
    except Exception as error:
        raise ModelError(f"monai {name}: cannot be made with {parameters}: {error}") from error


def _find_class(name: object) -> type[nn.Module]:
    from monai.networks import nets

    known = {key: kind for key, kind in vars(nets).items() if isinstance(kind, type) and issubclass(kind, nn.Module)}
    if not isinstance(name, str):
        raise ModelError("monai: say which network with `class`, such as {name: monai, class: UNet}")
    if name not in known:
        raise ModelError(f"monai: monai.networks.nets has no network {name!r}.{nearest(name, known)}")
    return known[name]


def _refuse_parameters(name: object, parameters: dict[str, Any], filled: dict[str, Any], accepted: Any) -> None:
    allowed = [key for key in accepted if key not in filled]
    for key in parameters:
        if key in filled:
            raise ModelError(f"monai {name}: {key!r} is set for you; remove it")
        if key not in allowed:
            hint = nearest(key, allowed)
            raise ModelError(f"monai {name}: no parameter {key!r}.{hint} Allowed: {', '.join(allowed)}")


def _checked_divisor(name: str, divisor: Sequence[int], spatial_dims: int) -> tuple[int, ...]:
    fits = isinstance(divisor, Sequence) and len(divisor) == spatial_dims
    if not fits or any(isinstance(d, bool) or not isinstance(d, int) or d < 1 for d in divisor):
        raise ModelError(f"{name}: patch_divisor must be {spatial_dims} whole numbers >= 1, got {divisor!r}")
    return tuple(divisor)
