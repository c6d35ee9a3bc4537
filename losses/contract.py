"""What every loss must do, as checks that tests, self-checks and the loading of plug-ins call alike."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from losses.base import IGNORED, Loss
from losses.errors import LossError
from losses.statistics import Statistics

_BATCH = 2
_SIZE = 6


class ContractError(LossError):
    """A loss that breaks the contract; the message names the loss, the check and the input."""


@dataclass(frozen=True)
class Example:
    """One input and what to call it in messages."""

    title: str
    logits: Tensor
    labels: Tensor
    maps: Mapping[str, Tensor]


def check(loss: Loss, *, classes: Iterable[int] = (2, 3), spatial_dims: Iterable[int] = (2, 3)) -> None:
    """Raise `ContractError` at the first broken promise; changes neither the loss nor the global random state.

    Target maps are stand-ins (random in (0, 1] on their class, 0 elsewhere; `signed_distance` below 0 on its class and
    above elsewhere; two lesions in `lesion_id` and `nearest_lesion`), so a loss is checked without the code that
    computes real ones. `classes` and `spatial_dims` are those that the loss is meant for.
    """
    _parameters_are_keyword_only(loss)
    for channels in classes:
        ready = copy.deepcopy(loss)
        ready.prepare(Statistics((0.9, *[0.1 / (channels - 1)] * (channels - 1))))
        for dims in spatial_dims:
            for example in examples(ready, channels, dims):
                _value_and_gradient_are_finite(ready, example)
            mixed = examples(ready, channels, dims)[0]
            for promise in _PROMISES:
                promise(ready, mixed)


def examples(loss: Loss, channels: int, dims: int) -> list[Example]:
    """Inputs of every kind that a loss must take, the ordinary one first."""
    generator = torch.Generator().manual_seed(channels * 10 + dims)
    shape = (_BATCH, *[_SIZE] * dims)
    logits = torch.randn((_BATCH, channels, *shape[1:]), generator=generator)
    mixed = torch.randint(IGNORED, channels, shape, generator=generator)
    one_voxel = torch.zeros_like(mixed)
    one_voxel[0].view(-1)[7] = channels - 1
    half_ignored = mixed.clone()
    half_ignored[0] = IGNORED
    targets = {
        "a mixed target": mixed,
        "an empty target": torch.zeros_like(mixed),
        "a target that fills the patch": torch.full_like(mixed, channels - 1),
        "a target of one voxel": one_voxel,
        "one sample ignored": half_ignored,
        "every label −1": torch.full_like(mixed, IGNORED),
    }
    inputs = [(title, scale * logits, labels) for title, labels in targets.items() for scale in (1, 100)]
    inputs += [
        (f"{title}, met with certainty", _certain(labels, channels), labels) for title, labels in targets.items()
    ]
    return [
        Example(f"{title}, {channels} classes, {dims}D", logits, labels, _stand_in_maps(loss, logits, labels))
        for title, logits, labels in inputs
    ]


def _certain(labels: Tensor, channels: int) -> Tensor:
    """Logits whose probabilities are 1 for the right class and 0 for all others, in any precision."""
    classes = torch.arange(channels).view(1, -1, *[1] * (labels.ndim - 1))
    return torch.where(labels[:, None] == classes, 1e4, -1e4)


def _stand_in_maps(loss: Loss, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    classes = torch.arange(1, logits.shape[1]).view(1, -1, *[1] * (labels.ndim - 1))
    inside = labels[:, None] == classes
    maps: dict[str, Tensor] = {}
    for key in loss.required_maps:
        if key == "step":
            maps[key] = torch.tensor(0)
        elif key == "coordinates":
            axes = [torch.linspace(-1, 1, size) for size in labels.shape[1:]]
            maps[key] = torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(len(labels), *[-1] * labels.ndim)
        elif key in ("lesion_id", "nearest_lesion"):
            space = tuple(range(2, inside.ndim))
            maps[key] = _two_parts(inside) * (inside if key == "lesion_id" else inside.any(space, keepdim=True))
        else:
            size = 1 - torch.rand(inside.shape, generator=generator)
            maps[key] = torch.where(inside, -size, size) if key == "signed_distance" else size * inside
    return maps


def _two_parts(inside: Tensor) -> Tensor:
    """1 in the first half of the patch, 4 in the second: a crop need not hold consecutive numbers, or every lesion."""
    numbers = torch.ones(inside.shape, dtype=torch.int32)
    numbers[:, :, _SIZE // 2 :] = 4
    return numbers


def _run(
    loss: Loss, example: Example, logits: Tensor | None = None, labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return value and gradient; `logits` and `labels` replace those of the example."""
    leaf = (example.logits if logits is None else logits).detach().requires_grad_()
    value = loss(leaf, example.labels if labels is None else labels, example.maps)
    if not isinstance(value, Tensor) or value.shape != ():
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise _broken(loss, "returns one scalar", example, f"got {shape}")
    if not value.requires_grad:
        raise _broken(loss, "has a gradient", example, "the value does not depend on the logits")
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach(), gradient


