"""From a plan to a method that can be trained: network, loss and what the loss may know of the training set."""

from __future__ import annotations

from collections.abc import Sequence

import losses
import models
from bench.data.prepared import Prepared
from bench.suite.planner import CellPlan
from bench.suite.schema import Suite
from models.backbone import Backbone
from models.method import Method


def build_method(suite: Suite, cell: CellPlan, train: Sequence[Prepared]) -> Method:
    """A method with the initial weights of the cell's seed, its loss prepared with the training set's statistics."""
    specification = dict(cell.identity["loss"])
    loss = losses.create(specification.pop("name"), **specification)
    loss.prepare(class_statistics(train))
    method = Method(build_backbone(suite, train[0].image.shape[0], len(train[0].spacing_mm)), loss)
    models.initialise(method.backbone, cell.seed)
    return method


def build_backbone(suite: Suite, channels: int, dimensions: int) -> Backbone:
    """The suite's network for images with so many channels and dimensions, weights not drawn yet."""
    parameters = models.resolve_backbone(suite.backbone.specification())
    name = parameters.pop("name")
    classes = 1 + len(suite.dataset.classes)
    return models.create_backbone(name, in_channels=channels, classes=classes, spatial_dims=dimensions, **parameters)


def class_statistics(cases: Sequence[Prepared]) -> losses.Statistics:
    """Class frequencies over the prepared training volumes, ignored voxels left out."""
    counts = [sum(voxels) for voxels in zip(*(case.class_voxels for case in cases), strict=True)]
    return losses.Statistics(tuple(count / sum(counts) for count in counts))
