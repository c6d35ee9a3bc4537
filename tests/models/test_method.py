"""A method: terms, their weighted sum, probabilities."""

from __future__ import annotations

import torch

import losses
import models
from models import Batch, Method, Term


def make(loss=None):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3, widths=(4, 8))
    models.initialise(backbone, seed=0)
    return Method(backbone, loss or losses.create("dice"))


def batch():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 1, 8, 8, 4, generator=generator)
    return Batch(image, torch.randint(-1, 2, (2, 8, 8, 4), generator=generator))


def test_the_term_is_the_loss_of_the_logits():
    method, given = make(), batch()
    terms = method.training_terms(given)
    assert list(terms) == ["segmentation"]
    expected = method.loss(method.backbone(given.image).logits, given.labels)
    torch.testing.assert_close(terms["segmentation"].value, expected)


def test_the_objective_is_the_weighted_sum_of_its_terms():
    terms = {"one": Term(torch.tensor(2.0), 1.0), "two": Term(torch.tensor(3.0), 0.5)}
    assert make().objective(terms) == 3.5


def test_training_lowers_the_objective():
    method, given = make(), batch()
    optimiser = torch.optim.Adam(method.parameters(), 1e-2)
    history = []
    for _ in range(12):
        objective = method.objective(method.training_terms(given))
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        history.append(objective.item())
    assert history[-1] < history[0] - 0.02


def test_segment_gives_float32_probabilities_without_a_graph():
    method, given = make(), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        probabilities = method.segment(given.image)
    assert probabilities.shape == (2, 2, 8, 8, 4)
    assert probabilities.dtype == torch.float32
    assert not probabilities.requires_grad
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2, 8, 8, 4))


def test_maps_that_the_loss_wants_are_named_and_passed_on():
    class WantsMap(losses.Loss):
        required_maps = ("distance",)

        def compute(self, logits, labels, maps, voxel_weight):
            return (logits[:, 1:] * maps["distance"]).mean()

    method, given = make(WantsMap()), batch()
    assert method.required_maps == ("distance",)
    with_map = Batch(given.image, given.labels, {"distance": torch.ones(2, 1, 8, 8, 4)})
    logits = method.backbone(given.image).logits
    torch.testing.assert_close(method.training_terms(with_map)["segmentation"].value, logits[:, 1].mean())


def test_every_loss_starts_from_the_same_weights():
    one, other = make(losses.create("dice")), make(losses.create("cross_entropy"))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
