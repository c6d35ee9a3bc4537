"""The content of `export.json`: what masks were made of, and which of them are complete."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.settings import Settings


class CellSource(Settings):
    """A trained cell, and the SHA-256 of the checkpoint taken of it."""

    run: str
    cell: str
    checkpoint: str
    sha256: str


class LiverSource(Settings):
    """Where the liver comes from: a folder of masks, a cell, or nowhere (then no voxel has the label 1)."""

    kind: Literal["masks", "cell", "none"]
    folder: str | None = None
    cell: CellSource | None = None


class InputFile(Settings):
    """A file that a mask was made of."""

    file: str
    sha256: str


class Voxels(Settings):
    """Voxels of the file by label value, and those of the tumour outside of the liver (None: no liver was given)."""

    liver: int
    tumour: int
    tumour_outside_liver: int | None


class MaskRecord(Settings):
    """One complete file."""

    volume: InputFile
    liver: InputFile | None
    sha256: str
    voxels: Voxels
    device: str
    notes: tuple[str, ...] = ()


class ExportRecord(Settings):
    """The content of `export.json`; paths are as they were given."""

    schema_version: Literal[1] = 1
    labels: dict[str, int]
    tumour: CellSource
    liver: LiverSource
    files: dict[str, MaskRecord] = Field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, ...]:
        """What all masks of one folder share; runs and folders may have been moved."""
        cells = (self.tumour, self.liver.cell)
        return (
            self.liver.kind,
            *(part for cell in cells if cell for part in (cell.cell, cell.checkpoint, cell.sha256)),
        )

    def words(self) -> str:
        """One sentence for messages and for the screen."""
        source = {"masks": f"the masks in {self.liver.folder}", "none": "nowhere: no voxel gets its label"}
        of_cell = _words(self.liver.cell) if self.liver.cell else ""
        return f"tumour from {_words(self.tumour)}; liver from {source.get(self.liver.kind, of_cell)}"


def _words(cell: CellSource) -> str:
    return f"{cell.cell} of {cell.run} (checkpoint {cell.checkpoint}, SHA-256 {short(cell)})"


def short(source: InputFile | CellSource | None) -> str:
    """The beginning of a checksum, for messages."""
    return "none" if source is None else f"{source.sha256[:12]}…"
