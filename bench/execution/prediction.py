"""Segment a new image with a trained cell, through the same preparation and inference as in its run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

import models
from bench.data.preprocessing import prepare
from bench.data.reading import read_volume
from bench.data.volume import Volume
from bench.data.writing import write_labels
from bench.errors import RunError
from bench.evaluation.segmentation import segment_case
from bench.files.checksum import verify_folder
from bench.results.records import BLOCKS, read_cell
from bench.results.run_directory import RunDirectory
from bench.suite.schema import Suite
from bench.training.checkpoints import from_bytes
from bench.training.device import make_repeatable, resolve_device
from models.backbone import Backbone


def predict_file(
    cell: Path, images: Sequence[Path], out: Path, *, roi: Path | None, checkpoint: str, device: str
) -> None:
    """Segment one image and write its label map (suite's class numbers 1..K) on the image's own grid.

    Args:
        cell: RUN/cells/ID, or RUN/ID for short.
        images: one file per channel.
        roi: label map with the region of interest, needed when the suite crops to it.
        checkpoint: `best` or `last`.

    Raises:
        RunError: no such cell, or it has no weights. DataError: the image does not fit the suite.
    """
    folder = _cell_folder(cell)
    verify_folder(folder)
    if checkpoint not in BLOCKS or not (folder / "checkpoints" / f"{checkpoint}.pt").is_file():
        raise RunError(f"{folder} has no checkpoint {checkpoint!r}; a finished cell has {' and '.join(BLOCKS)}")
    run = RunDirectory(folder.parent.parent)
    suite = Suite.model_validate_json(json.dumps(run.read_run()["suite"]))
    target = resolve_device(device)
    make_repeatable(suite.training.threads_per_cell, target)
    volume: Volume = read_volume(images[0].name, tuple(images), roi)
    prepared = prepare(volume, suite.dataset, suite.preprocessing)
    backbone = _backbone(folder, checkpoint, prepared.image.shape, 1 + len(suite.dataset.classes)).to(target).eval()
    labels = segment_case(
        lambda image: torch.softmax(backbone(image).logits.float(), dim=1),
        prepared.image,
        prepared.meta,
        suite.sampling.patch_size,
        suite.evaluation,
        target,
    )
    write_labels(out, labels, volume.geometry)


def _cell_folder(cell: Path) -> Path:
    for folder in (cell, cell.parent / "cells" / cell.name):
        if (folder / "cell.json").is_file():
            return folder.resolve()
    raise RunError(f"{cell} is no finished cell: expected RUN/cells/ID with a cell.json; `status RUN` lists them")


def _backbone(folder: Path, checkpoint: str, image_shape: tuple[int, ...], classes: int) -> Backbone:
    parameters = dict(read_cell(folder)["identity"]["backbone"])
    backbone = models.create_backbone(
        parameters.pop("name"),
        in_channels=image_shape[0],
        classes=classes,
        spatial_dims=len(image_shape) - 1,
        **parameters,
    )
    path = folder / "checkpoints" / f"{checkpoint}.pt"
    weights = from_bytes(path.read_bytes(), origin=str(path))["weights"]
    backbone.load_state_dict(
        {name.removeprefix("backbone."): value for name, value in weights.items() if name.startswith("backbone.")}
    )
    return backbone
