"""`data …`: make and look at data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.suite.schema import Suite

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


@app.command()
def check(
    suite: options.SuiteArgument,
    profile: options.ProfileOption = None,
    overrides: options.SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Check every case of a suite's data sets, one line per finding; exit code 1 if there is an error."""
    from bench.cli.progress import passing
    from bench.data.checks.run import apply_rules, inspect
    from bench.execution.data_check import WHAT_TO_DO
    from bench.files.user_cache import user_cache

    settings, datasets, why = _data_of(suite, profile, overrides)
    inspection = inspect(
        datasets,
        settings.split,
        settings.sampling.patch_size,
        settings.preprocessing.spacing_mm,
        cache=user_cache(),
        note=passing,
    )
    passing("")
    findings = apply_rules(inspection)
    cases = sum(len(listing.cases) for listing in inspection.listings.values())
    errors = sum(finding.severity == "error" for finding in findings)
    counts = {"cases": cases, "errors": errors, "warnings": len(findings) - errors}
    if as_json:
        listed = [finding.to_json() for finding in findings]
        print(json.dumps({"schema_version": 1, "profile": why, **counts, "findings": listed}, indent=1))
    else:
        for found in findings:
            print(f"{found.severity:8} {found.rule:20} {found.where}: {found.message}")
        print(", ".join(f"{count} {name}" for name, count in counts.items()) + f" ({why})")
        if errors:
            print(WHAT_TO_DO)
    if errors:
        raise typer.Exit(1)


@app.command()
def stats(
    suite: options.SuiteArgument,
    profile: options.ProfileOption = None,
    overrides: options.SetOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the histograms; by default runs/<suite>-data.")
    ] = None,
) -> None:
    """Print how imbalanced a suite's data sets are, beside LiTS, and draw histograms of lesion volumes."""
    from bench.cli.progress import passing
    from bench.errors import DataError
    from bench.evaluation import dataset_statistics as statistics
    from bench.execution.data_check import WHAT_TO_DO
    from bench.report.plots.lesion_sizes import draw_lesion_sizes

    settings, datasets, why = _data_of(suite, profile, overrides)
    print(f"{settings.title}: {why}")
    for name, dataset in datasets.items():
        cases, bad = [], []
        for case in dataset.cases():
            passing(f"{name}: {case.id}")
            try:
                cases.append(statistics.case_statistics(dataset, case))
            except DataError as error:
                bad.append(str(error))
        passing("")
        if bad and (dataset.settings.on_bad_case == "fail" or not cases):
            raise DataError("\n".join([f"{len(bad)} cases cannot be read; {WHAT_TO_DO}:", *bad]))
        for message in bad:
            print(f"left out: {message}")
        rows = [(f"{name}: median [quartiles]", "this data", "LiTS, reported"), *statistics.table(cases)]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        print()
        for row in rows:
            print(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip())
        for warning in statistics.warnings(cases):
            print(f"warning: {warning}")
        path = (out or Path("runs") / f"{suite.stem}-data") / f"lesion-sizes-{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        flat = len(cases[0].shape) == 2
        if draw_lesion_sizes(statistics.all_volumes(cases), f"{settings.title}: {name}", path, flat=flat):
            print(path)


def _data_of(suite: Path, profile: str | None, overrides: list[str] | None) -> tuple[Suite, dict[str, Dataset], str]:
    """The suite, its data sets by name, and why this profile."""
    from bench.data.dataset import open_dataset
    from bench.execution.planning import missing_data
    from bench.suite.loader import load
    from bench.suite.schema import Suite

    loaded = load(suite, Suite, profile=profile, overrides=tuple(overrides or ()), available=missing_data)
    datasets = {name: open_dataset(dataset) for name, dataset in loaded.settings.datasets().items()}
    return loaded.settings, datasets, loaded.why
