"""LiTS: `volume-N.nii[.gz]` and `segmentation-N.nii[.gz]`, labels 0, 1 liver, 2 tumour."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from bench.data.dataset import Dataset, Listing, Omission, accepted, screened
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.settings import SuitePath

_NAME = re.compile(r"(volume|segmentation)-(\d+)\.nii(\.gz)?")


class LitsSettings(DatasetSettings):
    """A folder in the layout of the Liver Tumour Segmentation challenge."""

    format: Literal["lits"] = "lits"
    root: SuitePath
    """Folder with the files, in it or in its subfolders (not behind links to folders)."""


@formats.register("lits")
class LitsDataset(Dataset[LitsSettings]):
    """One case per number N, named `volume-N`, one patient each, in the order of the numbers."""

    settings_type = LitsSettings
    plain_files = True

    def absence(self) -> str | None:
        root = self.settings.root
        if not root.is_dir():
            return f"there is no folder {root}"
        return None if next(_files(root), None) else f"{root} holds no volume-N.nii or volume-N.nii.gz"

    def cases(self) -> tuple[Case, ...]:
        where = f"{self.settings.root} (expected volume-N.nii[.gz] and segmentation-N.nii[.gz])"
        return accepted(self.listing(), where, self.settings.on_bad_case)

    def listing(self) -> Listing:
        found: dict[str, dict[int, list[Path]]] = {"volume": {}, "segmentation": {}}
        for kind, number, path in _files(self.settings.root):
            found[kind].setdefault(number, []).append(path)
        volumes, labels = found["volume"], found["segmentation"]
        omissions = [
            Omission(
                f"volume-{number}",
                f"{kind}-{number} exists {len(paths)} times ({_first(paths)})",
                "duplicate_id",
            )
            for kind, numbers in found.items()
            for number, paths in sorted(numbers.items())
            if len(paths) > 1
        ]
        omissions += [
            Omission(f"volume-{n}", f"volume-{n} has no segmentation") for n in sorted(volumes.keys() - labels.keys())
        ]
        omissions += [
            Omission(f"volume-{n}", f"segmentation-{n} has no volume") for n in sorted(labels.keys() - volumes.keys())
        ]
        bad = {omission.case for omission in omissions}
        names = {number: f"volume-{number}" for number in volumes.keys() | labels.keys()}
        cases = [Case(name, name, (volumes[n][0], labels[n][0])) for n, name in names.items() if name not in bad]
        return screened(cases, omissions)

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:1], case.files[1])


def _files(root: Path) -> Iterator[tuple[str, int, Path]]:
    """(volume or segmentation, N, path) of every file; hidden files and folders, such as macOS's `._*`, are skipped."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            match = _NAME.fullmatch(name)
            if match:
                yield match[1], int(match[2]), Path(folder, name)


def _first(paths: list[Path]) -> str:
    """The first three; a folder of many runs can hold hundreds."""
    shown = [*map(str, paths[:3]), *(["…"] if len(paths) > 3 else [])]
    return ", ".join(shown)
