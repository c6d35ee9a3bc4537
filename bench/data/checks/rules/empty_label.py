"""Cases without target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules

LISTED = 8


@rules.register("empty_label")
def empty_label(inspection: Inspection) -> Iterator[Finding]:
    """Warnings: a label of nothing but 0 is often a mistake; a case without target is scored in a group of its own."""
    for examined in inspection.readable():
        label = examined.facts.label
        if label is None or label.unusable:
            continue
        targets = {value for values in examined.settings.class_labels.values() for value in values}
        if set(label.values) <= {0}:
            yield examined.finding("empty_label", "warning", f"0 everywhere: {examined.label_name}")
        elif not targets & set(label.values):
            text = f"no voxel of the target {_list(targets)}, found {_list(label.values)}, in {examined.label_name}"
            yield examined.finding("empty_label", "warning", text)


def _list(values: Iterable[int]) -> str:
    """The smallest values, by commas."""
    ordered = sorted(values)
    return ", ".join(map(str, ordered[:LISTED])) + (", …" if len(ordered) > LISTED else "")
