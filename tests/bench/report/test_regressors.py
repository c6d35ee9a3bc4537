"""The page about regressors: quality beside a constant predictor, and what the terms did."""

from __future__ import annotations

import pytest

from bench.errors import RunError
from bench.report.regressors import regressors_page
from bench.results.load import load

ROWS = [
    {"id": "dice", "loss": {"name": "dice"}},
    {"id": "lr", "label": "LR-Net", "loss": {"name": "dice"}, "regressor": {"name": "lr_net", "pretraining_steps": 6}},
]


def test_a_run_with_a_regressor_has_a_page_with_its_quality_and_its_terms(workshop):
    run = workshop.here(workshop.suite(methods=ROWS))
    page = regressors_page(load(run))
    assert "lr_net, norm_inverse, relu, instance" in page
    assert "constant's" in page
    (terms,) = [line for line in page.splitlines() if line.startswith("| LR-Net")]
    assert terms.count("|") == 7
    workshop.report(run)
    assert (run.path / "tables" / "regressors.md").read_text() == page


def test_a_run_without_regressors_has_no_page(workshop):
    run = workshop.here(workshop.suite(methods=ROWS[:1]))
    assert regressors_page(load(run)) is None
    workshop.report(run)
    assert not (run.path / "tables" / "regressors.md").exists()


def test_a_pre_training_that_ended_without_weights_is_a_row_with_its_reason(workshop):
    run = workshop.here(workshop.suite(methods=ROWS))
    (quality,) = run.path.glob("pretrained/*/quality.json")
    quality.write_text('{"status": "died", "reason": "killed three times", "steps": 0}')
    assert "died: killed three times" in regressors_page(load(run))


def test_a_quality_that_this_program_did_not_write_is_named(workshop):
    run = workshop.here(workshop.suite(methods=ROWS))
    (quality,) = run.path.glob("pretrained/*/quality.json")
    quality.write_text("{}")
    with pytest.raises(RunError, match=r"quality\.json is not as this program writes it"):
        regressors_page(load(run))
