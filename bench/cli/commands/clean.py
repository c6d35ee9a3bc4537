"""`clean RUN`: remove what a run directory holds that is in no table and that nobody goes on from."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import options


def command(
    run: options.RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove cells and unfinished work that the plan does not name, and folders that were set aside; asks first.

    The plan is that of the last `run` here: `status` shows it. Nothing is removed while a process works in the folder.
    """
    from bench.data.cache.sizes import as_text
    from bench.execution.cleaning import leftovers, remove
    from bench.results.run_directory import RunDirectory

    directory = RunDirectory(run)
    found = leftovers(directory)
    if not found:
        print(f"{run}: nothing to remove")
        return
    for one in found:
        print(f"{one.path.relative_to(run)}  {as_text(one.size)}  {one.why}")
    size = as_text(sum(one.size for one in found))
    if not yes:
        typer.confirm(f"Remove these {len(found)} folders, {size}?", abort=True)
    print(f"{run}: removed {len(remove(directory, found))} folders")
