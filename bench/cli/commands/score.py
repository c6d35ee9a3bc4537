"""`score`: score anyone's segmentations with the harness's metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import BenchError


def command(
    reference: Annotated[Path, typer.Option(help="Folder of reference label maps.", show_default=False)],
    prediction: Annotated[Path, typer.Option(help="Folder of predicted label maps.", show_default=False)],
    label: Annotated[int | None, typer.Option(help="The label value to score.", show_default="every non-zero")] = None,
    tolerance_mm: Annotated[float, typer.Option(min=0, help="Tolerance of surface Dice.")] = 1.0,
    out: Annotated[Path | None, typer.Option(help="Write the scores of every case as CSV.", show_default=False)] = None,
) -> None:
    """Score a folder of segmentations against a folder of references: same code, same columns as a run's tables."""
    from bench.evaluation.files import score_folders, summary_lines, write_scores

    if out is not None and not out.absolute().parent.is_dir():
        raise BenchError(f"{out} cannot be written: there is no folder {out.parent}; make it first")
    rows = score_folders(reference, prediction, label=label, tolerance_mm=tolerance_mm)
    if out is not None:
        write_scores(rows, out)
    print("\n".join(summary_lines(rows)))
