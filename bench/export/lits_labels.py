"""The label values of LiTS, and one label map of a liver and a tumour mask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.export.record import Voxels

BACKGROUND, LIVER, TUMOUR = 0, 1, 2
"""In the scans of the challenge and in what its server expects."""

Mask = npt.NDArray[np.bool_]


def combined(liver: Mask | None, tumour: Mask) -> tuple[npt.NDArray[np.uint8], Voxels]:
    """The label map (*S) of two masks (*S), and its counts in voxels.

    Where both are, it is tumour; tumour outside of the liver stays tumour and is counted. Without a mask of the liver
    no voxel is liver, and what lies outside of it is not known.
    """
    labels = np.full(tumour.shape, BACKGROUND, np.uint8)
    if liver is not None:
        labels[liver] = LIVER
    labels[tumour] = TUMOUR
    outside = None if liver is None else int(np.count_nonzero(tumour & ~liver))
    return labels, Voxels(
        liver=int(np.count_nonzero(labels == LIVER)),
        tumour=int(np.count_nonzero(tumour)),
        tumour_outside_liver=outside,
    )


def in_words(voxels: Voxels) -> str:
    """`liver 1,234 voxels, tumour 56, 7 of them outside of the liver`."""
    outside = f", {voxels.tumour_outside_liver:,} of them outside of the liver" if voxels.tumour_outside_liver else ""
    return f"liver {voxels.liver:,} voxels, tumour {voxels.tumour:,}{outside}"
