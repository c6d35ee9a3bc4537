"""The start digest: the same for every method of a seed, and for nothing else."""

from __future__ import annotations

import torch

from bench.training.digests import start_digest
from bench.training.loop import use_channels_last


def test_two_losses_of_a_seed_start_alike_and_two_seeds_do_not(new_method):
    dice, tversky = (new_method(loss, seed=4) for loss in ("dice", "tversky"))
    assert start_digest(dice.backbone) == start_digest(tversky.backbone)
    assert start_digest(dice.backbone) != start_digest(new_method("dice", seed=5).backbone)


def test_heads_may_differ(new_method):
    assert start_digest(new_method(classes=2).backbone) == start_digest(new_method(classes=3).backbone)


def test_any_other_weight_counts(new_method):
    backbone = new_method().backbone
    names = [name for name, _ in backbone.named_parameters()]
    found = {start_digest(backbone)}
    for name in names:
        with torch.no_grad():
            parameter = backbone.get_parameter(name)
            kept = parameter.flatten()[-1].clone()
            parameter.view(-1)[-1] = kept + 1e-6
            found.add(start_digest(backbone))
            parameter.view(-1)[-1] = kept
    assert len(found) == 1 + sum(not name.startswith("head.") for name in names)


def test_the_memory_layout_does_not_count(new_method):
    backbone = new_method().backbone
    before = start_digest(backbone)
    use_channels_last(backbone)
    assert start_digest(backbone) == before
