"""Every check of the loss contract bites: for each promise there is a loss here that breaks only that one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import losses
from losses.base import Loss
from losses.contract import ContractError, check


def cost(logits, labels, voxel_weight):
    """Cross entropy as a sum, written to keep the contract."""
    weight = (labels >= 0).to(torch.float32) if voxel_weight is None else (labels >= 0) * voxel_weight
    precise = logits if logits.dtype == torch.float64 else logits.float()
    return (F.cross_entropy(precise, labels.long(), ignore_index=-1, reduction="none") * weight).sum()


class Honest(Loss):
    def compute(self, logits, labels, maps, voxel_weight):
        return cost(logits, labels, voxel_weight) / labels.numel()


class NotScalar(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight)[None]


class Number(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return float(super().compute(logits, labels, maps, voxel_weight).detach())


class Detached(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight).detach()


class DividesByForeground(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return cost(logits, labels, voxel_weight) / (labels > 0).sum()


class InfiniteSlope(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        p = logits.softmax(1)[:, 1:].sum()
        return cost(logits, labels, voxel_weight) / labels.numel() + (p - p.detach()).sqrt()


class SteepAtTheTruth(Honest):
    """A root of the error, whose slope is infinite where there is none."""

    def compute(self, logits, labels, maps, voxel_weight):
        precise = logits if logits.dtype == torch.float64 else logits.float()
        right = precise.softmax(1).gather(1, labels.clamp(min=0)[:, None].long())[:, 0]
        error = ((1 - right) * (labels >= 0)).sum() + (labels == -1).all()
        return super().compute(logits, labels, maps, voxel_weight) + error.sqrt()


class PullsWhereAllIsIgnored(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        nothing = (labels == -1).all()
        return super().compute(logits, labels, maps, voxel_weight) + nothing * logits.mean()


class PullsAtIgnored(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        some = (labels >= 0).any()
        return super().compute(logits, labels, maps, voxel_weight) + some * 1e-3 * logits.float().mean()


class LooksAtIgnored(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight) + 1e-3 * logits.detach().float().mean().abs()


class AlwaysFloat32(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits.float(), labels, maps, voxel_weight)


class StaysHalf(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight).to(logits.dtype)


class RoundsHalf(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        coarse = 2 if logits.dtype in (torch.bfloat16, torch.float16) else 1
        return coarse * super().compute(logits, labels, maps, voxel_weight)


class UnderAutocast(Honest):
    def forward(self, logits, labels, maps=None, *, voxel_weight=None):
        self._check_shapes(logits, labels, maps or {}, voxel_weight)
        self._check_labels(labels, logits.shape[1])
        eye = torch.eye(logits.shape[1], dtype=logits.dtype)
        return self.compute((logits.movedim(1, -1) @ eye).movedim(-1, 1), labels, {}, voxel_weight)


class NeedsContiguous(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        order = 1.0 if logits.is_contiguous() else 1.1
        return order * super().compute(logits, labels, maps, voxel_weight)


class OnlyLong(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight) * (1 if labels.dtype == torch.int64 else 2)


class TwiceWithWeights(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return super().compute(logits, labels, maps, voxel_weight) * (1 if voxel_weight is None else 2)


class Remembers(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        self.calls = getattr(self, "calls", 0) + 1
        return super().compute(logits, labels, maps, voxel_weight) * (1 + self.calls * 1e-3)


class Writes(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        value = super().compute(logits, labels, maps, voxel_weight)
        labels[labels == 1] = 0
        return value.detach() * 0 + cost(logits, labels, voxel_weight) / labels.numel()


class HigherIsBetter(Honest):
    def compute(self, logits, labels, maps, voxel_weight):
        return -super().compute(logits, labels, maps, voxel_weight)


class Gullible(Honest):
    def forward(self, logits, labels, maps=None, *, voxel_weight=None):
        with torch.autocast("cpu", enabled=False):
            return self.compute(logits, labels.clamp(max=logits.shape[1] - 1), {}, voxel_weight)


class Positional(Honest):
    def __init__(self, alpha=0.5):
        super().__init__()


class TakesTheWord(Honest):
    def __init__(self, *, weight=0.5):
        super().__init__()


class WeightedByRule(Honest):
    """Words and lists cannot be taken for the weight of a term."""

    def __init__(self, *, weight="inverse"):
        super().__init__()


class WithMaps(Honest):
    required_maps = ("distance", "lesion_id", "coordinates", "step")

    def compute(self, logits, labels, maps, voxel_weight):
        assert set(maps) == set(self.required_maps)
        return super().compute(logits, labels, maps, voxel_weight)


@pytest.mark.parametrize("loss", [Honest(), WithMaps(), WeightedByRule()])
def test_a_loss_that_keeps_the_contract_passes(loss):
    check(loss)


@pytest.mark.parametrize(
    ("loss", "promise"),
    [
        (NotScalar(), r"a loss returns one scalar .*got \(1,\)"),
        (Number(), r"a loss returns one scalar .*got float"),
        (Detached(), r"a loss has a gradient \(a mixed target, 2 classes, 2D\)"),
        (DividesByForeground(), r"a loss has a finite value \(an empty target"),
        (SteepAtTheTruth(), r"a loss has a finite gradient \(a mixed target, met with certainty, 2 classes, 2D\)"),
        (InfiniteSlope(), r"a loss has a finite gradient"),
        (PullsWhereAllIsIgnored(), r"a loss has a zero gradient where everything is ignored \(every label −1"),
        (PullsAtIgnored(), r"a loss has a zero gradient at label −1"),
        (LooksAtIgnored(), r"a loss does not look at logits under label −1"),
        (AlwaysFloat32(), r"a loss computes float64 logits in float64"),
        (StaysHalf(), r"a loss returns float32 for torch.bfloat16"),
        (RoundsHalf(), r"a loss is accurate for torch.bfloat16"),
        (UnderAutocast(), r"a loss is computed in full precision under autocast"),
        (NeedsContiguous(), r"a loss takes channels_last input"),
        (OnlyLong(), r"a loss takes torch.int8 labels"),
        (TwiceWithWeights(), r"a loss takes voxel weights, and 1 everywhere changes nothing"),
        (Remembers(), r"a loss gives the same value for the same input"),
        (Writes(), r"a loss leaves its input as it was"),
        (HigherIsBetter(), r"a loss is lower for the right mask than for its opposite"),
        (Gullible(), r"a loss refuses labels of another shape with a LossError .*size mismatch"),
        (Positional(), r"parameters are keyword-only, but 'alpha' is not"),
        (TakesTheWord(), r"no parameter may be called 'weight'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Loss) else "",
)
def test_a_broken_promise_is_named(loss, promise):
    with pytest.raises(ContractError, match=f"^{type(loss).__name__}: .*{promise}"):
        check(loss)


def test_checking_leaves_the_loss_and_the_random_state_alone():
    loss = losses.create("dice")
    before, state = dict(vars(loss)), torch.random.get_rng_state()
    check(loss)
    assert vars(loss).keys() == before.keys()
    assert loss._labels_checked is False
    assert torch.equal(state, torch.random.get_rng_state())
