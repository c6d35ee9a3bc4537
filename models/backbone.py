"""The contract of a backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from models.errors import ModelError


class BackboneOutput(NamedTuple):
    """What a backbone makes of an image: raw logits (B, classes, *S) and the features in front of the head."""

    logits: Tensor
    features: Tensor | None  # (B, feature_channels, *S); None where the network does not show them


class Backbone(nn.Module):
    """Image (B, in_channels, *S) → logits (B, classes, *S).

    A separable backbone has the submodules `encoder` (image → features of every level), `decoder` (these → features
    at full size) and `head` (features → logits), so that a second decoder can share the encoder. One that is not
    overrides `forward` and sets `separable = False`; methods that need the parts refuse it.

    patch_divisor     each axis of S must be a multiple of this, in the order of S.
    feature_channels  channels of `BackboneOutput.features`; 0 where there are none.
    example           parameters of a small network, for the checks of `models.contract`.
    version           part of the identity of what is trained with a built-in one: raise it with other initial weights
                      or another computation.
    """

    example: ClassVar[Mapping[str, Any]] = {}
    version: ClassVar[int] = 1

    separable: bool = True
    encoder: nn.Module
    decoder: nn.Module
    head: nn.Module

    def __init__(self, *, name: str, in_channels: int, patch_divisor: tuple[int, ...], feature_channels: int) -> None:
        super().__init__()
        self.name = name
        self.in_channels = in_channels
        self.patch_divisor = patch_divisor
        self.feature_channels = feature_channels

    def forward(self, image: Tensor) -> BackboneOutput:
        """Return logits and features; raises `ModelError` for an image whose shape the network cannot take."""
        self.check_image(image)
        features = self.decoder(self.encoder(image))
        return BackboneOutput(self.head(features), features)

    def check_image(self, image: Tensor) -> None:
        """Raise unless the image is (B, in_channels, *S) with every axis of S a multiple of `patch_divisor`."""
        expected = f"(B, {self.in_channels}, *S) with S of {len(self.patch_divisor)} axes"
        if image.ndim != 2 + len(self.patch_divisor) or image.shape[1] != self.in_channels:
            raise ModelError(f"{self.name}: the image must be {expected}, got {tuple(image.shape)}")
        space = tuple(image.shape[2:])
        if any(size == 0 or size % divisor for size, divisor in zip(space, self.patch_divisor, strict=True)):
            raise ModelError(
                f"{self.name}: every axis of the patch must be a multiple of {self.patch_divisor}, got {space}"
            )
