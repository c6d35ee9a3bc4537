"""What stands below the tables of a run: how to read them, what was run, on what, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.evaluation.metrics import METRICS
from bench.report.markdown import bullet, escape
from bench.results.load import Run

SURFACE = (
    "Surface voxels are mask voxels with background among their 18 neighbours (outside the volume is background); "
    "distances are between voxel centres in mm, pooled over both directions"
)


def profile(run: Run) -> str:
    """Which profile was taken and why, as a sentence."""
    name, why = run.description["profile"], str(run.description["why"]).rstrip(".")
    text = why if not name or name in why else f"profile '{name}': {why}"
    return f"{text[:1].upper()}{text[1:]}."


def notes(run: Run) -> list[str]:
    """Markdown lines, the same for all tables of a run."""
    sections = {"How to read the tables": _reading(run), "What was run": _what(run), "Protocol": _protocol(run)}
    lines = []
    for title, texts in sections.items():
        if texts:
            lines += [f"### {title}", "", *(bullet(escape(text)) for text in texts), ""]
    return lines


def _reading(run: Run) -> list[str]:
    tolerance = run.suite.get("evaluation", {}).get("tolerance_mm")
    return [
        "Rows are in the order of the suite. Nothing is ranked and no best value is marked: which differences are more "
        "than noise is a question for paired statistics, not for a table of means.",
        "Arrows say which way is better; → 0 means the closest to zero, whatever the sign. A positive RVD is too much "
        "volume.",
        "Means: a case is averaged over its seeds first, then all cases weigh the same; ± is the standard deviation "
        "over cases. DG is computed from voxel counts pooled over all cases of a seed, then averaged over the seeds; "
        "it can rise when a whole prediction is erased.",
        "Mean distances include the diagonals of empty predictions; medians are over the scored pairs "
        "(case and cell, both masks non-empty). The median absolute RVD is over all pairs with a target.",
        f"{SURFACE}. MSD is the maximum, HD95 the larger of the two directions' 95th percentiles. "
        f"Surface Dice: share of both surfaces within {tolerance:g} mm of the other."
        if tolerance is not None
        else f"{SURFACE}.",
        "Lesions are 26-connected components of the reference and found when any of their voxels is predicted; small "
        "means below the median volume of the test set's lesions. A false positive is a predicted component that "
        "touches no lesion; false positives are counted on all cases.",
        "The cells of one seed and fold started from the same weights and saw the same patches: their digests are "
        "equal, or there would be no table.",
    ]


def _what(run: Run) -> list[str]:
    suite = run.suite
    primary = METRICS.get(suite.get("primary", ""))
    texts = [profile(run)]
    if primary is not None:
        texts.append(f"Primary metric: {primary.label}." + _baseline(run))
    texts += [str(note) for note in suite.get("notes") or ()]
    if any(cell["selected_on_reported"] for cell in run.plan.values()):
        texts.append("Selected on the reported cases: the best checkpoint was chosen on the cases that are reported.")
    if (suite.get("preprocessing") or {}).get("roi_from") == "reference":
        texts.append("The region of interest was taken from the reference labels, at test time too.")
    texts += [_skipped(name, cases) for name, cases in (run.description.get("skipped") or {}).items()]
    texts += [f"Baseline without training: {line}" for line in run.baselines]
    if run.orphaned:
        texts.append(
            f"Cells in the run directory that this plan does not name, in no table: {', '.join(run.orphaned)}. "
            "`python -m bench clean` removes them after asking."
        )
    return texts


def _skipped(name: str, cases: Mapping[str, str]) -> str:
    listed = ", ".join(f"{case} ({why})" for case, why in cases.items())
    return f"Cases of {name} left out before the split, because the data check found errors in them: {listed}."


def _baseline(run: Run) -> str:
    baseline = run.suite.get("baseline")
    return f" Baseline: {run.methods[baseline]}." if baseline else ""


def _protocol(run: Run) -> list[str]:
    return _lines(run.description.get("protocol"))


def _lines(value: Any) -> list[str]:
    """Lines of text, however they are grouped."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [f"{key}: {line}" for key, item in value.items() for line in _lines(item)]
    return [line for item in value for line in _lines(item)]
