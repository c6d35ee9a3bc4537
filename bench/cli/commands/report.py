"""`report RUN`: rebuild tables and plots from the records."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import options

CompatOption = Annotated[
    str | None,
    typer.Option(
        "--compat", help="Also a page by the rules of a paper's authors, such as lr_net_2021.", show_default=False
    ),
]


def command(run: options.RunArgument, compat: CompatOption = None) -> None:
    """Rebuild every table and plot of a run from its records alone, and show the headline table."""
    from bench.api import rebuild
    from bench.execution.status import orphan_lines, read_status
    from bench.report.compat import check_compat
    from bench.report.writing import write_compat
    from bench.results.run_directory import RunDirectory

    directory = RunDirectory(run)
    if compat is not None:
        check_compat(compat)
    report = rebuild(directory)
    print("\n".join(report.headline))
    for line in orphan_lines(read_status(directory)):
        print(line)
    paths = [*report.paths, *([] if compat is None else [write_compat(directory, compat)])]
    for path in dict.fromkeys(paths):
        print(path)
