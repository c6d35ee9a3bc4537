"""Segment a new image with a trained cell, through the same preparation and inference as in its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

import models
from bench.data.preprocessing import prepare
from bench.data.reading import read_volume
from bench.data.volume import Volume
from bench.data.writing import write_labels
from bench.errors import RunError
from bench.execution.assembly import trained_method
from bench.execution.scoring import LabelMap, Scorer
from bench.files.checksum import verify_folder
from bench.results.records import BLOCKS, read_cell
from bench.suite import plugins
from bench.suite.schema import UNCHECKED_NAMES, Suite
from bench.training.checkpoints import from_bytes
from bench.training.device import make_repeatable, resolve_device
from models.method import Method


def predict_file(
    cell: Path,
    images: Sequence[Path],
    out: Path,
    *,
    roi: Path | None,
    checkpoint: str,
    device: str,
    trust_plugins: bool = False,
) -> None:
    """Segment one image and write its label map (suite's class numbers 1..K) on the image's own grid.

    Args:
        cell: RUN/cells/ID, or RUN/ID for short.
        images: one file per channel.
        roi: label map with the region of interest, needed when the suite crops to it.
        checkpoint: `best` or `last`.
        trust_plugins: whether plug-in files of the cell's suite may be executed, as its network may be from one.

    Raises:
        RunError: no such cell, or it has no weights, or its network is not known here.
        DataError: the image does not fit the suite.
    """
    trained = open_cell(cell, checkpoint=checkpoint, device=device, trust_plugins=trust_plugins)
    _refuse_output(out, (*images, *([roi] if roi else [])))
    volume: Volume = read_volume(images[0].name, tuple(images), roi)
    write_labels(out, trained.segment(volume), volume.geometry)


@dataclass(frozen=True)
class TrainedCell:
    """A cell that segments volumes by the preparation and inference of its own suite; made by `open_cell`."""

    folder: Path
    checkpoint: str
    suite: Suite
    device: torch.device
    _networks: dict[tuple[int, int], Method] = field(default_factory=dict)

    @property
    def weights(self) -> Path:
        """The file of the checkpoint."""
        return self.folder / "checkpoints" / f"{self.checkpoint}.pt"

    def network(self, channels: int, axes: int) -> Method:
        """The trained network, on its device; it is built once, while the plug-ins of its suite are in force.

        Raises:
            DataError: the weights are not for images of so many channels and axes.
        """
        if (channels, axes) not in self._networks:
            weights = from_bytes(self.weights.read_bytes(), origin=str(self.weights))["weights"]
            regressor = read_cell(self.folder)["identity"].get("regressor")
            method = trained_method(self.suite, regressor, weights, (channels, *[0] * axes))
            self._networks[channels, axes] = method.to(self.device)
        return self._networks[channels, axes]

    def segment(self, volume: Volume) -> LabelMap:
        """The label map (*S) of a volume (suite's class numbers 1..K) on its own grid.

        The volume's labels, where it has any, say where the region of interest is.

        Raises:
            DataError: the volume does not fit the suite.
        """
        make_repeatable(self.suite.training.threads_per_cell, self.device)
        prepared = prepare(volume, self.suite.dataset, self.suite.preprocessing)
        channels, *extents = prepared.image.shape
        return Scorer(self.suite, self.device).segment(self.network(channels, len(extents)), prepared)


def open_cell(cell: Path, *, checkpoint: str, device: str, trust_plugins: bool) -> TrainedCell:
    """A finished cell, with every file of it compared with its checksum, and its plug-ins in force.

    Raises:
        RunError: no such cell, or it has no weights, or its network is not known here.
        DamagedError: a file of it was altered.
        BenchError: no such device.
    """
    folder = _cell_folder(cell)
    verify_folder(folder)
    if checkpoint not in BLOCKS or not (folder / "checkpoints" / f"{checkpoint}.pt").is_file():
        raise RunError(f"{folder} has no checkpoint {checkpoint!r}; a finished cell has {' and '.join(BLOCKS)}")
    return TrainedCell(folder, checkpoint, _suite(folder, trust_plugins), resolve_device(device))


def _suite(folder: Path, trust_plugins: bool) -> Suite:
    """The suite of a cell, of which only the network must be known here."""
    suite = Suite.model_validate_json((folder / "suite.json").read_text(encoding="utf-8"), context=UNCHECKED_NAMES)
    plugins.withdraw()
    for path in suite.plugins if trust_plugins else ():
        plugins.use(path)
    name, built_in, here = suite.backbone.name, "this program", "unknown"
    there = read_cell(folder)["identity"].get("plugins", {}).get(f"backbone {name}", built_in)
    if name in models.available_backbones():
        here = plugins.origin(models.BACKBONES, name) or built_in
    if here != there:
        raise RunError(
            f"{folder} was trained with the network {name!r} of {there}; here that is {here}: install what it is of, "
            "or if it is of a plug-in file that you trust, say so with --trust-plugins"
        )
    return suite


def _cell_folder(cell: Path) -> Path:
    for folder in (cell, cell.parent / "cells" / cell.name):
        if (folder / "cell.json").is_file():
            return folder.resolve()
    raise RunError(f"{cell} is no finished cell: expected RUN/cells/ID with a cell.json; `status RUN` lists them")


def _refuse_output(out: Path, inputs: Sequence[Path]) -> None:
    if out.resolve() in [path.resolve() for path in inputs]:
        raise RunError(f"{out} is one of the inputs and would be lost; give another file to write")
    if not out.name.endswith((".nii.gz", ".nii")):
        raise RunError(f"{out} is no name for a label map; expected one that ends in .nii.gz or .nii")
    if not out.absolute().parent.is_dir():
        raise RunError(f"{out} cannot be written: there is no folder {out.parent}")
