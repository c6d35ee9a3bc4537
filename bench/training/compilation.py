"""`torch.compile` for the training steps of a backbone."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import nn


def compile_for_training(backbone: nn.Module) -> None:
    """Send `backbone` through `torch.compile` wherever gradients are recorded; needs a C++ compiler at the first step.

    Modules, weights and their names stay as they are, so checkpoints fit either way. Inference is not compiled:
    validation, test and a later prediction from the checkpoint run the same kernels.
    """
    plain = MethodType(type(backbone).forward, backbone)
    compiled = torch.compile(plain, dynamic=False)

    def forward(*inputs: Any) -> Any:
        return compiled(*inputs) if torch.is_grad_enabled() else plain(*inputs)

    backbone.forward = forward
