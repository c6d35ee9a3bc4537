"""What LR-Net adds to a training step of the paper's M-Net, and that it adds nothing to inference; in turns."""

from __future__ import annotations

import pytest
import torch

import losses
import models
from bench.training.loop import CHANNELS_LAST, use_channels_last
from bench.training.settings import TrainingSettings
from models.method import Batch, Method

BATCH = 2
FROZEN_AT_MOST, UNFROZEN_AT_MOST = 1.45, 1.65
ALIKE = 1.05
"""The same module runs in all three; what is left is noise."""
KINDS = {"M-Net": None, "with LR-Net": {"frozen": True}, "with uLR-Net": {"frozen": False}}


class Trained:
    """The paper's M-Net with Dice and a regressor or none, channels last; `step` is forward, backward and Adam."""

    def __init__(self, regressor, patch, memory_format):
        backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3)
        attached = None
        if regressor is not None:
            attached = models.create_regressor("lr_net", **regressor)
            attached.attach(backbone, 2, 3)
            models.initialise(attached, 0)
            if attached.pretraining is not None:
                attached.freeze()
        models.initialise(backbone, 0)
        self.method = Method(backbone, losses.create("dice", batch=True), attached)
        torch.manual_seed(0)
        image = torch.randn(BATCH, 1, *patch)
        if memory_format == "channels_last":
            use_channels_last(self.method)
            image = image.contiguous(memory_format=CHANNELS_LAST[5])
        labels = torch.zeros(BATCH, *patch, dtype=torch.int64)
        labels[:, 8:14, 20:30, 20:30] = 1
        maps = {"norm_inverse": labels[:, None].float()}
        self.batch = Batch(image, labels, maps)
        trained = (parameter for parameter in self.method.parameters() if parameter.requires_grad)
        self.optimiser = torch.optim.Adam(trained, 1e-3, fused=True)

    def step(self):
        self.method.train()
        self.optimiser.zero_grad(set_to_none=True)
        self.method.objective(self.method.training_terms(self.batch)).backward()
        self.optimiser.step()

    def segment(self):
        return self.method.eval().segment(self.batch.image)


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("patch", [(64, 64, 64), (32, 64, 64)], ids=str)
def test_step(interleave, patch, memory_format):
    """Goal, in the format that trainings have by default: at most 45 % more with a frozen LR-Net, 65 % trained along.

    Contiguous tensors are measured beside it: there LR-Net, of 4 and 8 channels at full size, loses more than M-Net.
    """
    contenders = {name: Trained(kind, patch, memory_format).step for name, kind in KINDS.items()}
    compared = interleave(contenders, rounds=10, warm_up=1, attempts=1)
    if memory_format == TrainingSettings.model_fields["memory_format"].default:
        assert compared.ratio("with LR-Net", "M-Net") <= FROZEN_AT_MOST
        assert compared.ratio("with uLR-Net", "M-Net") <= UNFROZEN_AT_MOST


def test_inference(interleave):
    """Goal: nothing, as the regressor is gone."""
    contenders = {name: Trained(kind, (32, 64, 64), "channels_last").segment for name, kind in KINDS.items()}
    compared = interleave(contenders, warm_up=1, attempts=1)
    assert compared.ratio("with LR-Net", "M-Net") <= ALIKE