def _parameters_are_keyword_only(loss: Loss) -> None:
    for parameter in inspect.signature(type(loss)).parameters.values():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise ContractError(f"{loss.name}: parameters are keyword-only, but {parameter.name!r} is not")
        numeric = isinstance(parameter.default, int | float)  # as a term's weight in a sum
        if parameter.name == "name" or (parameter.name == "weight" and numeric):
            raise ContractError(f"{loss.name}: no parameter may be called {parameter.name!r}, a suite uses that word")


def _value_and_gradient_are_finite(loss: Loss, example: Example) -> None:
    value, gradient = _run(loss, example)
    if not value.isfinite():
        raise _broken(loss, "has a finite value", example, f"got {value}")
    if not gradient.isfinite().all():
        raise _broken(loss, "has a finite gradient", example, f"{int((~gradient.isfinite()).sum())} values are not")
    if bool((example.labels == IGNORED).all()) and bool(gradient.any()):
        raise _broken(loss, "has a zero gradient where everything is ignored", example, "some values are not 0")


def _ignored_voxels_do_not_matter(loss: Loss, example: Example) -> None:
    ignored = (example.labels == IGNORED)[:, None].expand_as(example.logits)
    value, gradient = _run(loss, example)
    other, _ = _run(loss, example, logits=torch.where(ignored, 7.0 - 3 * example.logits, example.logits))
    if bool(gradient[ignored].any()):
        raise _broken(loss, "has a zero gradient at label −1", example, f"up to {gradient[ignored].abs().max()}")
    if not torch.allclose(value, other, rtol=1e-6, atol=1e-7):
        raise _broken(loss, "does not look at logits under label −1", example, f"{value} became {other}")


def _precision_follows_the_logits(loss: Loss, example: Example) -> None:
    exact, _ = _run(loss, example, logits=example.logits.double())
    if exact.dtype != torch.float64:
        raise _broken(loss, "computes float64 logits in float64", example, f"got {exact.dtype}")
    for kind, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 0.05), (torch.float16, 0.01)):
        value, gradient = _run(loss, example, logits=example.logits.to(kind))
        if value.dtype != torch.float32 or gradient.dtype != kind:
            raise _broken(loss, f"returns float32 for {kind}", example, f"got {value.dtype}")
        if not torch.allclose(value.double(), exact, rtol=tolerance, atol=tolerance):
            raise _broken(loss, f"is accurate for {kind}", example, f"{value} instead of {exact}")


def _autocast_changes_nothing(loss: Loss, example: Example) -> None:
    value, _ = _run(loss, example)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast, _ = _run(loss, example)
    if not torch.equal(value, cast):
        raise _broken(loss, "is computed in full precision under autocast", example, f"{value} became {cast}")


