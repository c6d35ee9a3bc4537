from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from bench.data.contract import violations
from bench.data.dataset import Dataset, formats, open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.formats.pairs import PairsSettings
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Geometry, Volume


@pytest.mark.parametrize("name", formats.names())
def test_every_format_has_settings_of_its_own_name(name):
    model = formats.get(name).settings_type
    assert issubclass(model, DatasetSettings)
    assert model.model_fields["format"].annotation == Literal[name]


def test_the_formats_of_files_keep_the_contract(tmp_path, lits_folder):
    root = lits_folder(0, 1, 10)
    assert violations(open_dataset(LitsSettings(root=root, target=(2,)))) == []
    lines = [f"volume-{n}.nii.gz,segmentation-{n}.nii.gz" for n in (10, 1)]
    (root / "list.csv").write_text("\n".join(["image,label", *lines]))
    assert violations(open_dataset(PairsSettings(csv=root / "list.csv", target=(2,)))) == []


class BadDataset(Dataset):
    """Breaks every promise that a file of Python can break."""

    settings_type = DatasetSettings

    def __init__(self, settings):
        super().__init__(settings)
        self.calls = 0

    def absence(self):
        return "gone"

    def cases(self):
        self.calls += 1
        return (Case("b10", f"p{self.calls}"), Case("b9", "p"))

    def read(self, case):
        self.calls += 1
        image = np.full((1, 2, 2), self.calls, np.float64)
        return Volume(image, np.zeros((2, 2), np.int32), Geometry.plain((2, 2)))

    def fingerprint(self, case, memory=None):
        return "same" if memory else "other"


def test_each_broken_promise_is_named():
    found = " | ".join(violations(BadDataset(DatasetSettings(format="bad", target=(1,)))))
    for expected in (
        "not what is registered as 'bad'",
        "does not narrow `format`",
        "absence() says 'gone'",
        "two calls of cases() differ",
        "natural order",
        "two cases have the same fingerprint",
        "b10: its fingerprint depends on the memory",
        "b9: two readings differ",
        "image of float64",
        "labels of int32",
    ):
        assert expected in found
