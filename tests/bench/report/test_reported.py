"""What is reported stands beside what was measured, with all that keeps the two apart."""

from __future__ import annotations

import csv
import io
import re

import pytest

from bench.report import build
from bench.report.reported_csv import reported_csv
from bench.report.reported_page import reported_page
from bench.results.aggregates import aggregate
from bench.results.load import load
from bench.suite import papers

ROWS = {"dice": "MNet+L_Dice", "ce": "WCE", "tversky": "MNet+L_MapDice+LR-Net+L_smoothL1"}
OTHER = "(other data)"


@pytest.fixture
def beside(builder):
    """A run beside Table 2: rows by method, and further settings of `reported`."""

    def write(rows=ROWS, **settings):
        builder.suite["reported"] = {"file": "lr_net_2021", "table": "Table 2"} | settings
        builder.suite["methods"] = [
            {"id": method, "label": builder.labels.get(method, ""), "loss": {}, "reported": rows.get(method)}
            for method in builder.methods
        ]
        return builder.write()

    return write


def sections(text):
    """Metric → mark of its heading and rows of its table, as lists of cells."""
    found = {}
    for part in text.split("\n## ")[1:]:
        title, _, rest = part.partition("\n")
        name, _, mark = title.partition(": ")
        lines = [line for line in rest.splitlines() if line.startswith("|")]
        found[name] = (mark, [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]])
    return found


def test_every_metric_of_the_paper_has_both_values_side_by_side(beside):
    run = load(beside())
    found = sections(reported_page(run))
    assert list(found) == ["DC", "DG", "VOE", "RVD", "ASSD", "MSD", "RMSD", "Rows", "Notes"]
    (table, *_) = aggregate(run)
    for row, cells in zip(table.rows, found["DC"][1], strict=True):
        assert cells[0].startswith(row.label)
        assert cells[1] == ROWS[row.method]
        assert cells[3].startswith(f"{row.values['dice'].mean:.3f} ± ")
    assert [cells[2] for cells in found["DC"][1]] == [f"{value} {OTHER}" for value in ("0.647", "0.622", "0.751")]
    assert [cells[2] for cells in found["MSD"][1]] == [f"{value} {OTHER}" for value in ("6.201", "6.425", "5.708")]


def test_every_metric_says_whether_it_is_comparable_and_why(beside):
    text = reported_page(load(beside()))
    marks = {name: mark for name, (mark, _) in sections(text).items() if mark}
    assert marks.pop("DG") == "comparable by definition, other data"
    assert set(marks.values()) == {"not comparable"}
    for reason in (
        "Likely a mean over sub-images, not patients",
        "A prediction that is empty costs 1 mm in their evaluator, here the diagonal of the volume",
        "Its sign and denominator depend on the version of MedPy",
    ):
        assert reason in text


def test_a_note_on_a_row_of_the_paper_is_a_footnote_of_its_method(beside):
    text = reported_page(load(beside()))
    assert "tversky ³" in text
    assert "\n³ MNet+L_MapDice+LR-Net+L_smoothL1 in the paper: the scripts that the authors published" in text
    assert "train without MapDice's gradient" in text


def test_on_other_data_every_reported_value_says_so(beside):
    text = reported_page(load(beside()))
    tables = [rows for name, (_, rows) in sections(text).items() if name not in ("Rows", "Notes")]
    assert all(cells[2].endswith(OTHER) for rows in tables for cells in rows)
    assert "Other data: no reported value is of the cases that were measured here" in text


def test_on_the_paper_s_own_data_nothing_is_other(builder, beside):
    builder.datasets = ("main", "clinic")
    page = reported_page(load(beside(same_data="clinic")))
    main, text = page.split("\n# ")
    assert "other data" not in text.lower()
    assert "same data" not in main.lower()
    assert text.startswith("Losses on synthetic masks: reported and measured, clinic\n")
    assert sections(text)["DG"][0] == "comparable"
    assert "cases with target of clinic" in text
    assert "agreement of order with the paper, same data: Kendall τ = 1.00, DC only, 3 rows" in text


def test_nothing_of_it_is_in_the_score_tables(beside, builder, tmp_path):
    plain = builder.write()
    before = build(plain)
    builder.path = tmp_path / "beside"
    report = build(beside())
    assert report.headline == before.headline
    for name in ("scores.md", "scores_last.md", "scores.csv"):
        assert (builder.path / "tables" / name).read_bytes() == (plain.tables / name).read_bytes()
    written = {path.name for path in report.paths} - {path.name for path in before.paths}
    assert written == {"reported.md", "reported.csv"}


