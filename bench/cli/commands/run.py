"""`run SUITE`: train and score everything that is not done yet, and show the table."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import options


def command(
    suite: options.SuiteArgument,
    profile: options.ProfileOption = None,
    overrides: options.SetOption = None,
    methods: options.MethodsOption = None,
    seeds: options.SeedsOption = None,
    folds: options.FoldsOption = None,
    device: options.DeviceOption = "auto",
    out: options.OutOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cells trained side by side.", show_default="cores / threads")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run more than 500 cells without asking.")] = False,
) -> None:
    """Run a suite: train and score every cell that is not done yet, then write tables and plots.

    The same command continues a run that was interrupted, and after a method was added trains only that one.
    """
    from bench.api import run_request
    from bench.cli.display import display
    from bench.cli.interruption import resumable

    request = options.request(suite, profile, overrides, methods, seeds, folds, out)
    with resumable("interrupted; the same command goes on from the last checkpoints"), display() as shown:
        run_request(request, device=device, workers=workers, yes=yes, show=shown)
