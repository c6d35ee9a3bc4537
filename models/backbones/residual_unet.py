"""Residual U-Net, the shared backbone of every comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import models
from models.backbone import Backbone
from models.errors import ModelError
from models.layers import Layers

_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}


@models.register_backbone("residual_unet")
class ResidualUNet(Backbone):
    """Residual U-Net: max-pooling, instance normalisation, ReLU, transposed convolutions, logits out.

    Level 1 is two 3-wide convolutions; every level below halves the size and is a row of residual blocks, of which
    the first changes the width. Upwards: transposed convolution, concatenation with the level's features, residual
    blocks. The head is two 1-wide convolutions with normalisation and ReLU between.

    widths          channels of each level, from full size down; two or more levels.
    encoder_blocks  residual blocks of levels 2, 3, … (default: 2 on levels 2 and 3, 3 below).
    decoder_blocks  residual blocks on the way up, deepest first (default: 2 on levels 1 and 2, 3 below).
    affine          whether instance normalisations learn a scale and a shift per channel; the paper's do not.
    linear_head     one 1-wide convolution as the head. With neither of the two, the logit of empty background can only
                    follow the last bias, by about one learning rate a step: too slow for budgets of hundreds of steps.

    image (B, in_channels, *S) → logits (B, classes, *S), features (B, widths[0], *S). Every axis of S must be a
    multiple of 2^(levels−1), and at least one of them twice that: instance normalisation has nothing to normalise
    in one voxel.

    Raises `ModelError` for parameters and images that do not fit.

    Source: the M-Net of Li et al. 2021 (deep distance-map regression for tumour segmentation), read from the
    authors' code. In its configuration (five levels, 3D, one channel, two classes) this has its 4,286,466 parameters.
    Deviation: logits in place of probabilities; softmax belongs to the loss.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": (4, 8, 16)}

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        spatial_dims: int,
        widths: Sequence[int] = (8, 16, 32, 64, 128),
        encoder_blocks: Sequence[int] | None = None,
        decoder_blocks: Sequence[int] | None = None,
        affine: bool = False,
        linear_head: bool = False,
    ) -> None:
        widths, down, up = _configuration(widths, encoder_blocks, decoder_blocks)
        divisor = (2 ** (len(widths) - 1),) * spatial_dims
        super().__init__(
            name="residual_unet", in_channels=in_channels, patch_divisor=divisor, feature_channels=widths[0]
        )
        layers = Layers(spatial_dims, affine=affine)
        self.encoder = Encoder(layers, in_channels, widths, down)
        self.decoder = Decoder(layers, widths, up)
        out = layers.conv(widths[0], classes, 1)
        between = (*layers.conv_norm(widths[0], widths[0], kernel=1), nn.ReLU(inplace=True))
        self.head = nn.Sequential(out) if linear_head else nn.Sequential(*between, out)

    @classmethod
    def resolve_parameters(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Spell out the blocks that follow from the number of levels."""
        names = ("widths", "encoder_blocks", "decoder_blocks")
        return {**parameters, **dict(zip(names, _configuration(*(parameters[name] for name in names)), strict=True))}

    def check_image(self, image: Tensor) -> None:
        super().check_image(image)
        if tuple(image.shape[2:]) == self.patch_divisor:
            raise ModelError(
                f"{self.name}: a patch of {self.patch_divisor} is one voxel at the lowest level, which instance "
                f"normalisation cannot take; double at least one axis"
            )


class Encoder(nn.Module):
    """Image → the features of every level, full size first."""

    def __init__(self, layers: Layers, in_channels: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        stem = nn.Sequential(
            *layers.conv_norm(in_channels, widths[0]), nn.ReLU(inplace=True),
            *layers.conv_norm(widths[0], widths[0]), nn.ReLU(inplace=True),
        )  # fmt: skip
        deeper = [
            nn.Sequential(_POOL[layers.dims](2), *layers.row(before, width, count))
            for (before, width), count in zip(pairwise(widths), blocks, strict=True)
        ]
        self.levels = nn.ModuleList([stem, *deeper])

    def forward(self, image: Tensor) -> list[Tensor]:
        features = [image]
        for level in self.levels:
            features.append(level(features[-1]))
        return features[1:]


class Decoder(nn.Module):
    """The features of every level → features at full size."""

    def __init__(self, layers: Layers, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.ups = nn.ModuleList()
        self.rows = nn.ModuleList()
        for (below, width), count in zip(pairwise(reversed(widths)), blocks, strict=True):
            self.ups.append(nn.Sequential(layers.up(below, width), layers.norm(width), nn.ReLU(inplace=True)))
            self.rows.append(nn.Sequential(*layers.row(2 * width, width, count)))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        *skips, x = features
        for up, row, skip in zip(self.ups, self.rows, reversed(skips), strict=True):
            x = row(torch.cat([up(x), skip], dim=1))
        return x


def _configuration(
    widths: Sequence[int], encoder_blocks: Sequence[int] | None, decoder_blocks: Sequence[int] | None
) -> tuple[list[int], list[int], list[int]]:
    """Check the three lists and fill in the blocks that were left out."""
    steps = len(_check_counts("widths", widths, least=2)) - 1
    down = [2 if level <= 3 else 3 for level in range(2, steps + 2)] if encoder_blocks is None else encoder_blocks
    up = [2 if level <= 2 else 3 for level in range(steps, 0, -1)] if decoder_blocks is None else decoder_blocks
    return (
        list(widths),
        _check_counts("encoder_blocks", down, exactly=steps),
        _check_counts("decoder_blocks", up, exactly=steps),
    )


def _check_counts(name: str, values: Sequence[int], *, least: int = 1, exactly: int | None = None) -> list[int]:
    expected = f"{exactly}" if exactly is not None else f"{least} or more"
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    fits = is_list and (len(values) == exactly if exactly is not None else len(values) >= least)
    if not fits or any(isinstance(v, bool) or not isinstance(v, int) or v < 1 for v in values):
        raise ModelError(f"residual_unet: {name} must be a list of {expected} whole numbers >= 1, got {values!r}")
    return list(values)
