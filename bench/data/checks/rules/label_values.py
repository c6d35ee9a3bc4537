"""Which values a label file holds, and how they are stored."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules
from bench.data.settings import DatasetSettings

EXAMPLES = 3


@rules.register("label_values")
def label_values(inspection: Inspection) -> Iterator[Finding]:
    """Findings under these names.

    not_integer     error: values that are no whole numbers within 1e-3, or beyond 16 bits.
    unknown_label   warning: values that neither target nor roi nor ignore_label names; they are background.
    float_label     warning: whole numbers stored as floating point; they are rounded.
    label_channels  error: more than one number per voxel.
    """
    for examined in inspection.readable():
        label = examined.facts.label
        if label is None:
            continue
        if label.channels != 1:
            yield examined.finding("label_channels", "error", f"{label.channels} numbers per voxel, expected one")
        if label.unusable:
            found = ", ".join(f"{value:g}" for value in label.unusable_values[:EXAMPLES])
            text = f"{label.unusable} of {label.voxels} voxels are no whole numbers of 16 bits, such as {found}"
            guess = "; are image and label swapped?" if 2 * label.unusable > label.voxels else ""
            yield examined.finding("not_integer", "error", f"{text}, in {examined.label_name}{guess}")
            continue
        if label.floating:
            text = f"stored as floating point and rounded: {examined.label_name}"
            yield examined.finding("float_label", "warning", text)
        unknown = sorted(label.values.keys() - named_values(examined.settings))
        if unknown:
            counts = ", ".join(f"{value} ({label.values[value]} voxels)" for value in unknown[:12])
            more = f" and {len(unknown) - 12} more" if len(unknown) > 12 else ""
            text = f"values that the suite does not name, taken as background: {counts}{more}, in {examined.label_name}"
            yield examined.finding("unknown_label", "warning", text)


def named_values(settings: DatasetSettings) -> set[int]:
    """0 and all values of target, roi and ignore_label."""
    ignored = () if settings.ignore_label is None else (settings.ignore_label,)
    targets = (value for values in settings.class_labels.values() for value in values)
    return {0, *targets, *(settings.roi or ()), *ignored}
