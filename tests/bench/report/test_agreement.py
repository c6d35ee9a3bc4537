"""Kendall's τ between the paper's order and ours: which rows enter, and when there is none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bench.report.agreement import agreement_line
from bench.results.values import Value
from bench.suite.papers import MetricNotes

DC = MetricNotes(here="dice", comparable=False, reason="")


def side(paper_row, printed, measured, state="complete"):
    values = {} if measured is None else {"dice": Value(measured)}
    entries = {} if printed is None else {"DC": SimpleNamespace(number=printed)}
    return SimpleNamespace(row=SimpleNamespace(state=state, values=values), paper_row=paper_row, reported=entries)


def line(*sides, data="other data", metrics=None):
    return agreement_line(SimpleNamespace(sides=sides, data=data, metrics={"DC": DC} if metrics is None else metrics))


def test_the_line_says_the_data_the_metric_and_the_number_of_rows():
    sides = [side("a", 0.1, 0.2), side("b", 0.2, 0.3), side("c", 0.3, 0.9), side("d", 0.4, 0.4)]
    assert line(*sides) == "agreement of order with the paper, other data: Kendall τ = 0.67, DC only, 4 rows"


@pytest.mark.parametrize(("measured", "tau"), [((1, 2, 3), "1.00"), ((3, 2, 1), "-1.00"), ((1, 3, 2), "0.33")])
def test_tau_is_one_for_equal_orders_and_minus_one_for_opposite_ones(measured, tau):
    sides = [side(str(n), n / 10, value / 10) for n, value in enumerate(measured)]
    assert f"τ = {tau}," in line(*sides)


def test_a_row_that_two_methods_name_counts_once_with_the_first():
    sides = [side("a", 0.1, 0.1), side("a", 0.1, 0.9), side("b", 0.2, 0.2), side("c", 0.3, 0.3)]
    assert line(*sides).endswith("τ = 1.00, DC only, 3 rows")


def test_the_second_does_not_stand_in_for_a_first_that_failed():
    sides = [side("a", 0.1, None, "diverged"), side("a", 0.1, 0.9), side("b", 0.2, 0.2), side("c", 0.3, 0.3)]
    assert line(*sides).endswith("not computed, DC only, 2 rows with both values, fewer than 3")


def test_rows_that_are_not_finished_or_have_one_value_only_are_left_out():
    sides = [side("a", 0.1, 0.9, "partial"), side("b", None, 0.1), side("c", 0.3, float("nan")), side("d", 0.2, 0.2)]
    assert line(*sides).endswith("not computed, DC only, 1 row with both values, fewer than 3")


def test_equal_values_have_no_order():
    assert "is not defined, DC only, 3 rows" in line(*(side(name, 0.5, 0.1) for name in "abc"))


def test_without_dc_there_is_none():
    assert line(metrics={}).endswith("Kendall τ is not computed, because the paper's table has no DC")


def test_same_data_is_said():
    assert line(data="same data").startswith("agreement of order with the paper, same data: ")
