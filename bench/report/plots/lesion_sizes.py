"""Histogram of lesion volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.evaluation.dataset_statistics import LITS_MEDIAN_VOLUME_MM3
from bench.report.plots.style import GREY, figure, label, looks

BINS_PER_DECADE = 5


def draw_lesion_sizes(volumes: Mapping[str, Sequence[float]], title: str, path: Path, *, flat: bool = False) -> bool:
    """Draw the lesions of each class by volume on a logarithmic axis, with LiTS's median for comparison.

    Args:
        volumes: mm³ by class, or mm² where `flat`, which are not compared.

    Returns False, writing nothing, where there is no lesion.
    """
    everything = [volume for values in volumes.values() for volume in values]
    if not everything:
        return False
    first, last = np.floor(np.log10(min(everything))), np.ceil(np.log10(max(everything)) + 1e-9)
    edges = np.logspace(first, max(last, first + 1), int(max(last - first, 1)) * BINS_PER_DECADE + 1)
    with figure(path, 6.0, 3.4) as drawn:
        axes = drawn.add_subplot()
        for name, look in looks(list(volumes)).items():
            text = label(f"{name} (n = {len(volumes[name])})")
            axes.hist(volumes[name], bins=list(edges), color=look.colour, alpha=0.6, label=text)
        if not flat:
            axes.axvline(LITS_MEDIAN_VOLUME_MM3, color=GREY, linestyle="--", label="median of LiTS")
        axes.set_xscale("log")
        axes.set_xlabel(f"Lesion {'area, mm²' if flat else 'volume, mm³'}")
        axes.set_ylabel("Lesions")
        axes.set_title(label(title, 60))
        axes.legend()
    return True
