"""The numbers of papers: every line can be read, and everything that is known of them is about something there."""

from __future__ import annotations

from collections import defaultdict

import pytest

from bench.evaluation.metrics import METRICS
from bench.suite.papers import FOLDER, paper_names, read_paper

PAPERS = [read_paper(name) for name in paper_names()]

papers = pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)


def test_the_three_papers_are_there():
    assert paper_names() == ("inverse_weighting_2020", "lr_net_2021", "seg_loss_odyssey_2021")
    assert [len(paper.entries) for paper in PAPERS] == [60, 125, 160]


@papers
def test_every_number_is_within_what_its_metric_can_be(paper):
    for entry in paper.entries:
        assert entry.number <= 1 or entry.metric in ("ASSD", "MSD", "RMSD"), entry
        assert entry.number >= 0 or entry.metric == "RVD", entry


@papers
def test_every_table_has_a_row_of_numbers_for_every_metric(paper):
    for table in paper.tables:
        for dataset in paper.datasets(table):
            entries = paper.chosen(table, dataset)
            rows, metrics = {entry.row for entry in entries}, {entry.metric for entry in entries}
            assert len(entries) == len(rows) * len(metrics)


@papers
def test_something_is_known_of_every_metric_and_it_names_one_that_is_there(paper):
    assert set(paper.notes.tables) == set(paper.tables)
    for table, notes in paper.notes.tables.items():
        assert set(notes.metrics) == {entry.metric for entry in paper.chosen(table)}
        here = [metric.here for metric in notes.metrics.values() if metric.here is not None]
        assert set(here) <= set(METRICS)
        assert len(here) == len(set(here))
        assert all(metric.reason for metric in notes.metrics.values())
        assert not any(metric.comparable and metric.here is None for metric in notes.metrics.values())


@papers
def test_every_note_on_a_row_is_about_a_row_that_exists(paper):
    for table, notes in paper.notes.tables.items():
        assert set(notes.rows) <= {entry.row for entry in paper.chosen(table)}


@papers
def test_the_rules_of_the_authors_are_about_metrics_of_cases(paper):
    compat = paper.notes.compat
    if compat is not None:
        assert list(compat.both_empty) == list(compat.one_empty)
        assert not any(METRICS[key].pooled for key in compat.both_empty)
        assert compat.not_rebuilt


def test_a_readme_tells_of_every_file():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.csv`" in text for name in paper_names())


def test_voe_and_dc_of_table_2_cannot_be_over_the_same_cases_in_five_rows():
    scores = defaultdict(dict)
    for entry in read_paper("lr_net_2021").chosen("Table 2"):
        scores[entry.row][entry.metric] = entry.number
    rounding = 0.0005
    impossible = [row for row, of in scores.items() if of["VOE"] + rounding < 1 - of["DC"] - rounding - 1e-9]
    assert (len(impossible), len(scores)) == (5, 13)


def test_the_paper_s_best_rvd_is_not_the_closest_to_zero():
    signed = [e.number for e in read_paper("lr_net_2021").chosen("Table 2") if e.metric == "RVD"]
    assert min(signed) == -0.253
    assert min(map(abs, signed)) == 0.016
