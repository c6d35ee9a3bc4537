"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.execution.planning import Request

SuiteArgument = Annotated[Path, typer.Argument(help="The suite: a YAML file.", show_default=False)]
RunArgument = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="Take this profile instead of the first usable one.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a value: training.steps=50. Can be repeated.", metavar="KEY=VALUE"),
]
MethodsOption = Annotated[str | None, typer.Option("--methods", help="Only these rows, by id: dice,tversky.")]
SeedsOption = Annotated[str | None, typer.Option("--seeds", help="These training seeds instead of the suite's: 0,1,2.")]
FoldsOption = Annotated[str | None, typer.Option("--folds", help="Only these folds, counted from 0.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
OtherEnvironmentOption = Annotated[
    bool,
    typer.Option(
        "--other-environment", help="Go on where torch, CPU instructions or device are others than at the start."
    ),
]
TrustPluginsOption = Annotated[
    bool, typer.Option("--trust-plugins", help="Execute the plug-in files that the run names: Python code.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Run directory; by default runs/<suite>-<profile>.", show_default=False)
]


def request(
    suite: Path,
    profile: str | None,
    overrides: list[str] | None,
    methods: str | None,
    seeds: str | None,
    folds: str | None,
    out: Path | None,
    retry_failed: bool = False,
    other_environment: bool = False,
) -> Request:
    """What the options of `run` and `validate` ask for."""
    from bench.execution.planning import Request

    return Request(
        suite=suite,
        profile=profile,
        overrides=tuple(overrides or ()),
        methods=_names(methods),
        seeds=_numbers(seeds, "--seeds"),
        folds=_numbers(folds, "--folds"),
        out=out,
        retry_failed=retry_failed,
        other_environment=other_environment,
    )


def _names(text: str | None) -> tuple[str, ...]:
    """Split `a,b,c`."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Split `0,1,2`; anything that is no whole number is refused by the option's name."""
    try:
        return tuple(int(part) for part in _names(text))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r}: expected whole numbers with commas between, e.g. 0,1,2", param_hint=option
        ) from error
