from __future__ import annotations

import torch

from losses.base import Loss
from losses.self_check.precisions import probe


class InTheTypeOfTheLogits(Loss):
    """Cross entropy that sums in whatever type comes in."""

    def compute(self, logits, labels, maps, voxel_weight):
        p = logits.softmax(1).gather(1, labels.long()[:, None]).clamp(min=1e-3)
        return -p.log().mean()


class Rounded(InTheTypeOfTheLogits):
    """The same, turned into float32 only at the end."""

    def compute(self, logits, labels, maps, voxel_weight):
        value = super().compute(logits, labels, maps, voxel_weight)
        return value if value.dtype == torch.float64 else value.float()


def test_losses_computed_in_float32_are_exact_for_rounded_logits(subject):
    found = probe(subject("dice"))
    assert found.outcome == "ok"
    assert [row["dtype"] for row in found.data["rows"]] == ["float32", "bfloat16", "float16"]
    assert all(row["relative_error_of_value"] < 1e-6 for row in found.data["rows"])


def test_a_loss_in_half_precision_is_found(subject, plugin):
    assert probe(subject(plugin(InTheTypeOfTheLogits))).outcome == "broken"
    rounded = probe(subject(plugin(Rounded)))
    assert rounded.outcome == "look"
    assert rounded.data["rows"][1]["relative_error_of_value"] > 1e-4


def test_gradients_too_small_for_half_precision_are_counted(subject):
    row = probe(subject("hausdorff_dt")).data["rows"][2]
    assert 0 < row["gradients_flushed_to_zero"] < 1
