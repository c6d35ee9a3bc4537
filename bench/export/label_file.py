"""A label map as a NIfTI file with the very header geometry of the image that it was made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.orientation import as_stored
from bench.data.volume import Geometry


def label_file(source: Path, labels: npt.NDArray[np.uint8], geometry: Geometry) -> bytes:
    """The bytes of a `.nii` file of a label map (*S), with shape, affine, spacing and units of `source` to the bit.

    `bench.data.writing` computes a header from spacing, origin and direction, which rounds what is oblique and
    replaces what is sheared; servers compare headers, so here qform and sform are copied. The same labels give the same
    bytes.

    Args:
        source: NIfTI image that `geometry` was read of.
        labels: on the grid as read; they are turned back to the axes of the file.

    Raises:
        ValueError: the shape is not the geometry's.
    """
    import nibabel

    if labels.shape != geometry.shape:
        raise ValueError(f"labels of shape {labels.shape} for a geometry of shape {geometry.shape}")
    given: Any = nibabel.load(source)
    stored, _ = as_stored(labels, geometry)
    content: bytes = type(given)(stored.T.reshape(given.shape), given.affine, _label_header(given.header)).to_bytes()
    return content


def _label_header(header: Any) -> Any:
    """The header without what speaks of the voxels of the CT: type, scale, display range, text."""
    copied = header.copy()
    copied.set_data_dtype(np.uint8)
    copied.set_slope_inter(1, 0)
    copied.extensions.clear()
    for field in ("cal_min", "cal_max"):
        copied[field] = 0
    for field in ("descrip", "aux_file", "intent_name"):
        copied[field] = b""
    return copied
