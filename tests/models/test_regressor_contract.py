"""The checks of the regressor contract bite: for each promise there is a regressor here that breaks it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import models
from models.regression_error import absolute
from models.regressor import Regressed, Regressor
from models.regressor_contract import check
from models.regressor_subject import ContractError


class Tiny(Regressor):
    """One convolution from logits to values, pre-trained on reference masks."""

    def __init__(self, *, alpha: float = 1.0):
        super().__init__(name="tiny", map="signed_norm_inverse", head="tanh", alpha=alpha, reduction="mean")

    @property
    def pretraining(self):
        return {"steps": 1, "learning_rate": 1e-3}

    def attach(self, backbone, classes, spatial_dims):
        self.layer = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims](classes, classes - 1, 1)

    def forward(self, backbone, image):
        logits = backbone(image).logits
        return Regressed(logits, self.values(logits))

    def values(self, logits):
        return torch.tanh(self.layer(logits))

    def reconstruct(self, labels):
        classes = self.layer.in_channels
        return self.values(nn.functional.one_hot(labels.clamp(min=0), classes).movedim(-1, 1).float())

    def freeze(self):
        self.requires_grad_(False)
        self.eval()

    def train(self, mode=True):
        super().train(mode)
        self.layer.train(mode and self.layer.weight.requires_grad)
        return self


class Drifting(Tiny):
    @classmethod
    def resolve_parameters(cls, parameters):
        return {**parameters, "alpha": parameters["alpha"] + 1}


class Unmakeable(Tiny):
    @classmethod
    def resolve_parameters(cls, parameters):
        return {**parameters, "alpha": 0}


class AddsToTheEncoder(Tiny):
    def attach(self, backbone, classes, spatial_dims):
        super().attach(backbone, classes, spatial_dims)
        if backbone is not None:
            backbone.encoder.extra = nn.Linear(1, 1)


class ShrinksTheDecoder(Tiny):
    def attach(self, backbone, classes, spatial_dims):
        super().attach(backbone, classes, spatial_dims)
        if backbone is not None:
            layer = backbone.decoder.ups[0][0]
            layer.weight = nn.Parameter(layer.weight[:1].detach())


class WrongSize(Tiny):
    def forward(self, backbone, image):
        logits, values = super().forward(backbone, image)
        return Regressed(logits, values[..., :-1])


class OutOfRange(Tiny):
    def values(self, logits):
        return 2 + self.layer(logits)


class Plain(Tiny):
    def forward(self, backbone, image):
        return tuple(super().forward(backbone, image))


class DividesByLesion(Tiny):
    def error(self, regressed, target, labels):
        return super().error(regressed, target, labels) / (labels > 0).sum()


class Nameless(Tiny):
    def terms(self, segmentation, regression):
        return {
            "map" if name == "regression" else name: term
            for name, term in super().terms(segmentation, regression).items()
        }


class CountsIgnored(Tiny):
    def error(self, regressed, target, labels):
        return absolute(regressed.values, target, labels.clamp(min=0))


class Detached(Tiny):
    def forward(self, backbone, image):
        logits = backbone(image).logits
        return Regressed(logits, self.values(logits.detach()))


class WakesUp(Tiny):
    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Thaws(Tiny):
    def freeze(self):
        self.layer.weight.requires_grad_(False)
        self.eval()

    def train(self, mode=True):
        super().train(mode)
        self.layer.train(False)
        return self


class CountsCalls(Tiny):
    def attach(self, backbone, classes, spatial_dims):
        super().attach(backbone, classes, spatial_dims)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, backbone, image):
        self.calls += 1
        return super().forward(backbone, image)


class KeepsPartOfTheHead(Tiny):
    """The head looks at a layer that is the regressor's: without it other probabilities come out."""

    def attach(self, backbone, classes, spatial_dims):
        super().attach(backbone, classes, spatial_dims)
        if backbone is not None:
            layer = self.layer
            backbone.head.register_forward_hook(lambda module, given, logits: logits + layer(logits))


class NoHalf(Tiny):
    def values(self, logits):
        return super().values(logits) * (float("nan") if torch.is_autocast_enabled("cpu") else 1)


class LayoutBound(Tiny):
    def values(self, logits):
        return super().values(logits if logits.is_contiguous() else logits + 1)


class Hasty(Tiny):
    @property
    def pretraining(self):
        return {"steps": 1}


class NoReconstruction(Tiny):
    reconstruct = Regressor.reconstruct


class SeesIgnored(Tiny):
    def reconstruct(self, labels):
        return super().reconstruct(labels.abs())


class BornFrozen(Tiny):
    def reconstruct(self, labels):
        return super().reconstruct(labels).detach().requires_grad_()


@pytest.fixture
def registered():
    names = []

    def register(kind):
        models.register_regressor("under_test")(kind)
        names.append("under_test")
        return "under_test"

    yield register
    for name in set(names):
        models.REGRESSORS.withdraw(name)


def test_a_regressor_that_keeps_the_contract_passes(registered):
    check(registered(Tiny))


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Drifting, r"that is resolved resolves to itself .* became"),
        (Unmakeable, r"that is resolved can be made .*alpha must be a number > 0"),
        (AddsToTheEncoder, r"leaves encoder and decoder as they are .*encoder.extra.bias came or went"),
        (ShrinksTheDecoder, r"leaves the weights of encoder and decoder as they are .*decoder.ups.0.0.weight differs"),
        (Plain, r"returns a Regressed .*got tuple"),
        (WrongSize, r"gives finite values \(2, 1, 16, 20\) \(2 classes, 2D\): got \(2, 1, 16, 19\)"),
        (OutOfRange, r"with the head 'tanh' gives values in -1..1"),
        (Nameless, r"has the term 'regression' .*got segmentation, map"),
        (DividesByLesion, r"has finite scalar terms for an empty target .*regression is inf"),
        (CountsIgnored, r"has no gradient at values where the label is −1"),
        (Detached, r"passes its error on to the backbone .*every gradient is 0"),
        (WakesUp, r"keeps frozen parts in evaluation mode .*layer is in training mode"),
        (Thaws, r"has no gradient on frozen weights .*layer.bias has one"),
        (CountsCalls, r"keeps frozen weights as they are .*calls was changed by a step"),
        (KeepsPartOfTheHead, r"leaves all that segments in the backbone"),
        (NoHalf, r"runs under bfloat16 autocast"),
        (LayoutBound, r"gives the same values in channels_last layout"),
        (Hasty, r"says steps and learning_rate of its pretraining .*no learning_rate"),
        (NoReconstruction, r"with pretraining regresses reference masks .*defines no reconstruct"),
        (SeesIgnored, r"takes −1 for background in reference masks"),
        (BornFrozen, r"trains in a stage of its own .*all is as before"),
    ],
)
def test_a_broken_promise_is_named(registered, kind, promise):
    with pytest.raises(ContractError, match=f"^under_test: contract broken – a regressor {promise}"):
        check(registered(kind))
