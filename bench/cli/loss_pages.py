"""Self-checks and descriptions of losses as sections of a page."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import losses
from bench.cli.sections import Section
from losses.errors import LossError

if TYPE_CHECKING:
    from losses.self_check.finding import Finding
    from losses.self_check.report import SelfCheck

_TITLES = {
    "contract": "Contract",
    "special_masks": "Special masks",
    "descent": "Descent on the logits",
    "enumeration": "All masks of twelve voxels",
    "lowest": "Smallest value found",
    "shares": "Who gets the gradient",
    "gradient_check": "Gradient check",
    "extreme_logits": "Logits of ±10,000",
    "precisions": "bf16, fp16 and float32 against float64",
    "parameters": "Parameters",
    "equality": "Equal to another loss?",
}
_SUMMARY = (
    "loss",
    "verdict",
    "at truth",
    "mask reached",
    "masks below truth",
    "found below truth",
    "small : large",
    "missed : false",
    "lesion-free",
    "equals",
)
NOTHING = "–"


def listing() -> Section:
    """One line per registered loss."""
    rows = tuple(_line(name) for name in losses.available())
    return Section(f"{len(rows)} losses", header=("name", "family", "maps", "summary"), rows=rows, left=4)


def description(name: str) -> list[Section]:
    """Formula, parameters, source and deviations of a loss, from its documentation."""
    known = losses.describe(name)
    loss, wrong = _made(name)
    maps = ", ".join(loss.required_maps) if loss is not None else wrong
    head = (known.summary, f"family: {_family(loss)}; maps needed: {maps or 'none'}", f"defined by {known.where}")
    parameters = tuple(
        (key, "required" if parameter.default is inspect.Parameter.empty else repr(parameter.default))
        for key, parameter in known.parameters.items()
    )
    sections = [
        Section(name, lines=head),
        Section("Formula", picture=tuple(known.formula.splitlines()) or ("not documented",)),
        Section("Parameters", header=("name", "default"), rows=parameters, left=2)
        if parameters
        else Section("Parameters", lines=("none",)),
        Section("Source", lines=(_joined(known.source) or "not documented",)),
        Section("Deviations", lines=(_joined(known.deviations) or "none documented",)),
    ]
    rest = _rest(known)
    return [*sections, Section("Notes", picture=tuple(rest.splitlines()))] if rest else sections


def page(check: SelfCheck) -> list[Section]:
    """The self-check of one loss."""
    given = ", ".join(f"{key} = {value}" for key, value in check.parameters.items()) or "none"
    counts = [sum(finding.outcome == mark for finding in check.findings.values()) for mark in ("ok", "look", "broken")]
    head = (
        losses.describe(check.name).summary,
        f"parameters: {given}",
        f"defined by {check.where}",
        "{} checks are ok, {} show something to look at, {} are broken.".format(*counts),
    )
    return [Section(check.name, check.outcome, head), *(_section(finding) for finding in check.findings.values())]


def summary(checks: Sequence[SelfCheck]) -> list[Section]:
    """One row per loss, and what is broken below."""
    rows = tuple(_row(check) for check in checks)
    broken = tuple(
        f"{check.name}, {_TITLES[finding.probe].lower()}: {text}"
        for check in checks
        for finding in check.findings.values()
        if finding.outcome == "broken"
        for text in finding.says
    )
    legend = (
        "at truth: value at the truth. mask reached: in how many of three scenes, by descent from .5.",
        "masks below truth: of all 4096 masks of twelve voxels (+ n: n others tie with the truth).",
        "found below truth: the smallest value of a soft prediction, where it is below that of the truth.",
        "small : large: gradient at .5 per voxel of a small and a large lesion.",
        "missed : false: cost of a missed and of a false lesion of 33 voxels.",
        "lesion-free: gradient at .5 on a patch without lesion, relative to one with.",
        "`losses check NAME` shows the page of one loss.",
    )
    table = Section("Self-check of losses", header=_SUMMARY, rows=rows, left=2, lines=legend)
    return [table, Section("Broken", "broken", broken)] if broken else [table]


def _line(name: str) -> tuple[str, ...]:
    loss, wrong = _made(name)
    maps = NOTHING if loss is None or not loss.required_maps else ", ".join(loss.required_maps)
    return name, _family(loss), maps, wrong or losses.describe(name).summary


def _made(name: str) -> tuple[losses.Loss | None, str]:
    """The loss with its defaults, or why there is none."""
    try:
        return losses.create(name, **losses.describe(name).example), ""
    except LossError as error:
        return None, str(error)


def _family(loss: losses.Loss | None) -> str:
    """The shared machinery that a loss is built on."""
    from losses.region import RegionLoss
    from losses.voxel import VoxelLoss

    if loss is None:
        return NOTHING
    if isinstance(loss, RegionLoss):
        return "region"
    if isinstance(loss, VoxelLoss):
        return "voxel"
    if type(loss).example:
        return "wrapper"
    return "map" if loss.required_maps else "own"


def _rest(known: losses.Description) -> str:
    """The documentation without what has a section of its own."""
    paragraphs = known.documentation.split("\n\n")[1:]
    return "\n\n".join(text for text in paragraphs if not text.startswith(("L = ", "Source: ")))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _section(finding: Finding) -> Section:
    section = Section(_TITLES[finding.probe], finding.outcome, finding.says, fine_print=finding.ran)
    header, rows = _values(finding.data) if finding.probe == "special_masks" else ((), ())
    picture = _pictures(finding.data) if finding.probe == "descent" else ()
    return Section(
        section.title, section.mark, section.lines, header, rows, picture=picture, fine_print=section.fine_print
    )


def _values(data: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Predictions down, patches across: the value, and the norm of the gradient in brackets."""
    rows = data.get("rows", [])
    patches = list(dict.fromkeys(row["patch"] for row in rows))
    predictions = list(dict.fromkeys(row["prediction"] for row in rows))
    cell = {(row["prediction"], row["patch"]): f"{short(row['value'])} ({short(row['gradient_norm'])})" for row in rows}
    table = tuple((name, *(cell[name, patch] for patch in patches)) for name in predictions)
    return ("value (gradient norm)", *patches) if rows else (), table


