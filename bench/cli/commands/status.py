"""`status RUN`: what is done, under way and left."""

from __future__ import annotations

from bench.cli import options


def command(run: options.RunArgument) -> None:
    """Show what of a run is done, under way, waiting, and how the finished cells ended."""
    from bench.execution.status import read_status, status_lines
    from bench.results.run_directory import RunDirectory

    print("\n".join(status_lines(read_status(RunDirectory(run)))))
