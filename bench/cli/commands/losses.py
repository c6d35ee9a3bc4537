"""`losses …`: which losses there are, what each is, and what it does when it is run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import BenchError

if TYPE_CHECKING:
    from losses.self_check.report import SelfCheck

app = typer.Typer(help="List, explain and check losses.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of a loss.", show_default=False)]
PluginOption = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A Python file that registers losses; it is executed. Can be repeated."),
]


@app.callback()
def group() -> None:
    """List, explain and check losses."""


@app.command("list")
def list_all(plugin: PluginOption = None) -> None:
    """Print one line per loss: name, family, target maps that it needs, summary."""
    from bench.cli import loss_pages, sections

    _load(plugin)
    sections.show([loss_pages.listing()])


@app.command("show")
def show_one(name: NameArgument, plugin: PluginOption = None) -> None:
    """Print formula, parameters with defaults, source and deviations of a loss."""
    from bench.cli import loss_pages, sections

    _load(plugin)
    sections.show(loss_pages.description(name))


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="Name of a loss.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every registered loss with its defaults.")] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter of the loss: fp_weight=0.5. Can be repeated.", metavar="KEY=VALUE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a page.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the page into a PNG file, too.", show_default=False)
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Run a loss on known scenes and print what it does; exit code 1 if something is broken.

    Values at the truth, on empty patches and at extreme logits, gradients, where descent ends, which of all masks of
    twelve voxels is best, what is missed and what is false, and whether it is another loss under a new name. Takes
    seconds per loss, about a minute for all.
    """
    if every == (name is not None) or (every and parameters):
        raise typer.BadParameter("expected the name of one loss, with --set for its parameters, or --all")
    _load(plugin)
    checks = list(_run(name, _parameters(parameters)))
    if plot is not None:
        _draw(checks, plot)
    _print(checks, as_json, in_full=not every)
    if plot is not None and not as_json:
        print(plot)
    if any(one.outcome == "broken" for one in checks):
        raise typer.Exit(1)


@app.command()
def maps(
    out: Annotated[Path, typer.Option("--out", help="PNG file to write.", show_default=False)],
    case: Annotated[Path | None, typer.Argument(help="A label file (NIfTI, …).", show_default=False)] = None,
    phantom: Annotated[bool, typer.Option("--phantom", help="Take a generated case instead.")] = False,
    number: Annotated[int, typer.Option("--number", min=0, help="Number of the generated case.")] = 0,
    label: Annotated[
        int | None, typer.Option("--label", help="Label value of the mask.", show_default="every value > 0")
    ] = None,
    kinds: Annotated[str | None, typer.Option("--maps", help="Only these maps: distance,norm_inverse.")] = None,
) -> None:
    """Draw a slice of a mask and its target maps, with colour bars."""
    from bench.cli.map_case import generated, read
    from bench.report.plots.target_maps import draw_target_maps

    if phantom == (case is not None):
        raise typer.BadParameter("expected a label file or --phantom")
    shown = generated(number) if case is None else read(case, label)
    chosen = tuple(part.strip() for part in kinds.split(",") if part.strip()) if kinds else None
    draw_target_maps(shown, chosen, out)
    print(out)


def _load(files: Sequence[Path] | None) -> None:
    from bench.suite import plugins

    for file in files or ():
        try:
            plugins.use(file)
        except plugins.PluginError as error:
            raise BenchError(f"--plugin {error}") from error


def _parameters(texts: Sequence[str] | None) -> Mapping[str, Any]:
    """What `--set` gives, read as in a suite."""
    from bench.suite.located import LocatedDict
    from bench.suite.overrides import apply, parse_override

    return apply(LocatedDict({}), [parse_override(text) for text in texts or ()])


def _run(name: str | None, parameters: Mapping[str, Any]) -> list[SelfCheck]:
    import torch

    import losses
    from bench.cli.progress import passing
    from losses.self_check.report import check as run

    torch.set_num_threads(1)  # the tensors are small, and sums are the same on every machine
    checks = []
    for each in [name] if name is not None else losses.available():
        passing(f"checking {each}")
        checks.append(run(each, parameters))
    passing("")
    return checks


def _print(checks: Sequence[SelfCheck], as_json: bool, in_full: bool) -> None:
    from bench.cli import loss_pages, sections
    from losses.self_check.report import SCHEMA_VERSION

    if as_json:
        listed = [one.to_json() for one in checks]
        print(json.dumps({"schema_version": SCHEMA_VERSION, "losses": listed}, indent=1, allow_nan=False))
    else:
        sections.show(loss_pages.page(checks[0]) if in_full else loss_pages.summary(checks))


def _draw(checks: Sequence[SelfCheck], path: Path) -> None:
    from bench.report.plots.self_check import draw_overview, draw_self_check

    if len(checks) == 1:
        draw_self_check(checks[0], path)
    else:
        draw_overview(checks, path)
