"""Sums of losses: values, weights, nesting, and errors that name the term."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError, Statistics
from losses.base import Loss
from losses.contract import check

DICE_AND_CE = ({"name": "dice"}, {"name": "cross_entropy", "weight": 0.5})


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    return torch.randn((2, 2, 6, 5), generator=generator), torch.randint(-1, 2, (2, 6, 5), generator=generator)


@pytest.fixture
def probe():
    """A loss that wants a map and remembers the statistics it was given."""

    @losses.register("map_probe")
    class MapProbe(Loss):
        required_maps = ("distance", "step")

        def prepare(self, statistics):
            self.seen = statistics

        def compute(self, logits, labels, maps, voxel_weight):
            return (logits[:, 1:] * maps["distance"]).mean()

    yield MapProbe
    losses.LOSSES.withdraw("map_probe")


def test_the_value_is_the_weighted_sum(case):
    expected = losses.create("dice")(*case) + 0.5 * losses.create("cross_entropy")(*case)
    torch.testing.assert_close(losses.create("sum", terms=DICE_AND_CE)(*case), expected)


def test_voxel_weights_reach_every_term(case):
    weight = torch.rand(case[1].shape)
    total = losses.create("sum", terms=DICE_AND_CE)(*case, voxel_weight=weight)
    expected = losses.create("dice")(*case, voxel_weight=weight) + 0.5 * losses.create("cross_entropy")(
        *case, voxel_weight=weight
    )
    torch.testing.assert_close(total, expected)


def test_sums_nest(case):
    nested = losses.create("sum", terms=[{"name": "sum", "terms": DICE_AND_CE, "weight": 2}, {"name": "tversky"}])
    expected = 2 * losses.create("sum", terms=DICE_AND_CE)(*case) + losses.create("tversky")(*case)
    torch.testing.assert_close(nested(*case), expected)


def test_maps_are_united_and_passed_on_and_statistics_too(case, probe):
    total = losses.create("sum", terms=[{"name": "map_probe"}, {"name": "dice"}, {"name": "map_probe"}])
    assert total.required_maps == ("distance", "step")
    statistics = Statistics((0.9, 0.1))
    total.prepare(statistics)
    assert [getattr(term, "seen", None) for term in total.terms] == [statistics, None, statistics]
    maps = {"distance": torch.ones(2, 1, 6, 5), "step": torch.tensor(3)}
    assert total(*case, maps).isfinite()
    with pytest.raises(LossError, match=r"sum: needs the target map 'distance'; given: step"):
        total(*case, {"step": torch.tensor(3)})


def test_resolve_fills_in_every_term(case):
    resolved = losses.resolve({"name": "sum", "terms": DICE_AND_CE})
    assert [term["weight"] for term in resolved["terms"]] == [1.0, 0.5]
    assert resolved["terms"][0]["smooth"] == 1e-5
    torch.testing.assert_close(losses.create(**resolved)(*case), losses.create("sum", terms=DICE_AND_CE)(*case))
    assert losses.resolve(resolved) == resolved


def test_specifications_that_mean_the_same_resolve_alike():
    whole = losses.resolve({"name": "sum", "terms": [{"name": "tversky", "fp_weight": 1, "weight": 2}]})
    assert whole == losses.resolve({"name": "sum", "terms": [{"name": "tversky", "fp_weight": 1.0, "weight": 2.0}]})
    assert all(isinstance(whole["terms"][0][key], float) for key in ("fp_weight", "weight"))


def weighted(weight, **outer):
    return losses.create("sum", terms=[{"name": "weighted_cross_entropy", "weight": weight, **outer}])


@pytest.mark.parametrize("weight", ["inverse", [1.0, 7.0]])
def test_a_word_or_a_list_under_weight_is_the_loss_s_own_weight(case, weight):
    total, alone = weighted(weight), losses.create("weighted_cross_entropy", weight=weight)
    for loss in (total, alone):
        loss.prepare(Statistics((0.9, 0.1)))
    assert total.weights == (1.0,)
    assert torch.equal(total(*case), alone(*case))


def test_a_number_or_schedule_under_weight_is_the_term_s(case):
    alone = losses.create("weighted_cross_entropy")
    totals = [weighted(0.5), weighted({"start": 0.5, "stop": 0.5, "steps": 1})]
    for loss in (alone, *totals):
        loss.prepare(Statistics((0.9, 0.1)))
    for total in totals:
        torch.testing.assert_close(total(*case, {"step": torch.tensor(0)}), 0.5 * alone(*case))


@pytest.mark.parametrize("weight", ["inverse", [1.0, 7.0], 1, 0.5, {"start": 0, "stop": 1, "steps": 9}, None])
def test_both_weights_survive_being_resolved(case, weight):
    term = {"name": "weighted_cross_entropy"} | ({} if weight is None else {"weight": weight})
    resolved = losses.resolve({"name": "sum", "terms": [term]})
    assert losses.resolve(resolved) == resolved
    assert ("inverse_sqrt" in str(resolved)) == (not isinstance(weight, str | list)), "the loss's own is always named"
    given, again = losses.create("sum", terms=[term]), losses.create(**resolved)
    for loss in (given, again):
        loss.prepare(Statistics((0.9, 0.1)))
    step = {"step": torch.tensor(3)}
    assert torch.equal(given(*case, step), again(*case, step))


def test_a_sum_in_a_sum_gives_a_term_both_weights(case):
    inner = {"name": "sum", "terms": [{"name": "weighted_cross_entropy", "weight": [1.0, 7.0]}], "weight": 0.5}
    alone = losses.create("weighted_cross_entropy", weight=[1.0, 7.0])
    torch.testing.assert_close(losses.create("sum", terms=[inner])(*case), 0.5 * alone(*case))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([{"name": "weighted_cross_entropy", "weight": "invers"}], r"weight must be one of .*, got 'invers'"),
        ([], r"terms must be a list of one or more losses"),
        ("dice", r"terms must be a list of one or more losses"),
        ({"name": "dice"}, r"terms must be a list of one or more losses"),
        (["dice"], r"terms\[0\]: expected a loss such as \{name: dice\} with its parameters, got 'dice'"),
        ([{"name": "dice"}, {"weight": 1}], r"terms\[1\]: expected a loss"),
        ([{"name": "dice"}, {"name": "tverski"}], r"terms\[1\]: unknown loss 'tverski'\. Did you mean 'tversky'"),
        ([{"name": "dice", "smoth": 1}], r"terms\[0\]: loss 'dice' has no parameter 'smoth'\. Did you mean 'smooth'"),
        ([{"name": "dice", "smooth": -1}], r"terms\[0\]: dice: smooth must be a number >= 0, got -1"),
        ([{"name": "dice", "weight": -1}], r"terms\[0\]: weight must be a number >= 0, got -1"),
        ([{"name": "dice", "weight": "1"}], r"terms\[0\]: weight must be a number >= 0, got '1'"),
        ([{"name": "dice", "weight": 0}], r"every weight is 0"),
        ([{"name": "dice", "weight": {"start": 0, "stop": 0, "steps": 5}}], r"every weight is 0"),
        (
            [{"name": "dice", "weight": {"start": 1}}],
            r"terms\[0\]: weight must be a number or a schedule \{start, stop, ",
        ),
        (
            [{"name": "dice", "weight": {"start": 1, "stop": 2, "steps": 3, "step": 1}}],
            r"a schedule \{start, stop, steps\}",
        ),
        (
            [{"name": "dice", "weight": {"start": -1, "stop": 1, "steps": 5}}],
            r"weight\.start must be a number >= 0, got -1",
        ),
        (
            [{"name": "dice", "weight": {"start": 0, "stop": "1", "steps": 5}}],
            r"weight\.stop must be a number >= 0, got '1'",
        ),
        (
            [{"name": "dice", "weight": {"start": 0, "stop": 1, "steps": 0}}],
            r"weight\.steps must be a whole number >= 1",
        ),
    ],
)
def test_a_wrong_term_is_named(terms, message):
    with pytest.raises(LossError, match=message):
        losses.create("sum", terms=terms)


def test_resolve_names_the_wrong_term_too():
    with pytest.raises(LossError, match=r"sum: terms\[0\]: unknown loss 'tverski'"):
        losses.resolve({"name": "sum", "terms": [{"name": "tverski"}]})


RAMP = {"start": 0.01, "stop": 0.11, "steps": 100}


@pytest.mark.parametrize(
    ("step", "weight"), [(0, 0.01), (1, 0.011), (50, 0.06), (100, 0.11), (101, 0.11), (9999, 0.11)]
)
def test_a_scheduled_weight_runs_straight_from_start_to_stop_and_stays(case, step, weight):
    total = losses.create("sum", terms=[{"name": "dice", "weight": RAMP}, {"name": "cross_entropy", "weight": 2}])
    assert total.required_maps == ("step",)
    logits = case[0].requires_grad_()
    value = total(logits, case[1], {"step": torch.tensor(step)})
    expected = weight * losses.create("dice")(*case) + 2 * losses.create("cross_entropy")(*case)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, logits), torch.autograd.grad(expected, logits))


def test_a_weight_may_fall_while_another_rises(case):
    falling = {"start": 1.0, "stop": 0.0, "steps": 10}
    rising = {"start": 0.0, "stop": 1.0, "steps": 10}
    total = losses.create("sum", terms=[{"name": "dice", "weight": falling}, {"name": "tversky", "weight": rising}])
    for step, name in ((0, "dice"), (10, "tversky")):
        torch.testing.assert_close(total(*case, {"step": torch.tensor(step)}), losses.create(name)(*case))


def test_a_schedule_keeps_the_precision_of_the_logits(case):
    total = losses.create("sum", terms=[{"name": "dice", "weight": RAMP}])
    step = {"step": torch.tensor(3)}
    assert total(case[0].double(), case[1], step).dtype == torch.float64
    assert total(case[0].half(), case[1], step).dtype == torch.float32


def test_a_schedule_needs_the_step(case):
    total = losses.create("sum", terms=[{"name": "dice", "weight": RAMP}])
    with pytest.raises(LossError, match=r"sum: needs the target map 'step'; given: none"):
        total(*case)


def test_schedules_resolve_to_plain_numbers():
    whole = {"name": "sum", "terms": [{"name": "dice", "weight": {"start": 0, "stop": 1, "steps": 10}}]}
    resolved = losses.resolve(whole)
    assert resolved["terms"][0]["weight"] == {"start": 0.0, "stop": 1.0, "steps": 10}
    assert isinstance(resolved["terms"][0]["weight"]["start"], float)
    assert losses.resolve(resolved) == resolved
    assert losses.create(**resolved).required_maps == ("step",)


def test_a_scheduled_sum_keeps_the_contract():
    check(losses.create("sum", terms=[{"name": "dice", "weight": RAMP}, {"name": "boundary"}]))
