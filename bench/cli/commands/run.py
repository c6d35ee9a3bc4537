"""`run SUITE`: train and score everything that is not done yet, and show the table."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import options

NOT_ALL_FINISHED = 3
"""Exit code of a run whose report is written, but some of whose cells have no scores."""


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
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Do cells again that diverged, ran out of memory, failed or died.")
    ] = False,
    other_environment: options.OtherEnvironmentOption = False,
) -> None:
    """Run a suite: train and score every cell that is not done yet, then write tables and plots.

    The same command continues a run that was interrupted, and after a method was added trains only that one.
    Exit code 3: the tables are written, but some cells did not finish.
    """
    from bench.cli.interruption import resumable

    with resumable():
        from bench.api import run_request
        from bench.cli.display import display
        from bench.execution.status import read_status

        request = options.request(
            suite, profile, overrides, methods, seeds, folds, out, retry_failed, other_environment
        )
        with display() as shown:
            directory = run_request(request, device=device, workers=workers, yes=yes, show=shown)
        trouble = read_status(directory).trouble()
    if trouble:
        print(trouble)
        raise typer.Exit(NOT_ALL_FINISHED)
