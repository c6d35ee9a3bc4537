"""Whether two orders of the same rows agree: the paper's and the one measured here."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bench.report.reported import Reported, Side

DICE = "dice"

FEWEST = 3
"""Rows below which an order says nothing."""


def agreement_line(reported: Reported) -> str:
    """Kendall's τ (b, with ties) of the paper's and the measured mean DC, with the number of rows, as a sentence.

    A row of the paper that several methods name counts once, with the first of them in the suite, whatever became of
    it: a choice by result would favour agreement. Rows that are not finished compare with none and are left out.
    """
    start = f"agreement of order with the paper, {reported.data}: "
    metric = next((name for name, notes in reported.metrics.items() if notes.here == DICE), None)
    if metric is None:
        return f"{start}Kendall τ is not computed, because the paper's table has no DC"
    pairs = list(_pairs(reported, metric))
    rows = f"DC only, {len(pairs)} row{'' if len(pairs) == 1 else 's'}"
    if len(pairs) < FEWEST:
        return f"{start}Kendall τ is not computed, {rows} with both values, fewer than {FEWEST}"
    tau = _tau(pairs)
    if math.isnan(tau):
        return f"{start}Kendall τ is not defined, {rows}, because all values of one side are equal"
    return f"{start}Kendall τ = {tau:.2f}, {rows}"


def _pairs(reported: Reported, metric: str) -> Iterator[tuple[float, float]]:
    first: dict[str, Side] = {}
    for side in reported.sides:
        first.setdefault(side.paper_row, side)
    for side in first.values():
        value = side.row.values.get(DICE)
        if side.row.state == "complete" and value and not math.isnan(value.mean) and metric in side.reported:
            yield side.reported[metric].number, value.mean


def _tau(pairs: list[tuple[float, float]]) -> float:
    from scipy.stats import kendalltau

    printed, measured = zip(*pairs, strict=True)
    return float(kendalltau(printed, measured).statistic)
