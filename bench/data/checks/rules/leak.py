"""The same image or mask twice, above all in training and test."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import MAIN, Examined, Inspection
from bench.data.checks.registry import rules
from bench.data.settings import PRETRAIN
from bench.data.splits import Split
from bench.errors import DataError


@rules.register("leak")
def leak(inspection: Inspection) -> Iterator[Finding]:
    """Error `leak` where equal voxels are in two parts of a split; warning `duplicate_image` where in one.

    Images are compared, and masks that regressors are pre-trained on with the masks of all other cases.

    The finding names the case that is trained on (or selected on), so that dropping it keeps the reported cases. Also
    an error, `split`: the split cannot be made.
    """
    try:
        splits = inspection.splits
    except DataError as error:
        yield Finding("split", "error", MAIN, "", str(error))
        return
    for group in (*_same_images(inspection), *_same_masks(inspection)):
        for first, second in combinations(group, 2):
            yield _judged(first, second, splits)


def _same_images(inspection: Inspection) -> Iterator[list[Examined]]:
    """Groups of equal images that are not constant."""
    for group in _alike(inspection, lambda examined: tuple(file.digest for file in examined.facts.images)):
        images = group[0].facts.images
        if any(low != high for file in images for low, high in zip(file.minima, file.maxima, strict=True)):
            yield group


def _same_masks(inspection: Inspection) -> Iterator[list[Examined]]:
    """Groups in which a case without images is; masks of one value are alike and give nothing away."""
    for group in _alike(inspection, lambda examined: examined.facts.label and examined.facts.label.digest):
        label = group[0].facts.label
        if label is not None and len(label.values) > 1 and not all(examined.facts.images for examined in group):
            yield group


def _alike(inspection: Inspection, key: Callable[[Examined], Hashable]) -> Iterator[list[Examined]]:
    """The readable cases that share a key with another one."""
    groups: dict[Hashable, list[Examined]] = {}
    for examined in inspection.readable():
        groups.setdefault(key(examined), []).append(examined)
    return (group for group in groups.values() if len(group) > 1)


def _judged(first: Examined, second: Examined, splits: Sequence[Split]) -> Finding:
    for fold, split in enumerate(splits):
        ranked = sorted((first, second), key=lambda examined: PARTS.index(_part(examined, split)))
        a, b = (_part(examined, split) for examined in ranked)
        if a != b and a in ("train", "validation") and b != UNUSED:
            bad, other = ranked
            where = f"{other.dataset}/{other.case.id}"
            text = f"in {a}, has the same voxels as {where} in {b}" + (f" (fold {fold})" if len(splits) > 1 else "")
            advice = "leave one out, or give both the same patient"
            return bad.finding("leak", "error", f"{text}: {bad.image_name} and {other.image_name}; {advice}")
    text = f"has the same voxels as {first.dataset}/{first.case.id}: {second.image_name} and {first.image_name}"
    return second.finding("duplicate_image", "warning", text)


UNUSED = "no part"
PARTS = ("train", "validation", "test", "evaluation only", UNUSED)
"""In the order in which a duplicate is given up."""


def _part(examined: Examined, split: Split) -> str:
    if examined.dataset == PRETRAIN:
        return "train"
    if examined.dataset != MAIN:
        return "evaluation only"
    identity = examined.case.id
    if identity in split.train:
        return "train"
    if split.selected_on_reported and identity in split.test:
        return "test"
    return next((part for part in ("validation", "test") if identity in getattr(split, part)), UNUSED)
