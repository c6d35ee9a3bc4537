"""Scenes with several lesions, their maps by plain scipy, and the comparison of a loss with a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage


@dataclass
class Scene:
    """Random float64 logits, labels with lesions of many sizes, and the maps that their definitions give."""

    logits: torch.Tensor
    labels: torch.Tensor
    maps: dict[str, torch.Tensor]


def maps_of(labels: torch.Tensor, channels: int) -> dict[str, torch.Tensor]:
    """Every map (B, C-1, *S) of whole arrays: one transform per class, no boxes."""
    array = labels.numpy()
    made: dict[str, list[Any]] = {"lesion_id": [], "nearest_lesion": [], "distance": [], "signed_distance": []}
    for sample in array:
        for c in range(1, channels):
            for key, values in _maps_of_class(sample == c).items():
                made[key].append(np.where(sample < 0, 0, values))
    shape = (len(array), channels - 1, *array.shape[1:])
    return {key: torch.from_numpy(np.stack(values).reshape(shape)) for key, values in made.items()}


def _maps_of_class(mask: np.ndarray) -> dict[str, np.ndarray]:
    numbers = ndimage.label(mask, np.ones((3,) * mask.ndim))[0]
    nothing = np.zeros(mask.shape)
    if not mask.any():
        return {"lesion_id": numbers, "nearest_lesion": numbers, "distance": nothing, "signed_distance": nothing}
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return {
        "lesion_id": numbers,
        "nearest_lesion": numbers[tuple(nearest)],
        "distance": inside,
        "signed_distance": np.where(mask, 1 - inside, outside),
    }


@pytest.fixture
def scene():
    def make(channels: int = 2, dims: int = 3, *, ignore: bool = False, seed: int = 0, batch: int = 2) -> Scene:
        random = np.random.default_rng(seed)
        space = (9, 10, 11)[:dims] if dims == 3 else (17, 18)
        labels = np.zeros((batch, *space), np.int64)
        for c in range(1, channels):
            field = ndimage.gaussian_filter(random.normal(size=labels.shape), (0, *[1.0] * dims))
            labels[field > 1.2 * field.std()] = c
        if ignore:
            labels[random.random(labels.shape) < 0.1] = -1
        target = torch.from_numpy(labels)
        logits = torch.from_numpy(random.normal(size=(batch, channels, *space)))
        return Scene(logits, target, maps_of(target, channels))

    return make


@pytest.fixture
def small():
    """A corner of a scene, with the maps of the whole: few enough voxels for a numeric gradient."""

    def crop(case: Scene, size: int = 7) -> Scene:
        corner = (..., *[slice(size)] * (case.labels.ndim - 1))
        made = {key: values[corner].contiguous() for key, values in case.maps.items()}
        assert case.labels[corner].unique().numel() == case.logits.shape[1] + 1, "the corner has every label and -1"
        return Scene(case.logits[corner].contiguous(), case.labels[corner].contiguous(), made)

    return crop


@pytest.fixture
def maps():
    """The maps of labels, by their definitions."""
    return maps_of


@pytest.fixture
def certain():
    """Logits that leave no doubt about a mask (B, *S)."""

    def make(mask: torch.Tensor, channels: int = 2) -> torch.Tensor:
        return 60.0 * torch.stack([mask == c for c in range(channels)], 1).double()

    return make


@pytest.fixture
def agree():
    """Compare value and gradient of a loss with a formula of (probabilities, labels)."""

    def check(loss, formula, case: Scene, *, rtol: float = 1e-9, voxel_weight: torch.Tensor | None = None) -> None:
        ours, theirs = case.logits.clone().requires_grad_(), case.logits.clone().requires_grad_()
        value = loss(ours, case.labels, case.maps, voxel_weight=voxel_weight)
        expected = formula(theirs.softmax(1), case.labels)
        torch.testing.assert_close(value, expected, rtol=rtol, atol=1e-12)
        (gradient,) = torch.autograd.grad(value, ours)
        (wanted,) = torch.autograd.grad(expected, theirs)
        torch.testing.assert_close(gradient, wanted, rtol=rtol, atol=1e-12)
        assert gradient.any()

    return check