def test_the_csv_has_the_printed_digits_and_all_of_the_measured_ones(beside):
    run = load(beside())
    lines = list(csv.DictReader(io.StringIO(reported_csv(run))))
    assert len(lines) == 3 * 7
    (table, *_) = aggregate(run)
    (line,) = [one for one in lines if (one["method"], one["paper_metric"]) == ("tversky", "DC")]
    assert float(line["measured"]) == table.rows[2].values["dice"].mean
    assert (line["reported"], line["data"], line["comparable"], line["paper_cases"]) == (
        "0.751",
        "other data",
        "no",
        "137",
    )
    assert "shadows the loss" in line["notes"]
    assert {one["reported"] for one in lines if one["paper_metric"] == "DG"} == {"0.888", "0.883", "0.935"}


def test_rows_without_a_partner_on_either_side_are_listed(beside):
    text = reported_page(load(beside({"dice": "MNet+L_Dice"})))
    assert [cells[0] for cells in sections(text)["DC"][1]] == ["dice ¹"]
    assert "- Methods here without a row in the paper: ce, tversky." in text
    assert re.search(r"- Rows of the paper that no method here names: MNet\+L_MapDice, .*, Cascaded Regression\.", text)


def test_a_suite_whose_methods_name_no_row_has_a_page_without_tables(beside):
    text = reported_page(load(beside({})))
    assert "|" not in text
    assert "Methods here without a row in the paper: dice, ce, tversky." in text


def test_a_row_that_is_not_finished_says_so(builder, beside):
    builder.ended = {("ce", seed): ("diverged", "nan") for seed in (0, 1)}
    run = load(beside())
    assert sections(reported_page(run))["DC"][1][1][2:4] == [f"0.622 {OTHER}", "diverged"]
    lines = csv.DictReader(io.StringIO(reported_csv(run)))
    assert {line["n"] for line in lines if line["method"] == "ce"} == {"0"}


def test_a_metric_that_is_not_here_has_no_measured_value(beside):
    found = sections(
        reported_page(load(beside({"dice": "DL"}, file="inverse_weighting_2020", table="results", dataset="LiTS")))
    )
    mark, rows = found["object Dice"]
    assert mark == "no such metric here"
    assert rows[0][3] == "–"


def test_a_suite_without_a_paper_has_no_page_and_an_old_one_goes(beside, builder):
    run = beside()
    build(run)
    assert (run.tables / "reported.md").exists()
    description = run.read_run()
    description["suite"]["reported"] = None
    description.pop("schema_version")
    run.write_run(description)
    build(run)
    assert not list(run.tables.glob("reported.*"))


def test_where_the_numbers_are_not_installed_the_page_says_so(beside, tmp_path, monkeypatch):
    run = load(beside())
    monkeypatch.setattr(papers, "FOLDER", tmp_path / "nowhere")
    assert "Not shown: there is no folder" in reported_page(run)
    assert len(reported_csv(run).splitlines()) == 1


def test_a_row_that_the_paper_s_file_has_no_more_is_said(beside):
    text = reported_page(load(beside(ROWS | {"ce": "gone"})))
    assert sections(text)["DC"][1][1][2] == "–"
    assert "gone in the paper: the paper's table has no such row any more" in text


def test_names_are_escaped(builder, beside):
    builder.labels = {"ce": "a | b\n<script>"}
    text = reported_page(load(beside()))
    assert "<script>" not in text
    assert r"| a \| b &lt;script&gt; " in text


def test_rows_crossed_with_columns_are_laid_out_as_in_the_paper(builder, beside):
    builder.methods |= {"ftl": 0.7, "gds": 0.6}
    rows = {
        "dice": "MNet+LR-Net+L_smoothL1 / O-DM",
        "ce": "MNet+LR-Net+L_smoothL1 / NI-DM",
        "tversky": "MNet+L_Dice+LR-Net+L_smoothL1 / O-DM",
        "ftl": "MNet+L_Dice+LR-Net+L_smoothL1 / NI-DM",
        "gds": "MNet+L_Dice",
    }
    run = load(beside(rows, table="Table 1"))
    text = reported_page(run)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    grid = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[:8]]
    assert grid[0] == ["Row of the paper", "", "O-DM", "NI-DM", "–"]
    assert grid[2] == ["MNet+LR-Net+L_smoothL1", "reported", f"0.6993 {OTHER}", f"0.7420 {OTHER}", "–"]
    means = {row.method: f"{row.values['dice'].mean:.3f} ± " for row in aggregate(run)[0].rows}
    assert grid[3][:2] == ["", "measured here"]
    assert grid[3][2].startswith(means["dice"])
    assert grid[3][3].startswith(means["ce"])
    assert grid[6][4] == f"0.6581 {OTHER}"
    assert (grid[5][4], grid[7][3]) == ("–", "–")
    assert "\nThe same row by row:\n" in text
    builder.path = builder.path.with_name("list")
    assert "The same row by row" not in reported_page(load(beside()))
