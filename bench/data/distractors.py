"""Benign look-alikes of a case, where they are known: kept beside the prepared case, for evaluation only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.files.atomic import replacing

NAME = "distractors.npy"


def write_distractors(folder: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Write a native mask, eight voxels to a byte."""
    bits = np.packbits(mask)
    with replacing(folder / NAME, bits.nbytes) as temporary, temporary.open("wb") as stream:
        np.save(stream, bits, allow_pickle=False)


def read_distractors(folder: Path, shape: tuple[int, ...]) -> npt.NDArray[np.bool_] | None:
    """The native mask, or None where look-alikes are not known."""
    path = folder / NAME
    if not path.is_file():
        return None
    bits = np.unpackbits(np.load(path, allow_pickle=False), count=int(np.prod(shape)))
    return bits.reshape(shape).astype(np.bool_)
