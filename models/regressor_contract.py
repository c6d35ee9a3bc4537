"""What every regressor must do, as checks that tests, self-checks and the loading of plug-ins call alike."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import torch
from torch import Tensor

import losses
import models
from models.backbone import Backbone
from models.errors import ModelError
from models.method import Batch, Method
from models.regressor import Regressed
from models.regressor_subject import BATCH, SPACE, Subject

_RANGES = {"linear": (-math.inf, math.inf), "relu": (0.0, math.inf), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def check(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    classes: Iterable[int] = (2, 3),
    spatial_dims: Iterable[int] = (2, 3),
) -> None:
    """Raise `ContractError` at the first broken promise of the registered regressor `name`.

    parameters             those of a suite; the regressor's own `example` where left out.
    classes, spatial_dims  what the regressor is meant for, the background counted as a class.
    """
    chosen = models.describe_regressor(name).example if parameters is None else parameters
    for count, dims in product(classes, tuple(spatial_dims)):
        for promise in _PROMISES:
            promise(Subject(name, count, dims, chosen))


def _resolving_is_final(subject: Subject) -> None:
    once = models.resolve_regressor({"name": subject.name, **subject.parameters})
    twice = models.resolve_regressor(once)
    if once != twice:
        raise subject.broken("that is resolved resolves to itself", f"{once} became {twice}")
    try:
        models.create_regressor(**once)
    except ModelError as error:
        raise subject.broken("that is resolved can be made", str(error)) from error


def _the_backbone_stays_the_same(subject: Subject) -> None:
    plain, attached = _trunk(subject.backbone()), _trunk(subject.method().backbone)
    if plain.keys() != attached.keys():
        raise subject.broken("leaves encoder and decoder as they are", f"{_first(plain.keys() ^ attached.keys())}")
    changed = [name for name in plain if not torch.equal(plain[name], attached[name])]
    if changed:
        raise subject.broken("leaves the weights of encoder and decoder as they are", f"{changed[0]} differs")


@torch.no_grad()
def _shapes_and_values_are_as_declared(subject: Subject) -> None:
    regressed = _regressed(subject, subject.method(), subject.batch())
    space = SPACE[subject.spatial_dims]
    for what, channels in (("logits", subject.classes), ("values", subject.classes - 1)):
        expected, got = (BATCH, channels, *space), getattr(regressed, what)
        if tuple(got.shape) != expected or not got.isfinite().all():
            raise subject.broken(f"gives finite {what} {expected}", f"got {tuple(got.shape)}")
    head = subject.create().head
    low, high = _RANGES[head]
    least, most = float(regressed.values.min()), float(regressed.values.max())
    if least < low or most > high:
        raise subject.broken(f"with the head {head!r} gives values in {low:g}..{high:g}", f"{least:g}..{most:g}")


def _terms_are_finite(subject: Subject) -> None:
    for method in subject.stages():
        for title, labels in subject.targets().items():
            terms = method.training_terms(subject.batch(labels))
            if "regression" not in terms:
                raise subject.broken("has the term 'regression'", f"got {', '.join(terms) or 'none'}")
            for term, (value, weight) in terms.items():
                if value.shape != () or not torch.isfinite(weight * value):
                    raise subject.broken(f"has finite scalar terms for {title}", f"{term} is {value}")
            method.zero_grad()
            method.objective(terms).backward()  # type: ignore[no-untyped-call]
            for name, parameter in method.named_parameters():
                if parameter.grad is not None and not parameter.grad.isfinite().all():
                    raise subject.broken(f"has finite gradients for {title}", f"that of {name} is not")


def _ignored_voxels_do_not_pull(subject: Subject) -> None:
    method, batch = subject.method(), subject.batch()
    regressed = _regressed(subject, method, batch)
    (gradient,) = torch.autograd.grad(_error(method, regressed, batch), regressed.values)
    if (gradient * (batch.labels < 0).unsqueeze(1)).any():
        raise subject.broken("has no gradient at values where the label is −1", "some are not 0")


def _the_regression_reaches_the_backbone(subject: Subject) -> None:
    for method in subject.stages():
        batch = subject.batch()
        regressed = _regressed(subject, method, batch)
        error = _error(method, regressed, batch)
        if not error.requires_grad:
            raise subject.broken("passes its error on to the backbone", "the error has no gradient at all")
        weights = list(method.backbone.parameters())
        gradients = torch.autograd.grad(error, weights, allow_unused=True)
        if not any(one is not None and bool(one.any()) for one in gradients):
            raise subject.broken("passes its error on to the backbone", "every gradient is 0")


def _frozen_weights_are_fixed(subject: Subject) -> None:
    if not subject.pretrained:
        return
    method = subject.method(frozen=True).train()
    assert method.regressor is not None
    awake = [name for name, part in method.regressor.named_modules() if name and part.training]
    if awake:
        raise subject.broken("keeps frozen parts in evaluation mode", f"{awake[0]} is in training mode")
    before = copy.deepcopy(method.regressor.state_dict())
    optimiser = torch.optim.Adam([one for one in method.parameters() if one.requires_grad], 1e-2)
    method.objective(method.training_terms(subject.batch())).backward()  # type: ignore[no-untyped-call]
    for name, parameter in method.regressor.named_parameters():
        if parameter.requires_grad or parameter.grad is not None:
            raise subject.broken("has no gradient on frozen weights", f"{name} has one")
    optimiser.step()
    changed = [name for name, one in method.regressor.state_dict().items() if not torch.equal(one, before[name])]
    if changed:
        raise subject.broken("keeps frozen weights as they are", f"{changed[0]} was changed by a step")


def _segmenting_needs_the_backbone_alone(subject: Subject) -> None:
    """What is left of a method is the weights of its backbone: put into another one, they give the same."""
    method, other = subject.method().eval(), subject.method(seed=1)
    image = subject.batch().image
    alone = Method(other.backbone, losses.create("dice")).eval()
    alone.backbone.load_state_dict(method.backbone.state_dict())
    if not torch.equal(method.segment(image), alone.segment(image)):
        raise subject.broken("leaves all that segments in the backbone", "the backbone alone gives other probabilities")


def _precision_and_layout_are_free(subject: Subject) -> None:
    batch = subject.batch()
    method = subject.method().eval()
    plain = _regressed(subject, method, batch).values.detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = _regressed(subject, method, batch).values.detach().float()
        objective = method.objective(method.training_terms(batch))
    error = (half - plain).abs().mean()
    if not half.isfinite().all() or not objective.isfinite() or error > 0.5 * plain.abs().mean():
        raise subject.broken("runs under bfloat16 autocast", f"mean error {error}, objective {objective}")
    last: Any = torch.channels_last if subject.spatial_dims == 2 else torch.channels_last_3d
    method = method.to(memory_format=last)  # type: ignore[call-overload]
    moved = _regressed(subject, method, Batch(batch.image.to(memory_format=last), batch.labels)).values
    if not torch.allclose(plain, moved, atol=1e-3):
        raise subject.broken("gives the same values in channels_last layout", f"off by {(plain - moved).abs().max()}")


def _a_stage_of_its_own_trains(subject: Subject) -> None:
    regressor = subject.create()
    if regressor.pretraining is None:
        return
    missing = [key for key in ("steps", "learning_rate") if key not in regressor.pretraining]
    if missing:
        raise subject.broken("says steps and learning_rate of its pretraining", f"no {missing[0]}")
    stage, batch = subject.pretraining(), subject.batch()
    assert stage.regressor is not None
    try:
        values = stage.regressor.reconstruct(batch.labels)
        as_background = stage.regressor.reconstruct(batch.labels.clamp(min=0))
    except NotImplementedError as error:
        raise subject.broken("with pretraining regresses reference masks", str(error)) from error
    expected = (BATCH, subject.classes - 1, *batch.labels.shape[1:])
    if tuple(values.shape) != expected:
        raise subject.broken(f"regresses reference masks as {expected}", f"got {tuple(values.shape)}")
    if not torch.equal(values, as_background):
        raise subject.broken("takes −1 for background in reference masks", "the map differs")
    before = copy.deepcopy(stage.state_dict())
    optimiser = torch.optim.Adam(stage.parameters(), 1e-3)
    objective = stage.objective(stage.training_terms(batch))
    objective.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    if not objective.isfinite() or all(torch.equal(one, before[name]) for name, one in stage.state_dict().items()):
        raise subject.broken("trains in a stage of its own", f"after a step at {objective.item():g} all is as before")


def _regressed(subject: Subject, method: Method, batch: Batch) -> Regressed:
    assert method.regressor is not None
    regressed = method.regressor(method.backbone, batch.image)
    if not isinstance(regressed, Regressed):
        raise subject.broken("returns a Regressed", f"got {type(regressed).__name__}")
    return regressed


def _error(method: Method, regressed: Regressed, batch: Batch) -> Tensor:
    assert method.regressor is not None
    return method.regressor.error(regressed, batch.maps[method.regressor.required_maps[0]], batch.labels)


def _trunk(backbone: Backbone) -> dict[str, Tensor]:
    return {name: one for name, one in backbone.state_dict().items() if name.startswith(("encoder.", "decoder."))}


def _first(names: Iterable[str]) -> str:
    return f"{min(names)} came or went"


_PROMISES: tuple[Callable[[Subject], None], ...] = (
    _resolving_is_final,
    _the_backbone_stays_the_same,
    _shapes_and_values_are_as_declared,
    _terms_are_finite,
    _ignored_voxels_do_not_pull,
    _the_regression_reaches_the_backbone,
    _frozen_weights_are_fixed,
    _segmenting_needs_the_backbone_alone,
    _precision_and_layout_are_free,
    _a_stage_of_its_own_trains,
)
