"""Trained tumour and liver networks, and a test set of scans that lie in many ways."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings

STORED = {
    "3": ((0, 1, 2), (), np.diag([-5.0, -5.0, 6.0, 1.0])),
    "011": ((0, 1, 2), (0, 2), np.diag([5.0, -5.0, -6.0, 1.0]) + np.eye(4, k=3) * 17),
    "24": ((1, 2, 0), (1,), None),
}
"""Number → order of the axes, those that run the other way, affine (None: oblique)."""


def oblique() -> np.ndarray:
    """Axes of other spacings (6, 5, 4.5 mm), permuted and turned by angles that no decimal number is equal to."""
    a, b = np.radians(17), np.radians(-9)
    around_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = around_z @ around_x @ np.array([[0, 0, -1], [1, 0, 0], [0, 1, 0]]) @ np.diag([6, 5, 4.5])
    affine[:3, 3] = 31.7, -112.3, 7.1
    return affine


@dataclass(frozen=True)
class TestSet:
    """Folders of `test-volume-N` and `liver-N`."""

    __test__ = False

    images: Path
    livers: Path

    def volume(self, number: str) -> Path:
        (path,) = self.images.glob(f"test-volume-{number}.nii*")
        return path

    def liver(self, number: str) -> Path:
        (path,) = self.livers.glob(f"liver-{number}.nii*")
        return path


@dataclass(frozen=True)
class Networks:
    """A run with a tumour cell, one with a liver cell; ids of the cells."""

    tumour_run: Path
    tumour: str
    liver_run: Path
    liver: str


@pytest.fixture(scope="session")
def lits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lits") / "cases"
    write_lits(folder, PhantomSettings(cases=4, seed=3, size=(20, 32, 32), spacing_mm=(6.0, 5.0, 5.0)))
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> dict[str, Networks]:
    """What was trained already; to be read only."""
    return {}


@pytest.fixture
def networks(trained, workshop, lits, tmp_path_factory):
    def train(name: str, **changes):
        place = type(workshop)(tmp_path_factory.mktemp(name))
        nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
        dataset = {"format": "lits", "root": str(lits), **nothing, **changes.pop("dataset")}
        parts = {"train": 2, "validation": 1, "test": 1}
        run = place.here(place.suite(dataset=dataset, split=parts, **changes), methods=("dice",))
        (cell,) = run.path.glob("cells/*")
        return run.path, cell.name

    if "networks" not in trained:
        whole = {"roi_from": None, "crop": None}
        tumour = train("tumour", dataset={"target": [2], "roi": [1, 2]})
        liver = train("liver", dataset={"target": [1, 2]}, preprocessing=whole)
        trained["networks"] = Networks(*tumour, *liver)
    return trained["networks"]


@pytest.fixture
def test_set(lits, tmp_path):
    made = TestSet(tmp_path / "images", tmp_path / "livers")
    made.images.mkdir()
    made.livers.mkdir()
    for case, (number, (order, turned, affine)) in enumerate(STORED.items()):
        ending = ".nii.gz" if number == "011" else ".nii"
        for source, target in (
            ("volume", made.images / f"test-volume-{number}{ending}"),
            ("segmentation", made.livers / f"liver-{number}{ending}"),
        ):
            given = nibabel.load(lits / f"{source}-{case}.nii.gz")
            array = np.flip(np.asanyarray(given.dataobj).transpose(order), turned)
            image = nibabel.Nifti1Image(array, oblique() if affine is None else affine)
            image.header["descrip"], image.header["cal_max"] = b"of a scanner", 250
            image.header.set_xyzt_units("mm")
            nibabel.save(image, target)
    return made


@pytest.fixture
def own_networks(networks, tmp_path):
    """A copy of the runs, to be changed."""
    runs = [Path(shutil.copytree(run, tmp_path / run.parent.name)) for run in (networks.tumour_run, networks.liver_run)]
    return Networks(runs[0], networks.tumour, runs[1], networks.liver)
