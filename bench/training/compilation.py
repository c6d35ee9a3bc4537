"""`torch.compile` for training steps: the backbone's, and what the loss can do compiled."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import nn

from models.method import Method


def compile_for_training(method: Method) -> None:
    """Send the backbone through `torch.compile` wherever gradients are recorded, and let the loss compile its passes.

    Needs a C++ compiler at the first step. Modules, weights and their names stay as they are, so checkpoints fit
    either way. Inference is not compiled: validation, test and a later prediction from the checkpoint run the same
    kernels.
    """
    if method.loss is not None:
        method.loss.compile()
    backbone: nn.Module = method.backbone
    plain = MethodType(type(backbone).forward, backbone)
    compiled = torch.compile(plain, dynamic=False)

    def forward(*inputs: Any) -> Any:
        return compiled(*inputs) if torch.is_grad_enabled() else plain(*inputs)

    backbone.forward = forward
