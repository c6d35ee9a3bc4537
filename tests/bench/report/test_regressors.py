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
    cells = [cell.strip() for cell in terms.strip("|").split("|")]
    assert cells[:2] == ["LR-Net", "1, mean"]
    assert all(float(cell) > 0 for cell in cells[2:5])
    workshop.report(run)
    assert (run.path / "tables" / "regressors.md").read_text() == page


def test_a_run_without_regressors_has_no_page(workshop):
    run = workshop.here(workshop.suite(methods=ROWS[:1]))
    assert regressors_page(load(run)) is None
    workshop.report(run)
    assert not (run.path / "tables" / "regressors.md").exists()


def test_a_row_without_a_loss_shows_the_weighted_regression_too(workshop):
    alone = {"id": "lr", "label": "Alone", "regressor": {"name": "lr_net", "frozen": False, "alpha": 10.0}}
    page = regressors_page(load(workshop.here(workshop.suite(methods=[ROWS[0], alone]))))
    (terms,) = [line for line in page.splitlines() if line.startswith("| Alone")]
    setting, segmentation, regression, weighted = [cell.strip() for cell in terms.strip("|").split("|")][1:5]
    assert (setting, segmentation) == ("10, mean", "–")
    assert float(weighted) == pytest.approx(10 * float(regression), rel=1e-3)


def test_a_pre_training_that_ended_without_weights_is_a_row_with_its_reason(workshop, rewrite):
    run = workshop.here(workshop.suite(methods=ROWS))
    (quality,) = run.path.glob("pretrained/*/quality.json")
    rewrite(quality, lambda _: '{"status": "died", "reason": "killed three times", "steps": 0}')
    assert "died: killed three times" in regressors_page(load(run))


def test_a_quality_that_this_program_did_not_write_is_named(workshop, rewrite):
    run = workshop.here(workshop.suite(methods=ROWS))
    (quality,) = run.path.glob("pretrained/*/quality.json")
    rewrite(quality, lambda _: "{}")
    with pytest.raises(RunError, match=r"quality\.json is not as this program writes it"):
        regressors_page(load(run))


def test_a_quality_that_was_altered_is_refused(workshop):
    run = workshop.here(workshop.suite(methods=ROWS))
    (quality,) = run.path.glob("pretrained/*/quality.json")
    quality.write_text("{}")
    with pytest.raises(RunError, match=r"quality\.json was altered since it was sealed"):
        regressors_page(load(run))
