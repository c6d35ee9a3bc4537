"""A CSV of label files without images: what regressors can be pre-trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from bench.data.dataset import Dataset, Listing, accepted, with_files
from bench.data.file_list import listed_rows, stem
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.settings import SuitePath


class MasksSettings(DatasetSettings):
    """A CSV with the column `label`, and optionally `case` and `patient`; only for `pretrain_on`."""

    format: Literal["masks"] = "masks"
    csv: SuitePath
    root: SuitePath | None = None
    """Folder that the CSV's paths are relative to; default: the folder of the CSV."""


@formats.register("masks")
class MasksDataset(Dataset[MasksSettings]):
    """One case per line. `case` defaults to the name of the label without suffix, `patient` to the case.

    Where other cases have an image, these have their labels as numbers: nothing that is trained on them looks at it.
    """

    settings_type = MasksSettings
    plain_files = True
    has_images = False

    def absence(self) -> str | None:
        return None if self.settings.csv.is_file() else f"there is no file {self.settings.csv}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.csv, self.settings.on_bad_case)

    def listing(self) -> Listing:
        return with_files([self._case(row) for row in listed_rows(self.settings.csv, ("label",))])

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        volume = read_volume(case.id, (), case.files[0])
        assert volume.labels is not None
        return replace(volume, image=volume.labels[None].astype(np.float32))

    def _case(self, row: dict[str, str]) -> Case:
        path = (self.settings.root or self.settings.csv.parent) / row["label"]
        name = row.get("case") or stem(path)
        return Case(name, row.get("patient") or name, (path,))
