"""Region-wise loss: the rectified maps written out, background included, and its one minimum."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import distance_transform_edt

import losses


def naive(p, labels):
    """Maps by a transform of each one-hot channel, the mean over all channels and voxels that are not ignored."""
    z = torch.ones_like(p).detach()
    for b, c in torch.cartesian_prod(torch.arange(len(p)), torch.arange(p.shape[1])).tolist():
        inside = labels[b] == c
        # An ignored voxel is background to every lesion, and no lesion to the background.
        around = inside | (labels[b] < 0) if c == 0 else inside
        if inside.any() and not around.all():
            depth = torch.from_numpy(distance_transform_edt(around))
            z[b, c][inside] = -(depth / depth[inside].max())[inside]
        elif inside.any():
            z[b, c][inside] = -1
    valid = (labels >= 0)[:, None]
    return (p * z * valid).sum() / (valid.sum() * p.shape[1])


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
def test_value_and_gradient_equal_the_formula(scene, agree, channels, dims, ignore):
    agree(losses.create("region_wise"), naive, scene(channels, dims, ignore=ignore))


def test_an_absent_class_is_fined_everywhere_and_does_not_shorten_distances(scene, agree, maps):
    case = scene(3)
    case.labels[0][case.labels[0] == 2] = 0
    case.maps = maps(case.labels, 3)
    agree(losses.create("region_wise"), naive, case)


@pytest.mark.parametrize("channels", [2, 3])
def test_the_mask_is_the_minimum_and_every_voxel_pulls_towards_it(scene, certain, channels):
    case = scene(channels)
    loss = losses.create("region_wise")
    logits = torch.zeros_like(case.logits).requires_grad_()
    loss(logits, case.labels, case.maps).backward()
    true = logits.grad.gather(1, case.labels[:, None])
    assert (true < 0).all()
    assert (logits.grad.argmin(1) == case.labels).all()
    assert loss(certain(case.labels, channels), case.labels, case.maps) < 0


@pytest.mark.parametrize("channels", [2, 3])
def test_an_empty_target_pushes_every_foreground_down(certain, maps, channels):
    labels = torch.zeros(1, 6, 6, dtype=torch.int64)
    loss = losses.create("region_wise")
    logits = torch.randn(1, channels, 6, 6, requires_grad=True)
    loss(logits, labels, maps(labels, channels)).backward()
    assert (logits.grad[:, 0] < 0).all()
    assert loss(certain(labels, channels), labels, maps(labels, channels)).item() == pytest.approx(-1 / channels)


def test_a_target_that_fills_the_patch_is_finite():
    labels = torch.ones(1, 6, 6, dtype=torch.int64)
    depth = torch.full((1, 1, 6, 6), 2.0)
    logits = torch.randn(1, 2, 6, 6, requires_grad=True)
    loss = losses.create("region_wise")(logits, labels, {"distance": depth, "signed_distance": 1 - depth})
    loss.backward()
    torch.testing.assert_close(loss, (1 - 2 * logits.softmax(1)[:, 1]).mean() / 2)
    assert (logits.grad[:, 1] < 0).all()


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("region_wise")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))
