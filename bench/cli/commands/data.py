"""`data …`: make and look at data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make and look at data.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make and look at data."""


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="Folder to write to.", show_default=False)],
    cases: Annotated[int, typer.Option(min=1, help="Number of cases.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 0,
) -> None:
    """Write liver phantoms as LiTS files: volume-N.nii.gz and segmentation-N.nii.gz."""
    from bench.data.phantom.export import write_lits
    from bench.data.phantom.settings import PhantomSettings

    write_lits(out, PhantomSettings(format="phantom", cases=cases, seed=seed))
    print(f"{out}: {cases} cases")
