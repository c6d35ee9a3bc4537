from __future__ import annotations

import math

import pytest

from bench.report.numbers import NOTHING, header, mean_and_sd, number, share
from bench.results.quantities import quantity
from bench.results.values import Value

DICE, RVD, HD95 = (quantity(key) for key in ("dice", "relative_volume_difference", "hausdorff95_mm"))


@pytest.mark.parametrize(
    ("value", "of", "text"),
    [
        (0.5674, DICE, "0.567"),
        (0.25, RVD, "+0.250"),
        (-0.253, RVD, "-0.253"),
        (-0.0001, RVD, "0.000"),
        (0.0, RVD, "+0.000"),
        (12.345, HD95, "12.35"),
        (math.nan, DICE, NOTHING),
    ],
)
def test_digits_and_signs(value, of, text):
    assert number(value, of).lstrip("+") == text.lstrip("+")
    assert number(value, of) == text or float(text) == 0


def test_spread_is_left_out_where_there_is_none():
    assert mean_and_sd(Value(0.5, sd=0.25, n=3), DICE, 3) == "0.500 ± 0.250"
    assert mean_and_sd(Value(0.5, n=1), DICE, 1) == "0.500"


def test_a_value_that_is_partly_undefined_shows_its_own_denominator():
    assert mean_and_sd(Value(0.5, sd=0.1, n=4, undefined=2), RVD, 5) == "+0.500 ± 0.100 (n = 4 of 5)"


def test_a_share_shows_its_counts():
    assert share(Value(0.625, total=5, scores=8)) == "0.625 (5/8)"
    assert share(Value(math.nan)) == NOTHING


def test_headings_carry_unit_and_direction():
    assert [header(q) for q in (DICE, RVD, HD95)] == ["DC ↑", "RVD → 0", "HD95 mm ↓"]
