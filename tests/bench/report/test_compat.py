"""Scores by the rules of a paper's authors: their values for empty masks, over all cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.cli.commands.report import command
from bench.errors import RunError
from bench.report import build
from bench.report.compat import by_rules, compat_names, compat_page
from bench.report.writing import write_compat
from bench.results.aggregates import View, aggregate
from bench.results.load import load
from bench.suite import papers
from bench.suite.papers import read_paper

NAME = "lr_net_2021"
ASSD = "average_symmetric_surface_distance_mm"


@pytest.fixture
def rules():
    return read_paper(NAME).notes.compat


def rows(text):
    lines = text.split("## All test cases")[1].split("##")[0].strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("|")]
    return cells[0], {row[0]: row for row in cells[2:]}


def test_the_four_kinds_of_pairs_have_the_values_of_the_authors(written, rules):
    run = load(written)
    measured = dict.fromkeys(rules.one_empty, 0.25)
    kinds = {"reference_voxels": [0, 5, 0, 5], "prediction_voxels": [0, 0, 5, 5]}
    four = replace(run, cases=run.cases[:4].assign(**measured, **kinds))
    changed = by_rules(four, rules).cases
    assert list(changed["dice"]) == [1, 0, 0, 0.25]
    assert list(changed["volumetric_overlap_error"]) == [0, 1, 1, 0.25]
    for key in ("relative_volume_difference", ASSD, "max_surface_distance_mm", "rms_surface_distance_mm"):
        assert list(changed[key]) == [0, 1, 1, 0.25]


def test_means_are_over_all_cases_recomputed_from_the_records(written, rules):
    run = load(written)
    _, found = rows(compat_page(run, NAME))
    for method in run.methods:
        records = run.cases[(run.cases["method"] == method) & (run.cases["block"] == "best")]
        by_case = {}
        for _, record in records.iterrows():
            empty = (record["reference_voxels"] == 0, record["prediction_voxels"] == 0)
            distance = record[ASSD] if empty == (False, False) else 0.0 if all(empty) else 1.0
            by_case.setdefault(record["case"], []).append(distance)
        mean = np.mean([np.mean(values) for values in by_case.values()])
        assert found[method][2] == "5 (4)"
        assert found[method][7].startswith(f"{mean:.2f} ± ")


def test_an_empty_prediction_costs_less_than_the_diagonal_and_the_page_says_what_that_means(written):
    run = load(written)
    (usual,) = aggregate(run, [View(group="all")])
    text = compat_page(run, NAME)
    assert float(rows(text)[1]["ce"][7].split()[0]) < usual.rows[1].values[ASSD].mean / 5
    assert "predicting nothing can improve a mean distance" in text


def test_the_page_says_what_cannot_be_rebuilt_and_whose_rules_they_are(written):
    text = compat_page(load(written), NAME)
    assert "evaluator1.py" in text
    assert "likely but not certainly" in text
    for word in ("- Sub-images: ", "- Grid: ", "- Spacing: ", "- RVD: from MedPy 0.3.0 on"):
        assert word in text
    assert "only the prediction empty: DC = 0, VOE = RVD = ASSD = MSD = RMSD = 1" in text


def test_rvd_keeps_its_sign_and_counts_cases_without_target(written, rules):
    run = load(written)
    key = "relative_volume_difference"
    run.cases.loc[0, key] = -0.4
    changed = by_rules(run, rules).cases[key]
    assert run.cases[key].isna().any()
    assert not changed.isna().any()
    assert changed[0] == -0.4


def test_records_are_not_changed_and_score_tables_neither(written):
    build(written)
    before = {path.name: path.read_bytes() for path in written.tables.iterdir()}
    path = write_compat(written, NAME)
    assert path.name == "compat_lr_net_2021.md"
    build(written)
    after = {path.name: path.read_bytes() for path in written.tables.iterdir()}
    assert after.pop(path.name)
    assert after == before


def test_a_page_that_was_asked_for_once_is_kept_up_to_date(written):
    path = write_compat(written, NAME)
    text = path.read_text(encoding="utf-8")
    path.write_text("old", encoding="utf-8")
    assert path in build(written).paths
    assert path.read_text(encoding="utf-8") == text


def test_an_unknown_name_is_refused_with_the_nearest(written):
    with pytest.raises(
        RunError, match=r"no rules of the name 'lr_net_2012'. Did you mean 'lr_net_2021'\? Known: lr_net_2021"
    ):
        write_compat(written, "lr_net_2012")
    assert not written.tables.exists()


def test_the_command_adds_the_page_and_refuses_an_unknown_name_before_anything_is_written(builder, capsys):
    builder.suite = {"training": {"steps": 300}}
    written = builder.write()
    with pytest.raises(RunError, match="--compat"):
        command(written.path, "lr_net")
    assert not written.tables.exists()
    command(written.path, NAME)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(written.tables / "compat_lr_net_2021.md")
    command(written.path, NAME)
    assert capsys.readouterr().out.splitlines().count(lines[-1]) == 1


def test_only_papers_whose_rules_are_known_can_be_named(tmp_path, monkeypatch, written):
    assert compat_names() == (NAME,)
    monkeypatch.setattr(papers, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(RunError, match="none is installed; the rules come with the source of the project"):
        compat_page(load(written), NAME)


def test_a_method_without_scores_shows_how_it_ended(builder):
    builder.ended = {("ce", seed): ("diverged", "nan") for seed in (0, 1)}
    assert "diverged" in rows(compat_page(load(builder.write()), NAME))[1]["ce ¹ ²"]


def test_several_classes_and_data_sets_have_their_own_tables(builder):
    builder.classes, builder.datasets = ("large", "small"), ("main", "clinic")
    headings = [line for line in compat_page(load(builder.write()), NAME).splitlines() if line.startswith("## ")]
    assert headings[:3] == [
        "## All test cases: mean over the classes",
        "## All test cases: large",
        "## All test cases: small",
    ]
    assert "## All cases of clinic: small" in headings


def test_a_run_without_records_has_a_page_without_numbers(builder, rules):
    builder.ended = {(method, seed): ("planned", "") for method in builder.methods for seed in builder.seeds}
    text = compat_page(load(builder.write()), NAME)
    assert "planned" in text
