"""Cases without target."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules


@rules.register("empty_label")
def empty_label(inspection: Inspection) -> Iterator[Finding]:
    """Warnings: a label of nothing but 0 is often a mistake; a case without target is scored in a group of its own."""
    for examined in inspection.readable():
        label = examined.facts.label
        if label is None or label.unusable:
            continue
        targets = {value for values in examined.settings.class_labels.values() for value in values}
        if set(label.values) <= {0}:
            yield examined.finding("empty_label", "warning", "the label is 0 everywhere")
        elif not targets & set(label.values):
            yield examined.finding("empty_label", "warning", "the label has no voxel of the target")
