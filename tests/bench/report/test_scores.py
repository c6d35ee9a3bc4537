from __future__ import annotations

from bench.evaluation.metrics import EMPTY_POLICY
from bench.report.scores import scores_page
from bench.results.aggregates import aggregate
from bench.results.load import load

SUITE = {"title": "A | title <script>", "preprocessing": {"roi_from": "reference"}}


def page(builder, block="best"):
    run = load(builder.write())
    return scores_page(run, aggregate(run), block)


def headline_rows(text):
    """label → cells of the first table."""
    lines = text.split("### Cases with target")[1].strip().splitlines()
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[: lines.index("")]]
    return rows[0], {row[0]: row for row in rows[2:]}


def test_the_headline_table_has_the_papers_columns(builder):
    header, rows = headline_rows(page(builder))
    labels = [name.split(" ↑")[0].split(" ↓")[0].split(" →")[0].removesuffix(" mm") for name in header]
    assert labels == [
        "Method",
        "cells",
        "cases (patients)",
        "DC",
        "DG",
        "VOE",
        "RVD",
        "ASSD",
        "MSD",
        "RMSD",
        "HD95",
        "surface Dice",
    ]
    assert list(rows) == ["dice", "ce", "tversky"]
    assert rows["ce"][1:3] == ["2/2", "4 (3)"]


def test_no_value_is_marked_as_best(builder):
    text = page(builder)
    assert "**" not in text
    assert "no best value is marked" in text


def test_the_empty_policy_stands_under_the_headline_and_every_other_table_it_decides_points_there(builder):
    text = page(builder)
    assert text.count("| Method") == 6
    assert text.count(EMPTY_POLICY) == 1
    headline, medians, seeds, *_ = text.split("| Method")[1:]
    assert EMPTY_POLICY in headline
    assert "Empty masks" not in medians
    for part in (seeds, text.split("### All cases")[1]):
        assert "Empty masks: as stated below the first table." in part


def test_what_the_page_says_itself_reads_without_escapes(builder):
    text = page(builder)
    assert "\\" not in text
    assert "&" not in text


def test_the_same_records_give_the_same_text(builder):
    run = load(builder.write())
    again = load(builder.path)
    assert scores_page(run, aggregate(run), "best") == scores_page(again, aggregate(again), "best")


def test_a_partly_finished_row_is_marked_and_the_page_says_so_at_the_top(builder):
    builder.ended = {("ce", 1): ("planned", "")}
    text = page(builder)
    _, rows = headline_rows(text)
    assert rows["ce ¹"][1] == "1/2"
    assert "¹ partly finished: 1 of 2 cells, 5 case scores missing" in text
    assert "**1 of 6 cells are not finished.**" in text
    assert "Missing in all rows: 1 cell, 5 case scores." in text


def test_a_diverged_row_shows_status_and_reason_instead_of_numbers(builder):
    builder.ended = {("ce", seed): ("diverged", "nan | at\nstep 34") for seed in (0, 1)}
    text = page(builder)
    _, rows = headline_rows(text)
    assert rows["ce ¹ ²"] == ["ce ¹ ²", "0/2", "diverged", *["–"] * 9]
    assert r"² ce, seed 1, fold 0 diverged: nan \| at step 34" in text


def test_names_are_escaped(builder):
    builder.labels = {"ce": "a | b\n<script>"}
    builder.suite = SUITE
    text = page(builder)
    assert "<script>" not in text
    assert r"| a \| b &lt;script&gt; " in text
    assert text.startswith("# A \\| title &lt;script&gt;\n")


def test_what_weakens_a_comparison_is_said(builder):
    builder.suite = SUITE
    plan = builder._plan
    builder._plan = lambda *cell: plan(*cell) | {"selected_on_reported": True}
    text = page(builder)
    assert "Selected on the reported cases" in text
    assert "region of interest was taken from the reference labels" in text


def test_what_does_not_apply_is_not_said(builder):
    text = page(builder)
    assert "Selected on the reported cases" not in text
    assert "region of interest" not in text


def test_notes_carry_profile_protocol_baselines_and_the_suites_own_words(builder):
    text = page(builder)
    for line in (
        "Profile 'phantom': LITS\\_ROOT is not set.",
        "- 300 steps of Adam at 0.001",
        "- Baseline without training: best raw threshold: DC 0.14",
        "- A tuned order of methods is not a finding.",
        "18 neighbours",
        "within 1 mm",
        "Primary metric: DC. Baseline: dice.",
    ):
        assert line.replace("\\_", "_") in text.replace("\\_", "_")


def test_orphaned_cells_are_listed_and_in_no_table(builder):
    run = builder.write()
    run.cell("ce-s0-f0-abc").rename(run.cell("ce-s7-f0-old"))
    loaded = load(run)
    text = scores_page(loaded, aggregate(loaded), "best")
    assert "in no table: ce-s7-f0-old." in text
    assert headline_rows(text)[1]["ce ¹"][1] == "1/2"


def test_a_row_computed_elsewhere_has_a_footnote(builder):
    elsewhere = {"provenance": {"device": "cuda", "torch": "2.13.0+cu130", "cpu_capability": "AVX2"}}
    builder.cell = lambda method, seed, fold: elsewhere if (method, seed) == ("dice", 0) else {}
    assert "¹ seed 0, fold 0 was computed on device cuda, torch 2.13.0+cu130" in page(builder)


def test_one_seed_has_no_table_of_seeds(builder):
    builder.seeds = (0,)
    assert "complete seeds" not in page(builder)


def test_without_a_case_without_target_the_group_says_so(builder):
    builder.cases = {"001": "a", "002": "b"}
    assert "Every scored case has a target." in page(builder)


def test_several_classes_and_data_sets_have_their_own_sections(builder):
    builder.classes, builder.datasets = ("large", "small"), ("main", "clinic")
    text = page(builder)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Test cases: mean over the classes large, small",
        "## Test cases: large",
        "## Test cases: small",
        "## Evaluated on clinic: mean over the classes large, small",
        "## Evaluated on clinic: large",
        "## Evaluated on clinic: small",
        "## Notes",
    ]


def test_the_last_checkpoint_has_a_page_of_its_own(builder):
    text = page(builder, "last")
    assert "Scores of the checkpoint of the last step" in text
    assert headline_rows(text)[1]["dice"] != headline_rows(page_again(builder))[1]["dice"]


def page_again(builder):
    run = load(builder.path)
    return scores_page(run, aggregate(run), "best")
