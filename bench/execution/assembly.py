"""From a plan to a method that can be trained: network, loss and what the loss may know of the training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

import losses
import models
from bench.data.prepared import Prepared
from bench.errors import DataError
from bench.suite.plan import CellPlan
from bench.suite.schema import Suite
from bench.training.loop import use_channels_last
from losses.base import Loss
from models.backbone import Backbone
from models.method import Method
from models.regressor import Regressor


class TrainingCase(Protocol):
    """What a method must know of a training case."""

    @property
    def image(self) -> npt.NDArray[np.floating[Any]]: ...
    @property
    def class_voxels(self) -> tuple[int, ...]: ...


Specification = Mapping[str, Any]
"""`{name, **parameters}` of a loss or a regressor, resolved."""


def build_method(suite: Suite, cell: CellPlan, train: Sequence[Prepared]) -> Method:
    """The method of a cell, as it is before its first step; what other jobs give it is not there yet."""
    return untrained_method(suite, cell.identity["loss"], cell.identity.get("regressor"), cell.seed, train)


def untrained_method(
    suite: Suite,
    loss: Specification | None,
    regressor: Specification | None,
    seed: int,
    train: Sequence[TrainingCase],
) -> Method:
    """A method with the initial weights of a seed, its loss prepared with the training set's statistics."""
    made = None if loss is None else losses.create(**loss)
    if made is not None:
        made.prepare(class_statistics(train))
    channels, *space = train[0].image.shape
    backbone = build_backbone(suite, channels, len(space))
    attached = None if regressor is None else attach_regressor(suite, regressor, backbone, len(space))
    models.initialise(backbone, seed)
    if attached is not None:
        models.initialise(attached, seed)
    return Method(backbone, made, attached)


def attach_regressor(suite: Suite, regressor: Specification, backbone: Backbone | None, dimensions: int) -> Regressor:
    """Make a regressor and what the backbone needs for it, weights not drawn yet."""
    made = models.create_regressor(**regressor)
    made.attach(backbone, 1 + len(suite.dataset.classes), dimensions)
    return made


def trained_method(
    suite: Suite,
    regressor: Specification | None,
    weights: Mapping[str, torch.Tensor],
    image_shape: tuple[int, ...],
) -> Method:
    """A method with the weights of a checkpoint, ready to segment images (C, *S) to the same bits as in its run.

    Its loss is a stand-in: segmenting needs none, and that of the run may be a plug-in, which is not loaded for it.
    The regressor is gone, but for what it put into the backbone.

    Raises:
        DataError: the network would be another one for such an image.
    """
    backbone = build_backbone(suite, image_shape[0], len(image_shape) - 1)
    if regressor is not None:
        attach_regressor(suite, regressor, backbone, len(image_shape) - 1)
    method = Method(backbone, losses.create("cross_entropy"))
    if suite.training.memory_format == "channels_last":  # other kernels round otherwise
        use_channels_last(method)
    prefix = "backbone."
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    try:
        method.backbone.load_state_dict(own)
    except RuntimeError as error:
        raise DataError(
            f"the weights do not fit an image of {image_shape[0]} channel(s) and {len(image_shape) - 1} axes; give one "
            f"file per channel, as in training ({error})"
        ) from error
    return method


def build_backbone(suite: Suite, channels: int, dimensions: int) -> Backbone:
    """The suite's network for images with so many channels and dimensions, weights not drawn yet."""
    parameters = models.resolve_backbone(suite.backbone.specification())
    name = parameters.pop("name")
    classes = 1 + len(suite.dataset.classes)
    return models.create_backbone(name, in_channels=channels, classes=classes, spatial_dims=dimensions, **parameters)


def class_statistics(cases: Sequence[TrainingCase]) -> losses.Statistics:
    """Class frequencies over the prepared training volumes, ignored voxels left out."""
    counts = [sum(voxels) for voxels in zip(*(case.class_voxels for case in cases), strict=True)]
    return losses.Statistics(tuple(count / sum(counts) for count in counts))


def chosen_weights(method: Method) -> list[dict[str, Any]]:
    """The class weights of every loss that has them, background first, as plain values for the record."""
    parts = () if method.loss is None else (part for part in method.loss.modules() if isinstance(part, Loss))
    return [{"loss": part.name, "weights": list(part.class_weights)} for part in parts if part.class_weights]
