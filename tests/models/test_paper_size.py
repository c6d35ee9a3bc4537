"""The paper's network trains at its full size, alone and with each regressor."""

from __future__ import annotations

import pytest
import torch

import losses
import models
from losses import target_maps
from models import Batch, Method

SPACE = (32, 64, 64)
STEPS = 20


def make(name):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3)
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 4_286_466
    regressor = None if name is None else models.create_regressor(name)
    if regressor is not None:
        regressor.attach(backbone, 2, 3)
        models.initialise(regressor, seed=0)
        if regressor.pretraining is not None:
            regressor.freeze()
    models.initialise(backbone, seed=0)
    return Method(backbone, losses.create("dice"), regressor)


def ball(wanted):
    """A bright ball in noise, 2 mm between slices."""
    grid = torch.stack(torch.meshgrid(*map(torch.arange, SPACE), indexing="ij"))
    mask = (grid - torch.tensor([14, 30, 36]).view(3, 1, 1, 1)).square().sum(0) < 9**2
    image = mask + torch.randn(SPACE, generator=torch.Generator().manual_seed(0))
    maps = {}
    for name in wanted:
        kind, in_mm = target_maps.unit_of(name)
        values = target_maps.compute(kind, mask.numpy(), (2.0, 1.0, 1.0) if in_mm else None)
        maps[name] = torch.from_numpy(values)[None, None]
    return Batch(image[None, None], mask.long()[None], maps)


@pytest.mark.slow
@pytest.mark.parametrize("name", [None, *models.available_regressors()])
def test_twenty_steps_at_full_size_stay_finite_and_lower_the_loss(name):
    method = make(name).train()
    given = ball(method.required_maps)
    optimiser = torch.optim.Adam([one for one in method.parameters() if one.requires_grad], 1e-3)
    history = []
    for _ in range(STEPS):
        terms = method.training_terms(given)
        objective = method.objective(terms)
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        history.append(terms["segmentation"].value.item())
        assert objective.isfinite()
    assert history[-1] < history[0]
    assert all(parameter.isfinite().all() for parameter in method.parameters())
