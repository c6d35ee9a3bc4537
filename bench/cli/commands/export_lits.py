"""`export-lits RUN CELL`: segment the LiTS test set for the challenge's server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options


def command(
    run: options.RunArgument,
    cell: Annotated[str, typer.Argument(help="Id of a cell of that run; `status RUN` lists them.", show_default=False)],
    images: Annotated[Path, typer.Option(help="Folder of test-volume-N.nii[.gz].", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for test-segmentation-N.nii.", show_default=False)],
    liver: Annotated[
        Path | None,
        typer.Option(help="Folder of liver masks: liver-N or test-segmentation-N, labels ≥ 1.", show_default=False),
    ] = None,
    liver_run: Annotated[
        Path | None, typer.Option(help="Run of a cell that finds the liver.", show_default=False)
    ] = None,
    liver_cell: Annotated[str | None, typer.Option(help="Id of that cell.", show_default=False)] = None,
    device: options.DeviceOption = "auto",
    trust_plugins: options.TrustPluginsOption = False,
) -> None:
    """Segment every test volume with a tumour network and write the label maps that the LiTS server expects.

    0 background, 1 liver, 2 tumour, on the volume's own grid. The same command goes on where it was killed.
    """
    if (liver_run is None) != (liver_cell is None):
        raise typer.BadParameter("give the run and its cell, or neither", param_hint="--liver-run")
    if liver is not None and liver_run is not None:
        raise typer.BadParameter("the liver comes from one place: give --liver or --liver-run", param_hint="--liver")

    from bench.cli.interruption import resumable
    from bench.cli.progress import passing

    with resumable():
        from bench.export.lits import Request, export_lits
        from bench.export.lits_cells import CellChoice

        source = liver if liver_run is None or liver_cell is None else CellChoice(liver_run, liver_cell)
        export_lits(Request(CellChoice(run, cell), images, out, source, device, trust_plugins), print, passing)
