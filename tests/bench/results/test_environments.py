from __future__ import annotations

import pytest

from bench.results.aggregates import aggregate, headline_view
from bench.results.environments import usual_environment
from bench.results.load import load

PROVENANCE = {"device": "cpu", "torch": "2.13.0+cpu", "cpu_capability": "AVX2"}


@pytest.mark.parametrize(("fact", "value"), [("device", "cuda"), ("torch", "2.9.0"), ("cpu_capability", "AVX512")])
def test_a_row_computed_elsewhere_says_so(builder, fact, value):
    other = {"provenance": PROVENANCE | {fact: value}}
    builder.cell = lambda method, seed, fold: other if (method, seed) == ("ce", 1) else {}
    run = load(builder.write())
    (table,) = aggregate(run, [headline_view(run)])
    remarks = {row.method: row.remarks for row in table.rows}
    assert remarks["dice"] == remarks["tversky"] == ()
    (remark,) = remarks["ce"]
    assert remark.startswith("seed 1, fold 0 was computed on")
    assert value in remark


def test_the_usual_environment_is_that_of_most_finished_cells(written):
    assert usual_environment(load(written).cells) == "device cpu, torch 2.13.0+cpu, CPU instructions AVX2"


def test_nothing_finished_has_no_environment(builder):
    builder.ended = {(m, s): ("planned", "") for m in builder.methods for s in builder.seeds}
    assert usual_environment(load(builder.write()).cells) == ""
