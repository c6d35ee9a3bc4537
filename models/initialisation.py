"""First weights, drawn by parameter name: adding a head or a second decoder never shifts the others."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)


@torch.no_grad()
def initialise(module: nn.Module, seed: int) -> None:
    """Set every parameter of `module` from (seed, its dotted name) alone.

    Weights of convolutions and linear layers: Kaiming uniform with torch's default slope √5, U(−b, b) with
    b = √(1 / fan_in), fan_in = inputs that one output adds up (for a transposed convolution that is
    in_channels · kernel / stride). Instance normalisation makes the output blind to the scale of these weights, but
    Adam's steps are absolute: weights of twice the size turn half as fast. Biases: 0. Weights of normalisations: 1.
    Any other parameter (position embeddings, PReLU slopes): kept where it is constant, else N(0, 0.02²), since its
    construction drew it from the global generator.

    Numbers are drawn on the CPU in float32, so every device starts alike. Source: He et al. 2015 (arXiv 1502.01852).
    """
    for prefix, owner in module.named_modules():
        for leaf, parameter in owner.named_parameters(recurse=False):
            name = f"{prefix}.{leaf}" if prefix else leaf
            _set(parameter, owner, leaf, _generator(seed, name))


def _set(parameter: Tensor, owner: nn.Module, leaf: str, generator: torch.Generator) -> None:
    if isinstance(owner, _ConvNd | nn.Linear) and leaf == "weight":
        bound = math.sqrt(1 / _fan_in(owner))
        parameter.copy_(_uniform(parameter.shape, bound, generator))
    elif isinstance(owner, _NORMS) and leaf == "weight":
        parameter.fill_(1)
    elif leaf.endswith("bias"):
        parameter.zero_()
    elif parameter.numel() and bool((parameter != parameter.flatten()[0]).any()):
        parameter.copy_(torch.empty(parameter.shape).normal_(0, 0.02, generator=generator))


def _uniform(shape: torch.Size, bound: float, generator: torch.Generator) -> Tensor:
    """U(−bound, bound) to the same bits on every CPU.

    `Tensor.uniform_` rounds once where the CPU has a fused multiply-add and twice elsewhere. Here product and sum are
    exact in float64, so that there is one rounding everywhere.
    """
    exact = torch.tensor(bound, dtype=torch.float32).double()
    return (torch.rand(shape, generator=generator).double() * (2 * exact) - exact).float()


def _fan_in(layer: _ConvNd | nn.Linear) -> float:
    if isinstance(layer, nn.Linear):
        return layer.in_features
    taps = float(math.prod(layer.kernel_size))
    if isinstance(layer, _ConvTransposeNd):
        taps /= math.prod(layer.stride)
    return layer.in_channels // layer.groups * taps


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))
