"""`report RUN`: rebuild tables and plots from the records."""

from __future__ import annotations

from bench.cli import options


def command(run: options.RunArgument) -> None:
    """Rebuild every table and plot of a run from its records alone, and show the headline table."""
    from bench.api import rebuild
    from bench.execution.status import orphan_lines, read_status
    from bench.results.run_directory import RunDirectory

    directory = RunDirectory(run)
    report = rebuild(directory)
    print("\n".join(report.headline))
    for line in orphan_lines(read_status(directory)):
        print(line)
    for path in report.paths:
        print(path)
