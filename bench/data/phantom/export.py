"""Write generated cases as the files of a LiTS folder, so that everything that reads LiTS can be tried on files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.phantom.assemble import generate
from bench.data.phantom.settings import PhantomSettings
from bench.data.writing import write_image, write_labels
from bench.errors import DataError


def write_lits(folder: Path, settings: PhantomSettings) -> tuple[Path, ...]:
    """Write every case N as volume-N.nii.gz (int16, HU) and segmentation-N.nii.gz (uint8); return the files.

    Raises:
        DataError: the folder holds files already; cases of another phantom among these would go unnoticed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not an empty folder; name a new one for the generated cases")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for index in range(settings.cases):
        case = generate(index, settings)
        hu: npt.NDArray[Any] = case.image[0].astype(np.int16)
        image, label = folder / f"volume-{index}.nii.gz", folder / f"segmentation-{index}.nii.gz"
        write_image(image, hu, case.geometry)
        write_labels(label, case.labels, case.geometry)
        written += [image, label]
    return tuple(written)
