"""The patches that losses are tried on: labels of two classes and the target maps that a loss asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from losses import target_maps

Mask = npt.NDArray[np.bool_]

RESERVED = ("coordinates", "step")
LARGE, SMALL, FALSE_BLOB = (6, 6, 6), (6, 6, 18), (6, 6, 27)
"""Centres of the two lesions of `two_lesions`, and of the place where a false one is put."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A batch of patches: labels (B, *S) of 0 and 1."""

    title: str
    labels: Tensor
    _known: dict[str, Tensor] = field(default_factory=dict)

    def maps(self, required: Iterable[str]) -> dict[str, Tensor]:
        """Return these target maps, the reserved ones included; each is computed once."""
        for key in required:
            if key not in self._known:
                self._known[key] = self._map(key)
        return {key: self._known[key] for key in required}

    def _map(self, key: str) -> Tensor:
        if key == "step":
            return torch.tensor(0)
        if key == "coordinates":
            axes = [torch.linspace(-1, 1, size) for size in self.labels.shape[1:]]
            grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
            return grid.expand(len(self.labels), *grid.shape)
        made = [target_maps.compute(key, mask.numpy().astype(np.int8)) for mask in self.labels]
        return torch.from_numpy(np.stack(made))[:, None]


def scene(title: str, *masks: npt.ArrayLike) -> Scene:
    """A scene of these masks, one sample each."""
    return Scene(title, torch.from_numpy(np.stack([np.asarray(mask) for mask in masks]).astype(np.int64)))


def ball(shape: Sequence[int], centre: Sequence[int], radius: float) -> Mask:
    """The voxels within `radius` voxels of the centre."""
    axes = np.ogrid[tuple(slice(size) for size in shape)]
    squares = sum((axis - place) ** 2 for axis, place in zip(axes, centre, strict=True))
    return np.asarray(squares <= radius**2)


@cache
def one_ball() -> Scene:
    """A ball of radius 8: 2109 voxels, thick enough for a core."""
    return scene("ball, R = 8", ball((19, 19, 19), (9, 9, 9), 8))


@cache
def two_lesions() -> Scene:
    """A ball of radius 5 and one of radius 2: 515 and 33 voxels."""
    shape = (13, 13, 32)
    return scene("large and small", ball(shape, LARGE, 5) | ball(shape, SMALL, 2))


@cache
def thin_and_cut() -> Scene:
    """A plate of one voxel's thickness, a lesion of one voxel, and a ball that the border cuts."""
    mask = ball((10, 14, 14), (0, 4, 4), 4)
    mask[7, 1:9, 1:9] = True
    mask[4, 11, 11] = True
    return scene("plate, voxel, cut ball", mask)


@cache
def empty_patch() -> Scene:
    """A patch without lesion, of the size of `two_lesions`."""
    return scene("lesion-free patch", np.zeros((13, 13, 32), bool))


@cache
def filled_patch() -> Scene:
    """A patch that is all lesion, of the size of `two_lesions`."""
    return scene("all-lesion patch", np.ones((13, 13, 32), bool))


@cache
def twelve_voxels() -> Scene:
    """2 × 6 pixels: a lesion of six at the left border, three deep, and one of a single pixel."""
    mask = np.zeros((2, 6), bool)
    mask[:, :3] = True
    mask[0, 5] = True
    return scene("twelve voxels", mask)


def descent_scenes() -> tuple[Scene, ...]:
    """The three scenes that every loss has to find the mask of."""
    return one_ball(), two_lesions(), thin_and_cut()


def all_scenes() -> tuple[Scene, ...]:
    """Every scene that has a name here."""
    return (*descent_scenes(), empty_patch(), filled_patch(), twelve_voxels())
