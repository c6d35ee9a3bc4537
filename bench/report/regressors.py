"""tables/regressors.md: how good the pre-trained regressors are, and how much each term pulled at the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.errors import RunError
from bench.report.markdown import bullet, escape, table
from bench.report.notes import profile
from bench.results.load import Run
from bench.results.records import QUALITY

_READING = (
    "Patches of the validation cases, drawn as those of training. Dice is that of output > 0 (of .05 under a sigmoid) "
    "with the mask, the error is the mean absolute difference to the map inside lesions; both are means over patches.",
    "The constant predictor says the median map value of all lesions, everywhere: its Dice is that of a mask that is "
    "everything. A regressor whose Dice is not above the constant's has not learned where lesions are, one whose error "
    "is not below it has not learned how deep they are.",
    "A regressor that has learned its map has a Dice of .97 and more where lesions fill 1 % of a patch or more.",
)
_TIED = (
    "Instance normalisation in front of a head without scale ties the size of the output to the lesion's share of the "
    "patch, so that small shares come off badly."
)


def regressors_page(run: Run) -> str | None:
    """The page, or None for a run without regressors."""
    pretrained, terms = _pretrained(run), _terms(run)
    if not pretrained and not terms:
        return None
    lines = [f"# {escape(run.suite['title'])}: regressors", "", escape(profile(run)), ""]
    if pretrained:
        lines += ["## Pre-trained on reference masks", "", *pretrained]
        tied = any(plan["regressor"].get("norm") == "instance" for plan in run.description["plan"]["pretrain"])
        lines += ["", *(bullet(escape(text)) for text in (*_READING, *([_TIED] if tied else []))), ""]
    if terms:
        lines += ["## What the terms did", "", *terms, ""]
    return "\n".join(lines).rstrip() + "\n"


def _pretrained(run: Run) -> list[str]:
    rows = []
    for plan in run.description["plan"].get("pretrain", ()):
        if plan["id"] not in run.pretrained:
            continue
        try:
            rows += _quality_rows(plan, run.pretrained[plan["id"]])
        except (KeyError, TypeError) as error:
            path = run.directory.pretrained(plan["id"]) / QUALITY
            raise RunError(
                f"{path} is not as this program writes it ({error!r}); remove its folder and run again"
            ) from error
    header = ["regressor", "seed", "lesion fraction", "patches", "Dice", "constant's", "error", "constant's"]
    return table(header, rows, left=3) if rows else []


def _quality_rows(plan: Mapping[str, Any], quality: Mapping[str, Any]) -> list[list[str]]:
    chosen = plan["regressor"]
    name = escape(", ".join(str(chosen[key]) for key in ("name", "map", "head", "norm") if key in chosen))
    front = [name, str(plan["seed"])]
    if quality["status"] != "finished":
        return [[*front, escape(f"{quality['status']}: {quality['reason']}"), *["–"] * 5]]
    rows = [
        [*front, f"{_percent(part['above'])} to {_percent(part['up_to'])}", *_measures(part)]
        for part in quality["by_fraction"]
        if part["patches"]
    ]
    empty = quality["without_lesion"]
    largest = "–" if empty["largest"] is None else f"largest output {empty['largest']:.3f}"
    return [*rows, [*front, "0", str(empty["patches"]), "–", "–", largest, "–"]]


def _measures(part: Mapping[str, Any]) -> list[str]:
    keys = ("dice", "constant_dice", "error", "constant_error")
    return [str(part["patches"]), *("–" if part[key] is None else f"{part[key]:.3f}" for key in keys)]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _terms(run: Run) -> list[str]:
    """One row per method with a regressor: smallest and largest share in the gradient, over all its cells."""
    history = run.history
    if "regression_gradient_share" not in history:
        return []
    looked = history[history["regression_gradient_share"].notna()]
    rows = [_term_row(run, str(method), part) for method, part in looked.groupby("method", sort=False)]
    header = [
        "method",
        "α, reduction",
        "segmentation",
        "regression",
        "regression × weight",
        "its share of the gradient",
        "voxels reached",
    ]
    return table(header, rows, left=2) if rows else []


def _term_row(run: Run, method: str, part: pd.DataFrame) -> list[str]:
    regressor = run.plan[str(part["cell"].iloc[0])]["identity"]["regressor"]
    last = part[part["step"] == part["step"].max()]
    share, reach = part["regression_gradient_share"], part["regression_reach"]
    return [
        escape(run.methods[method]),
        f"{regressor['alpha']:g}, {regressor['reduction']}",
        *(_mean(last, column) for column in ("segmentation", "regression", "regression_weighted")),
        f"{share.min():.3f} to {share.max():.3f}",
        f"{reach.min():.3f} to {reach.max():.3f}",
    ]


def _mean(rows: pd.DataFrame, column: str) -> str:
    values = rows[column].dropna() if column in rows else pd.Series(dtype=float)
    return "–" if values.empty else f"{values.mean():.4g}"
