"""First weights follow from (seed, parameter name) alone."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import torch
from torch import nn

import models


def make(**parameters):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3, **parameters)
    models.initialise(backbone, seed=3)
    return backbone


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_global_generator_has_no_say():
    torch.manual_seed(0)
    one = make()
    torch.manual_seed(1)
    assert equal(one, make())


def test_initialising_leaves_the_global_generator_alone():
    backbone = make(widths=(4, 8))
    state = torch.random.get_rng_state()
    models.initialise(backbone, seed=0)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_cpu_without_fused_multiply_add_draws_the_same_bits():
    code = """
import sys, models
backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3)
models.initialise(backbone, seed=3)
for parameter in backbone.parameters():
    sys.stdout.buffer.write(parameter.detach().contiguous().numpy().tobytes())
"""
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ATEN_CPU_CAPABILITY": "default"},
        capture_output=True,
        check=True,
    )
    assert told.stdout == b"".join(p.detach().contiguous().numpy().tobytes() for p in make().parameters())


def test_an_extra_head_shifts_no_other_weight():
    plain, extended = make(widths=(4, 8)), make(widths=(4, 8))
    extended.aaa_second_head = nn.Conv3d(4, 1, 1)
    models.initialise(extended, seed=3)
    extended_weights = dict(extended.named_parameters())
    assert all(torch.equal(weight, extended_weights[name]) for name, weight in plain.named_parameters())


def test_seeds_and_names_draw_different_numbers():
    module = nn.ModuleDict({name: nn.Conv3d(4, 4, 3) for name in ("a", "b")})
    models.initialise(module, seed=0)
    first = module["a"].weight.clone()
    assert not torch.equal(first, module["b"].weight)
    models.initialise(module, seed=1)
    assert not torch.equal(first, module["a"].weight)


def test_convolutions_are_kaiming_uniform_over_what_one_output_adds_up():
    layers = {
        nn.Conv3d(16, 64, 3): 16 * 27,
        nn.Conv3d(16, 64, 3, groups=4): 4 * 27,
        nn.ConvTranspose3d(64, 64, 2, stride=2): 64,
        nn.ConvTranspose2d(64, 64, 4, stride=2): 64 * 4,
        nn.Linear(300, 50): 300,
    }
    for layer, fan_in in layers.items():
        models.initialise(layer, seed=0)
        bound = math.sqrt(1 / fan_in)
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert abs(layer.weight.std() / (bound / math.sqrt(3)) - 1) < 0.05
        assert not layer.bias.any()


def test_the_signal_shrinks_as_under_torchs_own_gain():
    layer = nn.Conv3d(32, 512, 3, padding=1)
    models.initialise(layer, seed=0)
    x = torch.randn(1, 32, 12, 12, 12, generator=torch.Generator().manual_seed(0)).relu()
    size = x.square().mean()
    inner = layer(x)[:, :, 1:-1, 1:-1, 1:-1].relu()
    assert 0.8 < 6 * inner.square().mean() / size < 1.25


def test_normalisations_start_as_the_identity():
    for layer in (nn.BatchNorm3d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LayerNorm(4)):
        nn.init.uniform_(layer.weight)
        nn.init.uniform_(layer.bias)
        models.initialise(layer, seed=0)
        assert (layer.weight == 1).all()
        assert not layer.bias.any()


def test_constant_parameters_stay_and_random_ones_are_redrawn_by_name():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.PReLU()
            self.position = nn.Parameter(torch.randn(1, 2000))

    one, other = Odd(), Odd()
    models.initialise(one, seed=0)
    models.initialise(other, seed=0)
    assert one.slope.weight.item() == 0.25
    assert torch.equal(one.position, other.position)
    assert abs(one.position.std() / 0.02 - 1) < 0.1
