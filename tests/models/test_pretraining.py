"""The stage in which a regressor learns from reference masks alone."""

from __future__ import annotations

import pytest
import torch

import models
from losses import target_maps
from models import Batch
from models.pretraining import Pretraining
from models.regression_error import smooth_l1


def make(**parameters):
    regressor = models.create_regressor("lr_net", **parameters)
    regressor.attach(None, 2, 3)
    models.initialise(regressor, seed=0)
    return Pretraining(regressor)


def two_balls(size=16, kind="norm_inverse"):
    """Labels of two samples, one ball each, and their map."""
    grid = torch.stack(torch.meshgrid(*[torch.arange(size)] * 3, indexing="ij"))
    balls = [((grid - at).square().sum(0) < radius**2).long() for at, radius in ((6, 4.5), (9, 5.5))]
    maps = [torch.from_numpy(target_maps.compute(kind, ball.numpy())) for ball in balls]
    return Batch(torch.empty(0), torch.stack(balls), {kind: torch.stack(maps)[:, None]})


def test_no_image_is_looked_at():
    given = two_balls()
    nothing = Batch(torch.full((2, 1, 1), float("nan")), given.labels, given.maps)
    assert make().error(nothing) == make().error(given)


def test_it_wants_the_map_of_its_regressor_and_no_other():
    assert make(map="inverse").required_maps == ("inverse",)


def test_its_one_term_is_the_mean_smooth_l1_whatever_the_regressor_has_later():
    given, stage = two_balls(), make(reduction="foreground", alpha=50.0)
    terms = stage.training_terms(given)
    assert list(terms) == ["regression"]
    expected = smooth_l1(stage.regressor.reconstruct(given.labels), given.maps["norm_inverse"], given.labels, "mean")
    assert stage.objective(terms) == expected


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_at_its_own_learning_rate_it_learns_the_map_of_two_balls(norm):
    stage, given = make(norm=norm), two_balls()
    optimiser = torch.optim.Adam(stage.parameters(), stage.regressor.pretraining["learning_rate"])
    history = []
    for _ in range(30):
        objective = stage.objective(stage.training_terms(given))
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        history.append(objective.item())
    assert history[-1] < 0.5 * history[0]


def test_ignored_voxels_are_taken_for_background_and_count_for_nothing():
    stage, given = make(), two_balls()
    labels = given.labels.clone()
    labels[:, :, :, -2:] = -1
    as_background = stage.regressor.reconstruct(labels.clamp(min=0))
    assert torch.equal(stage.regressor.reconstruct(labels), as_background)
    target = given.maps["norm_inverse"] + 5 * (labels < 0)[:, None]
    with_ignored = Batch(given.image, labels, {"norm_inverse": target})
    counted = (labels >= 0)[:, None]
    expected = torch.nn.functional.smooth_l1_loss(as_background[counted], target[counted])
    torch.testing.assert_close(stage.error(with_ignored), expected)


def test_there_is_no_loss_no_backbone_and_nothing_to_say_of_their_gradients():
    stage = make()
    names = {name.partition(".")[0] for name, _ in stage.named_parameters()}
    assert names == {"regressor"}
    assert stage.gradient_facts(stage.training_terms(two_balls())) == {}
