"""The trained cells of an export: one that finds tumours, and where asked for one that finds the liver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.execution.prediction import TrainedCell, open_cell
from bench.export.lits_labels import LIVER, TUMOUR
from bench.results.load import FINISHED
from bench.results.records import read_cell
from bench.results.run_directory import RunDirectory
from losses.registry import nearest

CHECKPOINT = "best"

HOLED = ("lits", "phantom")
"""Formats in which the label of the liver is known to leave its tumours out."""


@dataclass(frozen=True)
class CellChoice:
    """A cell by its run directory and id."""

    run: Path
    cell: str


def open_tumour_cell(choice: CellChoice, device: str, trust_plugins: bool) -> TrainedCell:
    """The cell, whose one class must be the tumour.

    Raises:
        BenchError: no such run or cell, it is not finished or damaged, or its target is another one.
    """
    cell = _open(choice, device, trust_plugins)
    if list(cell.suite.dataset.class_labels.values()) != [(TUMOUR,)]:
        raise RunError(
            f"{choice.cell} of {choice.run} segments {_classes(cell)}; expected one class of the label {TUMOUR}, the "
            "tumour (dataset.target: [2]): choose a cell of a run with that target"
        )
    return _for_ct(cell)


def open_liver_cell(choice: CellChoice, device: str, trust_plugins: bool) -> TrainedCell:
    """The cell, whose one class must be the liver, and which must not need a liver itself.

    Raises:
        BenchError: as `open_tumour_cell`.
    """
    cell = _open(choice, device, trust_plugins)
    values = list(cell.suite.dataset.class_labels.values())
    whole = len(values) == 1 and LIVER in values[0]
    if not whole or (TUMOUR not in values[0] and cell.suite.dataset.format in HOLED):
        raise RunError(
            f"{choice.cell} of {choice.run} segments {_classes(cell)}; expected one class, the liver with its tumours "
            "(dataset.target: [1, 2]): choose a cell of a run with that target"
        )
    if needs_liver(cell):
        raise RunError(
            f"{choice.cell} of {choice.run} itself looks inside a region of interest only (preprocessing.roi_from: "
            f"{cell.suite.preprocessing.roi_from}), which a test volume has not; expected a liver network of whole "
            "volumes: train one without roi_from, or give masks with --liver"
        )
    return _for_ct(cell)


def needs_liver(cell: TrainedCell) -> bool:
    """Whether the cell's preprocessing crops to, masks or measures inside a region of interest."""
    return cell.suite.preprocessing.roi_from is not None


def _open(choice: CellChoice, device: str, trust_plugins: bool) -> TrainedCell:
    directory = RunDirectory(choice.run)
    planned = _planned(directory)
    published = {folder.name for folder in directory.finished_cells()}
    if choice.cell not in published:
        _refuse_absent(choice, planned)
    record = read_cell(directory.cell(choice.cell))
    if record["status"] != FINISHED:
        raise RunError(
            f"{choice.cell} of {choice.run} ended as {record['status']} ({record['reason']}); expected a finished "
            "cell: choose another one, or try it again with `run SUITE --retry-failed`"
        )
    return open_cell(directory.cell(choice.cell), checkpoint=CHECKPOINT, device=device, trust_plugins=trust_plugins)


def _for_ct(cell: TrainedCell) -> TrainedCell:
    """The cell with its network built, while its plug-ins are in force; weights for other images are refused."""
    cell.network(channels=1, axes=3)
    return cell


def _planned(directory: RunDirectory) -> list[str]:
    try:
        return [str(cell["id"]) for cell in directory.read_run()["plan"]["cells"]]
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{directory.run_file} has no usable plan ({error!r}); run the suite again to rewrite it"
        ) from error


def _refuse_absent(choice: CellChoice, planned: list[str]) -> None:
    if choice.cell in planned:
        raise RunError(
            f"{choice.cell} of {choice.run} is not finished: it is planned and has no record yet; end it with the same "
            f"`run SUITE`, `status {choice.run}` shows where it stands"
        )
    guess = next((f" Did you mean {name!r}?" for name in planned if name.startswith(choice.cell)), "")
    raise RunError(
        f"{choice.run} has no cell {choice.cell!r}.{guess or nearest(choice.cell, planned)} "
        f"Its cells: {', '.join(planned[:8])}{', …' if len(planned) > 8 else ''}"
    )


def _classes(cell: TrainedCell) -> str:
    """`tumour = [2], cyst = [3]`."""
    return ", ".join(f"{name} = {list(values)}" for name, values in cell.suite.dataset.class_labels.items())
