"""LR-Net: the authors' layers and sizes, what it refuses, and what its normalisation cannot tell apart."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import models
from models import ModelError
from models.layers import InstanceNorm3d, ResidualBlock
from models.lr_net import LRNet


def make(dims=3, in_channels=2, out_channels=1, *, normalised=True, seed=0):
    made = LRNet(in_channels=in_channels, out_channels=out_channels, spatial_dims=dims, normalised=normalised)
    models.initialise(made, seed)
    return made


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def kinds(module):
    return [type(layer) for layer in module]


def test_it_has_the_papers_number_of_parameters():
    assert count(make()) == 15_717


@pytest.mark.parametrize(
    ("part", "parameters"),
    [
        ("full", (2 * 4 * 27 + 4) + (4 * 4 * 27 + 4)),
        ("lower", (4 * 8 * 27 + 8) + 4 * (8 * 8 * 27 + 8)),
        ("up", 8 * 4 * 8 + 4),
        ("joined", 4 * (8 * 8 * 27 + 8)),
        ("out", (8 * 4 + 4) + (4 * 1 + 1)),
    ],
)
def test_every_part_has_the_parameters_of_its_convolutions(part, parameters):
    assert count(getattr(make(), part)) == parameters


@pytest.mark.parametrize(("classes", "more"), [(3, 4 * 27 + 5), (4, 2 * (4 * 27 + 5))])
def test_a_further_class_adds_one_channel_in_and_one_map_out(classes, more):
    assert count(make(in_channels=classes, out_channels=classes - 1)) == 15_717 + more


def test_layers_are_the_authors():
    network = make()
    layer = [nn.Conv3d, InstanceNorm3d, nn.ReLU]
    assert kinds(network.full) == 2 * layer
    assert kinds(network.lower) == [nn.Conv3d, ResidualBlock, ResidualBlock]
    assert kinds(network.up) == [nn.ConvTranspose3d, InstanceNorm3d, nn.ReLU]
    assert kinds(network.joined) == [ResidualBlock, ResidualBlock]
    assert kinds(network.out) == [*layer, nn.Conv3d]
    for block in [*list(network.lower)[1:], *network.joined]:
        assert kinds(block.body) == [*layer, nn.Conv3d, InstanceNorm3d]
        assert isinstance(block.shortcut, nn.Identity)


def test_kernels_are_three_wide_but_for_the_way_up_and_the_last_two():
    network = make()
    kernels = [layer.kernel_size[0] for layer in network.modules() if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d)]
    assert kernels == [3, 3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 3, 1, 1]
    assert network.lower[0].stride == (2, 2, 2)


def test_normalisation_has_no_scale_no_shift_and_no_memory():
    norms = [layer for layer in make().modules() if isinstance(layer, InstanceNorm3d)]
    assert len(norms) == 12
    assert not any(norm.affine or norm.track_running_stats for norm in norms)


def test_without_normalisation_there_is_none_and_the_weights_are_as_many():
    network = make(normalised=False)
    assert not any(isinstance(layer, nn.modules.instancenorm._InstanceNorm) for layer in network.modules())
    assert count(network) == 15_717


@pytest.mark.parametrize(("dims", "space"), [(2, (6, 10)), (3, (4, 6, 10))])
def test_maps_have_the_size_of_the_probabilities(dims, space):
    assert make(dims, 4, 3)(torch.rand(2, 4, *space)).shape == (2, 3, *space)


def test_values_are_raw():
    values = make(2)(torch.rand(1, 2, 16, 16))
    assert values.min() < 0 < values.max()


@pytest.mark.parametrize("shape", [(1, 2, 8, 8, 7), (1, 2, 5, 8, 8), (1, 3, 8, 8, 8), (1, 1, 8, 8, 8)])
def test_odd_axes_and_other_channels_are_refused(shape):
    with pytest.raises(ModelError, match=re.escape(f"expected probabilities (B, 2, *S) with even axes, got {shape}")):
        make()(torch.zeros(shape))


REACH = 24
"""More voxels than lie between a voxel and the farthest one that the convolutions let it see."""


def at_centre(network, lesion, patch):
    """Value in the middle of a square lesion; patch and lesion are centred on the same voxel of the coarse grid."""
    near = (torch.arange(patch) - patch // 2).abs() < lesion // 2
    mask = (near[:, None] & near).float()
    with torch.no_grad():
        values = network(torch.stack([1 - mask, mask])[None])
    return float(values[0, 0, patch // 2, patch // 2])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((2 * REACH, 160), (4 * REACH, 160), id="a larger lesion in the same patch"),
        pytest.param((2 * REACH, 96), (2 * REACH, 192), id="the same lesion in a larger patch"),
    ],
)
def test_only_without_normalisation_do_equal_neighbourhoods_get_equal_values(one, other, seed):
    """Instance normalisation scales by the share of the lesion, so that no weights fit every share."""
    plain, normalised = make(2, normalised=False, seed=seed), make(2, seed=seed)
    assert at_centre(plain, *one) == pytest.approx(at_centre(plain, *other), abs=1e-6)
    assert abs(at_centre(normalised, *one) - at_centre(normalised, *other)) > 0.1


@pytest.mark.parametrize("lesion", [4, 16, 48])
def test_before_the_last_layer_every_channel_has_mean_0_and_variance_1_whatever_the_lesion(lesion):
    network, seen = make(2), []
    network.out[1].register_forward_hook(lambda module, given, made: seen.append(made.clone()))
    at_centre(network, lesion, 96)
    (features,) = seen
    torch.testing.assert_close(features.mean((2, 3)), torch.zeros(1, 4), atol=1e-4, rtol=0)
    torch.testing.assert_close(features.var((2, 3), correction=0), torch.ones(1, 4), atol=0.02, rtol=0)
