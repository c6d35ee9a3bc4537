"""A CSV of image and label files: the shortest way to use one's own data."""

from __future__ import annotations

from typing import Literal

from bench.data.dataset import Dataset, Listing, accepted, with_files
from bench.data.file_list import listed_rows, stem
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.settings import SuitePath


class PairsSettings(DatasetSettings):
    """A CSV with the columns `image` and `label`, and optionally `case` and `patient`."""

    format: Literal["pairs"] = "pairs"
    csv: SuitePath
    root: SuitePath | None = None
    """Folder that the CSV's paths are relative to; default: the folder of the CSV."""


@formats.register("pairs")
class PairsDataset(Dataset[PairsSettings]):
    """One case per line. `case` defaults to the name of the image without suffix, `patient` to the case."""

    settings_type = PairsSettings
    plain_files = True

    def absence(self) -> str | None:
        return None if self.settings.csv.is_file() else f"there is no file {self.settings.csv}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.csv, self.settings.on_bad_case)

    def listing(self) -> Listing:
        return with_files([self._case(row) for row in listed_rows(self.settings.csv, ("image", "label"))])

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:1], case.files[1])

    def _case(self, row: dict[str, str]) -> Case:
        folder = self.settings.root or self.settings.csv.parent
        files = (folder / row["image"], folder / row["label"])
        name = row.get("case") or stem(files[0])
        return Case(name, row.get("patient") or name, files)
