"""What every backbone must do, as checks that tests, self-checks and the loading of plug-ins call alike."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

import models
from models.backbone import Backbone, BackboneOutput
from models.errors import ModelError
from models.initialisation import initialise

_BATCH = 2


class ContractError(ModelError):
    """A backbone that breaks the contract; the message names the backbone, the promise and the configuration."""


@dataclass(frozen=True)
class Subject:
    """A backbone by name and parameters, to be made as often as a check needs."""

    name: str
    spatial_dims: int
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def make(self, *, in_channels: int = 1, classes: int = 2) -> Backbone:
        made = models.create_backbone(
            self.name, in_channels=in_channels, classes=classes, spatial_dims=self.spatial_dims, **self.parameters
        )
        initialise(made, seed=0)
        return made

    def image(self, backbone: Backbone) -> Tensor:
        """An image with unequal axes and a dozen voxels at the lowest level: normalising two would be unstable."""
        cells = {2: 4, 3: 2}[self.spatial_dims]
        least = [divisor * max(cells, -(-16 // divisor)) for divisor in backbone.patch_divisor]
        least[-1] += backbone.patch_divisor[-1]
        generator = torch.Generator().manual_seed(0)
        return torch.randn((_BATCH, backbone.in_channels, *least), generator=generator)

    def broken(self, promise: str, found: str) -> ContractError:
        return ContractError(f"{self.name}: contract broken – a backbone {promise} ({self.spatial_dims}D): {found}")


def check(name: str, parameters: Mapping[str, Any] | None = None, *, spatial_dims: Iterable[int] = (2, 3)) -> None:
    """Raise `ContractError` at the first broken promise of the registered backbone `name`.

    parameters    those of a suite; the backbone's own `example` where left out.
    spatial_dims  what the backbone is meant for.
    """
    chosen = models.describe_backbone(name).example if parameters is None else parameters
    for dims in spatial_dims:
        for promise in _PROMISES:
            promise(Subject(name, dims, chosen))


def _shapes_are_as_declared(subject: Subject) -> None:
    for in_channels, classes in ((1, 2), (2, 4)):
        backbone = subject.make(in_channels=in_channels, classes=classes)
        if len(backbone.patch_divisor) != subject.spatial_dims:
            raise subject.broken("has one patch_divisor per axis", f"got {backbone.patch_divisor}")
        image = subject.image(backbone)
        output = backbone(image)
        if not isinstance(output, BackboneOutput):
            raise subject.broken("returns a BackboneOutput", f"got {type(output).__name__}")
        expected = (_BATCH, classes, *image.shape[2:])
        if tuple(output.logits.shape) != expected or not output.logits.isfinite().all():
            raise subject.broken(f"gives finite logits {expected}", f"got {tuple(output.logits.shape)}")
        features = 0 if output.features is None else output.features.shape[1]
        if features != backbone.feature_channels:
            raise subject.broken(f"gives {backbone.feature_channels} feature channels", f"got {features}")


def _misfits_are_refused(subject: Subject) -> None:
    backbone = subject.make()
    image = subject.image(backbone)
    misfits = {
        "two channels instead of one": image.repeat(1, 2, *[1] * subject.spatial_dims),
        "one axis less": image[0],
    }
    if max(backbone.patch_divisor) > 1:
        misfits["a size that is no multiple of patch_divisor"] = torch.nn.functional.pad(
            image, [1, 0] * subject.spatial_dims
        )
    for title, misfit in misfits.items():
        try:
            backbone(misfit)
        except ModelError:
            continue
        except Exception as error:
            raise subject.broken(f"refuses {title} with a ModelError", f"{error!r} was raised") from error
        raise subject.broken(f"refuses {title} with a ModelError", "no error was raised")


def _weights_follow_from_the_seed(subject: Subject) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = subject.make()
        torch.manual_seed(2)
        second = subject.make()
    for (name, one), (_, other) in zip(_state(first), _state(second), strict=True):
        if not torch.equal(one, other):
            raise subject.broken("has weights and buffers that depend on the seed alone", f"{name} differs")
    initialise(second, seed=1)
    if all(torch.equal(one, other) for (_, one), (_, other) in zip(_state(first), _state(second), strict=True)):
        raise subject.broken("has other weights for another seed", "all are equal")


def _another_head_shifts_nothing(subject: Subject) -> None:
    two, three = dict(_state(subject.make(classes=2))), dict(_state(subject.make(classes=3)))
    shared = [name for name in two if two[name].shape == three[name].shape]
    changed = [name for name in shared if not torch.equal(two[name], three[name])]
    if changed:
        raise subject.broken("keeps its other weights when the number of classes changes", f"{changed[0]} differs")


def _gradients_reach_every_parameter(subject: Subject) -> None:
    backbone = subject.make().train()
    backbone(subject.image(backbone)).logits.square().mean().backward()
    for name, parameter in backbone.named_parameters():
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.isfinite().all()):
            raise subject.broken("passes a finite gradient to every parameter", f"{name} has none")


@torch.no_grad()
def _samples_are_independent_at_inference(subject: Subject) -> None:
    backbone = subject.make().eval()
    image = subject.image(backbone)
    both, alone = backbone(image).logits, backbone(image[:1]).logits
    if not torch.allclose(both[:1], alone, atol=1e-4):
        raise subject.broken("segments a sample alike alone and in a batch", f"off by {(both[:1] - alone).abs().max()}")
    if not torch.equal(both, backbone(image).logits):
        raise subject.broken("gives the same logits for the same image", "two calls differ")


@torch.no_grad()
def _precision_and_layout_are_free(subject: Subject) -> None:
    backbone = subject.make().eval()
    image = subject.image(backbone)
    plain = backbone(image).logits
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = backbone(image).logits.float()
    if not half.isfinite().all() or (half - plain).abs().mean() > 0.5 * plain.abs().mean():
        raise subject.broken("runs under bfloat16 autocast", f"mean error {(half - plain).abs().mean()}")
    last = torch.channels_last if subject.spatial_dims == 2 else torch.channels_last_3d
    moved = backbone.to(memory_format=last)(image.to(memory_format=last)).logits  # type: ignore[call-overload]
    if not torch.allclose(plain, moved, atol=1e-3):
        raise subject.broken("gives the same logits in channels_last layout", f"off by {(plain - moved).abs().max()}")


@torch.no_grad()
def _parts_are_separable(subject: Subject) -> None:
    backbone = subject.make().eval()
    if not backbone.separable:
        return
    missing = [part for part in ("encoder", "decoder", "head") if not hasattr(backbone, part)]
    if missing:
        raise subject.broken("that is separable has encoder, decoder and head", f"no {missing[0]}")
    image = subject.image(backbone)
    levels = backbone.encoder(image)
    if not torch.equal(backbone.head(backbone.decoder(levels)), backbone(image).logits):
        raise subject.broken("is its head of its decoder of its encoder", "the logits differ")
    second = copy.deepcopy(backbone.decoder)
    initialise(second, seed=1)
    if torch.equal(second(levels), backbone.decoder(levels)):
        raise subject.broken("lets a second decoder share the encoder", "it gives the first one's features")


def _state(backbone: Backbone) -> list[tuple[str, Tensor]]:
    return list(backbone.state_dict().items())


_PROMISES: tuple[Callable[[Subject], None], ...] = (
    _shapes_are_as_declared,
    _misfits_are_refused,
    _weights_follow_from_the_seed,
    _another_head_shifts_nothing,
    _gradients_reach_every_parameter,
    _samples_are_independent_at_inference,
    _precision_and_layout_are_free,
    _parts_are_separable,
)
