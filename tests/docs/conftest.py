"""A fresh checkout to work in, with a reader's own scans beside the suites."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

ROOT = Path(__file__).parents[2]
PATIENTS = [f"p{number:02d}" for number in range(1, 11)]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def checkout(tmp_path) -> Path:
    """The packages and suites, copied, so that a page can add files; `python -m bench` in it runs the copy."""
    folder = tmp_path / "imbalance-bench"
    for name in ("bench", "losses", "models", "suites"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_scans(folder)
    return folder


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A reader's shell: this Python first on the path, no data set configured, a cache of its own."""
    kept = {key: value for key, value in os.environ.items() if key not in ("LITS_ROOT", "IMBALANCE_DATA", "PYTHONPATH")}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "IMBALANCE_BENCH_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }


def write_scans(folder: Path) -> None:
    """scans/pNN-ct.nii.gz and scans/pNN-lesions.nii.gz with bright balls as lesions, and the CSV that names them."""
    random = np.random.default_rng(0)
    (folder / "scans").mkdir()
    lines = ["patient,image,label"]
    for patient in PATIENTS:
        lesion = _balls(random)
        ct = np.round(random.normal(60, 20, lesion.shape) + 60 * lesion).astype(np.int16)
        files = [f"scans/{patient}-ct.nii.gz", f"scans/{patient}-lesions.nii.gz"]
        for file, array in zip(files, (ct, lesion.astype(np.uint8)), strict=True):
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((1.5, 1.5, 3.0))
            sitk.WriteImage(image, str(folder / file))
        lines.append(",".join([patient, *files]))
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _balls(random: np.random.Generator) -> np.ndarray:
    grid = np.indices((20, 56, 48)) * np.reshape([3.0, 1.5, 1.5], (3, 1, 1, 1))
    centres = random.uniform([15, 20, 20], [45, 60, 50], (2, 3))
    near = [np.linalg.norm(grid - np.reshape(centre, (3, 1, 1, 1)), axis=0) < 8 for centre in centres]
    return np.logical_or(*near)
