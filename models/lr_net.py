"""LR-Net, the small network that turns a mask into its distance map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.layers import Layers

WIDTH = 4
"""Channels at full size; twice as many at half size."""


class LRNet(nn.Module):
    """Probabilities of every class (B, C, *S) → raw map values (B, K, *S), to be passed through a head.

    Full size: two 3-wide convolutions, each normalised, with ReLU. Half size: a 3-wide convolution of stride 2,
    without normalisation or ReLU, and two residual blocks. Back at full size: a transposed convolution, normalised,
    with ReLU; concatenation with the first features; two residual blocks; two 1-wide convolutions, the first of them
    normalised, with ReLU.

    in_channels   C, the background included.
    out_channels  K; the paper has one foreground class, so one map.
    normalised    instance normalisation without scale and shift, as in the paper, or none. It makes the values before
                  the head independent of how much of the patch is lesion, and the head alone cannot bring that back.

    Every axis of S must be even. With two channels in and one out, 3D, this has 15,717 parameters.

    Raises `ModelError` for input that does not fit.

    Source: Li et al. 2021, read from the authors' `MapNet.py`. Deviation: the last activation is the regressor's head.
    """

    def __init__(self, *, in_channels: int, out_channels: int, spatial_dims: int, normalised: bool = True) -> None:
        super().__init__()
        layers = Layers(spatial_dims, normalised=normalised)
        self.in_channels = in_channels
        self.full = nn.Sequential(
            *layers.conv_norm(in_channels, WIDTH), nn.ReLU(inplace=True),
            *layers.conv_norm(WIDTH, WIDTH), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.lower = nn.Sequential(layers.conv(WIDTH, 2 * WIDTH, 3, stride=2), *layers.row(2 * WIDTH, 2 * WIDTH, 2))
        self.up = nn.Sequential(layers.up(2 * WIDTH, WIDTH), layers.norm(WIDTH), nn.ReLU(inplace=True))
        self.joined = nn.Sequential(*layers.row(2 * WIDTH, 2 * WIDTH, 2))
        self.out = nn.Sequential(
            *layers.conv_norm(2 * WIDTH, WIDTH, kernel=1), nn.ReLU(inplace=True), layers.conv(WIDTH, out_channels, 1)
        )

    def forward(self, probabilities: Tensor) -> Tensor:
        """Return raw map values (B, K, *S)."""
        space = tuple(probabilities.shape[2:])
        if probabilities.shape[1] != self.in_channels or any(size % 2 for size in space):
            raise ModelError(
                f"LR-Net: expected probabilities (B, {self.in_channels}, *S) with even axes, "
                f"got {tuple(probabilities.shape)}"
            )
        full = self.full(probabilities)
        values: Tensor = self.out(self.joined(torch.cat([full, self.up(self.lower(full))], dim=1)))
        return values