def _pictures(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The slice of every scene whose mask was not reached."""
    from losses.self_check.pictures import LEGEND

    lines: list[str] = []
    for run in data.get("scenes", []):
        wrong = set("".join(run["slice"])) & set("ox?")
        if wrong:
            legend = ", ".join(f"{mark} {LEGEND[mark]}" for mark in "#.ox?" if mark in "".join(run["slice"]))
            lines += ["", f"{run['scene']}, slice {run['slice_index']} ({legend})", *run["slice"]]
    return tuple(lines)


def _row(check: SelfCheck) -> tuple[str, ...]:
    data = {key: finding.data for key, finding in check.findings.items()}
    return (
        check.name,
        check.outcome,
        _cell(lambda: short(data["special_masks"]["rows"][0]["value"])),
        _cell(lambda: f"{data['descent']['reached']} of {len(data['descent']['scenes'])}"),
        _cell(lambda: _below(data["enumeration"])),
        _cell(lambda: _lowest(data["lowest"])),
        _cell(lambda: _ratio(data["shares"]["at_half"], "small lesion", "large lesion")),
        _cell(lambda: short(_divided(*(data["shares"]["costs"][k] for k in ("small_lesion_missed", "false_blob"))))),
        _cell(lambda: _lesion_free(data["special_masks"])),
        _cell(lambda: ", ".join(equal["loss"] for equal in data["equality"]["equals"]) or NOTHING),
    )


def _cell(make: Any) -> str:
    """A cell, or a dash where the probe ended before it had the number."""
    try:
        return str(make())
    except (KeyError, IndexError):
        return NOTHING


def _below(data: Mapping[str, Any]) -> str:
    ties = data["minimisers"] - 1 if data["truth_is_a_minimiser"] else 0
    return f"{data['masks_below_the_truth']}" + (f" + {ties}" if ties else "")


def _lowest(data: Mapping[str, Any]) -> str:
    below = [row for row in data["scenes"] if row["smallest_found"] < row["value_at_truth"] - 1e-6]
    if not below:
        return NOTHING
    least = min(below, key=lambda row: row["smallest_found"])
    return short(least["smallest_found"])


def _ratio(shares: Mapping[str, Any], one: str, other: str) -> str:
    return short(_divided(shares[one]["mean_per_voxel"], shares[other]["mean_per_voxel"]))


def _lesion_free(data: Mapping[str, Any]) -> str:
    norms = {(row["patch"], row["prediction"]): row["gradient_norm"] for row in data["rows"]}
    return short(_divided(norms["lesion-free patch", ".5 everywhere"], norms["large and small", ".5 everywhere"]))


def _divided(one: float, other: float) -> float:
    return one / other if other else float("nan")


def short(value: float) -> str:
    """A number with three digits, for a table."""
    from losses.self_check.finding import NOTHING as ROUNDING

    return "0" if abs(value) < ROUNDING else f"{value:.3g}".replace("-", "−")
