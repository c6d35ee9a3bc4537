"""The checks of the backbone contract bite: for each promise there is a backbone here that breaks it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import models
from models.backbone import Backbone, BackboneOutput
from models.contract import ContractError, check


class Tiny(Backbone):
    """One convolution as encoder, decoder and head each."""

    def __init__(self, *, in_channels, classes, spatial_dims):
        super().__init__(name="tiny", in_channels=in_channels, patch_divisor=(1,) * spatial_dims, feature_channels=3)
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims]
        self.encoder = conv(in_channels, 2, 1)
        self.decoder = conv(2, 3, 1)
        self.head = conv(3, classes, 1)


class WrongSize(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits[..., :-1], features)


class BareTensor(Tiny):
    def forward(self, image):
        return super().forward(image).logits


class HidesFeatures(Tiny):
    def forward(self, image):
        return BackboneOutput(super().forward(image).logits, None)


class OneDivisor(Tiny):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.patch_divisor = (1,)

    def check_image(self, image):
        pass


class TakesAnything(Tiny):
    def check_image(self, image):
        pass


class RandomBuffer(Tiny):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.register_buffer("noise", torch.randn(3))


class SeedBlind(Tiny):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        for part in (self.encoder, self.decoder, self.head):
            weights = torch.full_like(part.weight, 0.5)
            del part.weight
            part.register_buffer("weight", weights)


class WidthByClasses(Tiny):
    def __init__(self, *, classes, **parameters):
        super().__init__(classes=classes, **parameters)
        self.register_buffer("scale", torch.tensor(float(classes)))


class DeadWeights(Tiny):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.unused = nn.Linear(1, 1)


class SeesTheBatch(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits + logits.mean(), features)


class Undecided(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits + 1e-6 * torch.randn_like(logits), features)


class NoHalf(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits * (float("nan") if logits.dtype == torch.bfloat16 else 1), features)


class LayoutBound(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits if logits.is_contiguous() else logits + 1, features)


class Inseparable(Tiny):
    def forward(self, image):
        logits, features = super().forward(image)
        return BackboneOutput(logits + 1, features)


@pytest.fixture
def registered():
    names = []

    def register(kind):
        models.register_backbone("under_test")(kind)
        names.append("under_test")
        return "under_test"

    yield register
    for name in set(names):
        models.BACKBONES.withdraw(name)


def test_a_backbone_that_keeps_the_contract_passes(registered):
    check(registered(Tiny))


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (WrongSize, r"gives finite logits \(2, 2, 16, 17\) \(2D\): got \(2, 2, 16, 16\)"),
        (BareTensor, r"returns a BackboneOutput \(2D\): got Tensor"),
        (HidesFeatures, r"gives 3 feature channels \(2D\): got 0"),
        (OneDivisor, r"has one patch_divisor per axis"),
        (TakesAnything, r"refuses two channels instead of one with a ModelError .* was raised"),
        (RandomBuffer, r"has weights and buffers that depend on the seed alone .*noise differs"),
        (SeedBlind, r"has other weights for another seed"),
        (WidthByClasses, r"keeps its other weights when the number of classes changes .*scale differs"),
        (DeadWeights, r"passes a finite gradient to every parameter .*unused.weight has none"),
        (SeesTheBatch, r"segments a sample alike alone and in a batch"),
        (Undecided, r"gives the same logits for the same image"),
        (NoHalf, r"runs under bfloat16 autocast"),
        (LayoutBound, r"gives the same logits in channels_last layout"),
        (Inseparable, r"is its head of its decoder of its encoder"),
    ],
)
def test_a_broken_promise_is_named(registered, kind, promise):
    with pytest.raises(ContractError, match=f"^under_test: contract broken – a backbone {promise}"):
        check(registered(kind))
