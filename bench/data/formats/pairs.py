"""A CSV of image and label files: the shortest way to use one's own data."""

from __future__ import annotations

from typing import Literal

from bench.data.file_list import FileList, ListSettings
from bench.data.formats import formats
from bench.data.volume import Case, Volume


class PairsSettings(ListSettings):
    """A CSV with the columns `image` and `label`, and optionally `case` and `patient`."""

    format: Literal["pairs"] = "pairs"


@formats.register("pairs")
class PairsDataset(FileList[PairsSettings]):
    """One case per line. `case` defaults to the name of the image without suffix, `patient` to the case."""

    settings_type = PairsSettings
    columns = ("image", "label")

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:1], case.files[1])
