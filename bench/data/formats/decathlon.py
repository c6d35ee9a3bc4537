"""Medical Segmentation Decathlon: `dataset.json` lists images and labels; a 4D image holds its channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from bench.data.dataset import Dataset, Listing, accepted, with_files
from bench.data.dataset_json import NAME, DatasetJson, read_dataset_json
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.errors import DataError
from bench.settings import SuitePath


class DecathlonSettings(DatasetSettings):
    """A folder with a `dataset.json` in the layout of the Medical Segmentation Decathlon."""

    format: Literal["decathlon"] = "decathlon"
    root: SuitePath
    """Folder with `dataset.json`, such as `Task08_HepaticVessel`; the paths in it are relative to it."""


@formats.register("decathlon")
class DecathlonDataset(Dataset[DecathlonSettings]):
    """One case and patient per entry of `training`, named after its image. `test` has no labels and is not used.

    Entries whose file name begins with a dot, such as macOS's `._*`, are skipped.
    """

    settings_type = DecathlonSettings
    plain_files = True

    def absence(self) -> str | None:
        path = self.settings.root / NAME
        return None if path.is_file() else f"there is no file {path}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.root / NAME, self.settings.on_bad_case)

    def listing(self) -> Listing:
        description = read_dataset_json(self.settings.root)
        description.refuse_unknown_labels(self.settings)
        return with_files(_listed_cases(description))

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:1], case.files[1], self.channels())

    def channels(self) -> int:
        return len(read_dataset_json(self.settings.root).channels)


def _listed_cases(description: DatasetJson) -> list[Case]:
    entries = description.content.get("training")
    if not isinstance(entries, list):
        raise DataError(f"{description.path}: no list `training` of images and labels")
    cases = []
    for index, entry in enumerate(entries):
        image, label = _files(description, index, entry)
        if not image.name.startswith("."):
            name = image.name.removesuffix(".gz").removesuffix(".nii")
            cases.append(Case(name, name, (image, label)))
    return cases


def _files(description: DatasetJson, index: int, entry: Any) -> tuple[Path, Path]:
    image, label = (entry.get("image"), entry.get("label")) if isinstance(entry, dict) else (None, None)
    if not (isinstance(image, str) and image and isinstance(label, str) and label):
        place = f"{description.path}: training[{index}]"
        raise DataError(f"{place} is {entry!r}; expected the paths of an image and of its label")
    root = description.path.parent
    return description.file(image, root), description.file(label, root)
