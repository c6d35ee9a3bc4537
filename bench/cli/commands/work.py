"""`work RUN`: be one worker of a run."""

from __future__ import annotations

from bench.cli import options


def command(run: options.RunArgument, device: options.DeviceOption = "auto") -> None:
    """Do the jobs of a run that nobody else is doing, until none is left. `run` starts workers by itself."""
    from bench.execution.worker import work
    from bench.results.run_directory import RunDirectory

    work(RunDirectory(run), device)
