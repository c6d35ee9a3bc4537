"""Real NIfTI files for the tests of this room, small enough to write anew in each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels

FLIPPED = Geometry((5, 6, 7), (2.5, 0.7, 0.8), (10.0, -20.0, 30.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))


@pytest.fixture
def flipped() -> Geometry:
    """Anisotropic, odd, away from the origin, two axes reversed as in 22 LIDC cases."""
    return FLIPPED


@pytest.fixture
def write_pair(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Writer of an image and a label file; labels have liver 1 round a tumour 2."""

    def write(image: Path, label: Path, geometry: Geometry = FLIPPED, seed: int = 0) -> tuple[Path, Path]:
        random = np.random.default_rng(seed)
        labels = np.zeros(geometry.shape, np.int16)
        labels[(slice(1, -1),) * labels.ndim] = 1
        labels[(slice(2, 3),) * labels.ndim] = 2
        image.parent.mkdir(parents=True, exist_ok=True)
        write_image(image, random.normal(100, 20, geometry.shape).astype(np.float32), geometry)
        write_labels(label, labels, geometry)
        return image, label

    return write


@pytest.fixture
def lits_folder(tmp_path: Path, write_pair: Callable[..., tuple[Path, Path]]) -> Callable[..., Path]:
    """Writer of a folder in LiTS layout with the given case numbers."""

    def write(*numbers: int) -> Path:
        root = tmp_path / "LiTS scans"
        for n in numbers:
            write_pair(root / f"volume-{n}.nii.gz", root / f"segmentation-{n}.nii.gz", seed=n)
        return root

    return write


@pytest.fixture
def shared_data() -> Path:
    """Folder of real scans."""
    root = os.environ.get("IMBALANCE_DATA")
    if not root:
        pytest.skip("IMBALANCE_DATA is not set: no real scans here")
    return Path(root)
