"""Augmentation that keeps every target map true: flips, quarter turns and intensity changes, nothing that bends space.

Drawn with the patch (see `bench.data.sampler`) and applied to image, labels and maps together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from bench.settings import Settings

Spread = Annotated[float, Field(ge=0, lt=1)]


class AugmentationSettings(Settings):
    """Random changes of a training patch; each is drawn independently for every patch."""

    flip: bool = True
    """Mirror along each axis with probability 1/2."""
    turn: bool = True
    """Turn by 0, 90, 180 or 270 degrees in one plane of equal spacing and equal patch extent, where there is one."""
    intensity_scale: Spread = 0.0
    """Multiply the image by a factor uniform in 1 ± this."""
    intensity_shift: Spread = 0.0
    """Add a value uniform in ± this (prepared intensities)."""
    gamma: Spread = 0.0
    """Raise the magnitude of the prepared intensities to a power uniform in 1 ± this; signs are kept."""
    noise: Spread = 0.0
    """Add Gaussian noise whose standard deviation is uniform in [0, this]."""

    def protocol(self) -> str:
        """One line for the protocol under a table."""
        active = [name if value is True else f"{name} {value:g}" for name, value in self if value]
        return ", ".join(active) or "none"


@dataclass(frozen=True)
class PatchAugmentation:
    """The drawn change of one patch; the fields are what enters the order's digest."""

    flipped: tuple[int, ...] = ()
    plane: tuple[int, int] = (0, 1)
    quarter_turns: int = 0
    scale: float = 1.0
    shift: float = 0.0
    gamma: float = 1.0
    noise: float = 0.0
    noise_key: int = 0


def draw_augmentation(
    random: np.random.Generator,
    settings: AugmentationSettings | str,
    patch_size: tuple[int, ...],
    spacing_mm: tuple[float, ...],
) -> PatchAugmentation:
    """Draw one patch's augmentation; the string "none" changes nothing.

    Everything is drawn whether it is used or not, so that switching one change on leaves the others, and the places
    of the patches drawn next, as they were.
    """
    if not isinstance(settings, AugmentationSettings):
        settings = AugmentationSettings(flip=False, turn=False)
    flips = random.random(len(patch_size)) < 0.5
    planes = turnable_planes(patch_size, spacing_mm)
    plane, turns = random.integers(max(len(planes), 1)), int(random.integers(4))
    spread = random.uniform(-1, 1, 3)
    noise, noise_key = float(random.random()), int(random.integers(2**62))
    turned = settings.turn and bool(planes)
    return PatchAugmentation(
        flipped=tuple(int(axis) for axis in np.flatnonzero(flips)) if settings.flip else (),
        plane=planes[plane] if turned else (0, 1),
        quarter_turns=turns if turned else 0,
        scale=float(1 + settings.intensity_scale * spread[0]),
        shift=float(settings.intensity_shift * spread[1]),
        gamma=float(1 + settings.gamma * spread[2]),
        noise=settings.noise * noise,
        noise_key=noise_key if settings.noise else 0,
    )


def turnable_planes(patch_size: tuple[int, ...], spacing_mm: tuple[float, ...]) -> list[tuple[int, int]]:
    """Pairs of axes in which a quarter turn keeps the patch's shape and its millimetres."""
    pairs = combinations(range(len(patch_size)), 2)
    return [(a, b) for a, b in pairs if patch_size[a] == patch_size[b] and np.isclose(spacing_mm[a], spacing_mm[b])]


def move(array: npt.NDArray[Any], augmentation: PatchAugmentation, dimensions: int) -> npt.NDArray[Any]:
    """Apply the flips and turns to the last `dimensions` axes of an array such as (C, *S) or (*S); returns a view."""
    offset = array.ndim - dimensions
    if augmentation.flipped:
        array = np.flip(array, tuple(offset + axis for axis in augmentation.flipped))
    if augmentation.quarter_turns:
        first, second = augmentation.plane
        array = np.rot90(array, augmentation.quarter_turns, (offset + first, offset + second))
    return array


def change_intensity(image: npt.NDArray[np.float32], augmentation: PatchAugmentation) -> npt.NDArray[np.float32]:
    """Apply gamma, scale, shift and noise to an image; labels and maps never pass here."""
    if augmentation.gamma != 1:
        image = np.sign(image) * np.abs(image) ** np.float32(augmentation.gamma)
    if augmentation.scale != 1 or augmentation.shift:
        image = image * np.float32(augmentation.scale) + np.float32(augmentation.shift)
    if augmentation.noise:
        random = np.random.Generator(np.random.Philox(key=[augmentation.noise_key, 0]))
        image = image + np.float32(augmentation.noise) * random.standard_normal(image.shape, dtype=np.float32)
    return image
