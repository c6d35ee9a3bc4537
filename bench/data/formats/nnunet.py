"""nnU-Net: `imagesTr/CASE_0000.nii.gz` (one file per channel), `labelsTr/CASE.nii.gz` and `dataset.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from bench.data.dataset import Dataset, Listing, Omission, accepted, with_files
from bench.data.dataset_json import NAME, DatasetJson, read_dataset_json
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.errors import DataError
from bench.settings import SuitePath

SPLITS = "splits_final.json"


class NnunetSettings(DatasetSettings):
    """A raw data folder of nnU-Net, version 1 or 2."""

    format: Literal["nnunet"] = "nnunet"
    root: SuitePath
    """Folder with `dataset.json`, such as `nnUNet_raw/Dataset003_Liver`."""


@formats.register("nnunet")
class NnunetDataset(Dataset[NnunetSettings]):
    """One case and patient per label file (or per entry of `dataset` in `dataset.json`, where that is there).

    Files whose name begins with a dot, such as macOS's `._*`, are skipped. A `splits_final.json` in the folder is the
    split of a suite that says nothing about splits: its `val` parts are reported, one fold each.
    """

    settings_type = NnunetSettings
    plain_files = True

    def absence(self) -> str | None:
        path = self.settings.root / NAME
        return None if path.is_file() else f"there is no file {path}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.root, self.settings.on_bad_case)

    def listing(self) -> Listing:
        description = read_dataset_json(self.settings.root)
        description.refuse_unknown_labels(self.settings)
        if "dataset" in description.content:
            return with_files(_mapped(description))
        return _found(description, self.settings.root)

    def split_file(self) -> Path | None:
        path = self.settings.root / SPLITS
        return path if path.is_file() else None

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:-1], case.files[-1], self.channels())

    def channels(self) -> int:
        return len(read_dataset_json(self.settings.root).channels)


def _mapped(description: DatasetJson) -> list[Case]:
    """The cases of an explicit list: `{"dataset": {CASE: {"images": [...], "label": ...}}}`."""
    entries, cases = description.content["dataset"], []
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        paths = [*entry.get("images", ()), entry.get("label")] if isinstance(entry, dict) else []
        if len(paths) < 2 or not all(isinstance(path, str) and path for path in paths):
            raise DataError(f"{description.path}: dataset: {name}: {entry!r}; expected `images`, a list, and `label`")
        root = description.path.parent.parent  # a data set may name files of its neighbours in nnUNet_raw
        cases.append(Case(name, name, tuple(description.file(path, root) for path in paths)))
    if not cases:
        raise DataError(f"{description.path}: dataset: found no case; expected each with its images and its label")
    return cases


def _found(description: DatasetJson, root: Path) -> Listing:
    """The cases whose files lie in the two folders."""
    ending = str(description.content.get("file_ending", ".nii.gz"))
    labels = dict(_files(root / "labelsTr", ending))
    images: dict[str, dict[int, Path]] = {}
    omissions = []
    for name, path in _files(root / "imagesTr", ending):
        match = re.fullmatch(r"(.+)_(\d{4})", name)
        if match:
            images.setdefault(match[1], {})[int(match[2])] = path
        else:
            omissions.append(Omission(name, f"{path} does not end in the number of a channel, such as _0000{ending}"))
    omissions += [Omission(name, f"{name} has no image") for name in sorted(labels.keys() - images.keys())]
    omissions += [Omission(name, f"{name} has no label") for name in sorted(images.keys() - labels.keys())]
    cases = []
    for name in sorted(images.keys() & labels.keys()):
        missing = _missing(images[name], len(description.channels), ending)
        if missing:
            omissions.append(Omission(name, f"{name} {missing}"))
        else:
            files = (path for _, path in sorted(images[name].items()))
            cases.append(Case(name, name, (*files, labels[name])))
    return with_files(cases, omissions)


def _missing(files: dict[int, Path], channels: int, ending: str) -> str | None:
    """What is wrong with the channels of a case. A picture may hold all of them, as colours, in its first file."""
    if sorted(files) == list(range(channels)) or (ending in (".png", ".bmp", ".tif") and sorted(files) == [0]):
        return None
    found = ", ".join(f"{number:04}" for number in sorted(files))
    return f"has the channels {found}; {NAME} names {channels}, counted from 0000"


def _files(folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    """Name without ending, and path, of every file that is not hidden."""
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    for path in sorted(folder.iterdir()):
        if path.name.endswith(ending) and not path.name.startswith("."):
            yield path.name.removesuffix(ending), path
