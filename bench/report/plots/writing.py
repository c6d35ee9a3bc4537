"""Writing the plots of a run: which file shows what."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.files.atomic import sweep
from bench.files.storage import make_folder
from bench.report.plots.cases import draw_cases
from bench.report.plots.examples import draw_examples
from bench.report.plots.validation import draw_validation
from bench.results.load import MAIN, Run


def write_plots(run: Run) -> Iterator[Path]:
    """Draw every plot that there are records for; one that there are none for is removed."""
    folder = run.directory.plots
    make_folder(folder)
    sweep(folder)
    plots = {"validation_dice": partial(draw_validation, run), "examples": partial(draw_examples, run)}
    for dataset in run.datasets:
        name = "dice_by_case" if dataset == MAIN else f"dice_by_case_{dataset}"
        plots[name] = partial(draw_cases, run, dataset)
    for name, draw in plots.items():
        path = folder / f"{name}.png"
        if draw(path):
            yield path
        else:
            path.unlink(missing_ok=True)