def _memory_layout_changes_nothing(loss: Loss, example: Example) -> None:
    value, gradient = _run(loss, example)
    dims = example.labels.ndim - 1
    last = torch.channels_last if dims == 2 else torch.channels_last_3d
    wide = example.logits.repeat_interleave(2, dim=-1)[..., ::2]
    layouts = {"channels_last": example.logits.to(memory_format=last), "non-contiguous": wide}
    labels = example.labels.transpose(1, 2).contiguous().transpose(1, 2)
    for title, logits in layouts.items():
        other, moved = _run(loss, example, logits=logits, labels=labels)
        if not torch.allclose(value, other, rtol=1e-5, atol=1e-7) or not torch.allclose(gradient, moved, atol=1e-6):
            raise _broken(loss, f"takes {title} input", example, f"{value} became {other}, or its gradient changed")


def _label_type_changes_nothing(loss: Loss, example: Example) -> None:
    value, _ = _run(loss, example)
    for kind in (torch.int8, torch.int16, torch.int32):
        other, _ = _run(loss, example, labels=example.labels.to(kind))
        if not torch.equal(value, other):
            raise _broken(loss, f"takes {kind} labels", example, f"{value} became {other}")


def _unit_weights_change_nothing(loss: Loss, example: Example) -> None:
    value, _ = _run(loss, example)
    ones = torch.ones(example.labels.shape)
    weighted = loss(example.logits, example.labels, example.maps, voxel_weight=ones)
    if not torch.allclose(value, weighted, rtol=1e-5, atol=1e-7):
        raise _broken(loss, "takes voxel weights, and 1 everywhere changes nothing", example, f"{value}, {weighted}")


def _calls_leave_no_trace(loss: Loss, example: Example) -> None:
    logits, labels = example.logits.clone(), example.labels.clone()
    first, _ = _run(loss, example)
    second, _ = _run(loss, example)
    if not torch.equal(first, second):
        raise _broken(loss, "gives the same value for the same input", example, f"{first}, then {second}")
    if not torch.equal(logits, example.logits) or not torch.equal(labels, example.labels):
        raise _broken(loss, "leaves its input as it was", example, "logits or labels were written to")


def _lower_is_better(loss: Loss, example: Example) -> None:
    classes = torch.arange(example.logits.shape[1]).view(1, -1, *[1] * (example.labels.ndim - 1))
    right = 10.0 * (example.labels[:, None] == classes)
    perfect, _ = _run(loss, example, logits=right)
    inverted, _ = _run(loss, example, logits=-right)
    if not perfect < inverted:
        raise _broken(loss, "is lower for the right mask than for its opposite", example, f"{perfect}, {inverted}")


def _misfits_are_refused(loss: Loss, example: Example) -> None:
    misfits = {
        "labels of another shape": (example.logits, example.labels[:, 1:], example.maps),
        "labels that are not integers": (example.logits, example.labels.float(), example.maps),
        "a label beyond the classes": (example.logits, example.labels + 100, example.maps),
        "logits of one channel": (example.logits[:, :1], example.labels.clamp(max=0), example.maps),
    }
    if loss.required_maps:
        misfits["no maps"] = (example.logits, example.labels, {})
    for title, arguments in misfits.items():
        try:
            copy.deepcopy(loss)(*arguments)
        except LossError:
            continue
        except Exception as error:
            raise _broken(loss, f"refuses {title} with a LossError", example, f"{error!r} was raised") from error
        raise _broken(loss, f"refuses {title} with a LossError", example, "no error was raised")


_PROMISES: tuple[Callable[[Loss, Example], None], ...] = (
    _calls_leave_no_trace,
    _ignored_voxels_do_not_matter,
    _precision_follows_the_logits,
    _autocast_changes_nothing,
    _memory_layout_changes_nothing,
    _label_type_changes_nothing,
    _unit_weights_change_nothing,
    _lower_is_better,
    _misfits_are_refused,
)


def _broken(loss: Loss, promise: str, example: Example, found: str) -> ContractError:
    return ContractError(f"{loss.name}: contract broken – a loss {promise} ({example.title}): {found}")
