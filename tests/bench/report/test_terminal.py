from __future__ import annotations

import re
import shutil

from bench.report import headline_lines
from bench.report.terminal import headline
from bench.results.load import load


def test_the_headline_is_an_aligned_table_in_the_order_of_the_suite(written):
    lines = headline(load(written))
    start = next(i for i, line in enumerate(lines) if line.startswith("Method"))
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == ["dice", "ce", "tversky"]
    assert len({line.index("2/2") for line in lines[start + 1 : start + 4]}) == 1
    assert lines[start - 1].split()[:3] == ["DC", "DG", "VOE"]
    assert max(len(line) for line in lines[start - 1 : start + 4]) <= 100


def test_no_line_is_wider_than_100_characters_and_long_names_are_cut(builder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    builder.labels = {"ce": "a method whose name goes on and on and on"}
    builder.ended = {("ce", 1): ("diverged", "the loss is not finite; " * 10)}
    lines = headline(load(builder.write()))
    assert max(map(len, lines)) <= 100
    (row,) = [line for line in lines if line.startswith("a meth")]
    assert re.match(r"a met\S*.*… ¹ ²  +1/2 ", row)


def test_names_that_would_be_cut_to_the_same_stand_whole_above_their_numbers(builder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    builder.labels = {method: f"a method whose name ends with {method}" for method in ("dice", "ce", "tversky")}
    lines = headline(load(builder.write()))
    assert max(map(len, lines)) <= 100
    start = lines.index(builder.labels["dice"])
    assert lines[start::2][:3] == list(builder.labels.values())
    assert [line.split()[:2] for line in lines[start + 1 :: 2][:3]] == [["2/2", "4"]] * 3
    assert len({line.index("2/2") for line in lines[start + 1 :: 2][:3]} | {lines[start - 1].index("cells") + 2}) == 1


def test_a_wider_terminal_shows_whole_names(builder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    builder.labels = {"ce": "a method whose name goes on and on and on"}
    assert any(
        line.startswith("a method whose name goes on and on and on  ") for line in headline_lines(builder.write())
    )


def test_rows_appear_as_cells_finish(builder, tmp_path):
    run = builder.write()
    kept = tmp_path / "later"
    shutil.move(run.cell("ce-s0-f0-abc"), kept)
    shutil.move(run.cell("ce-s1-f0-abc"), tmp_path / "never")
    (row,) = [line for line in headline_lines(run) if line.startswith("ce")]
    assert row.split()[1:3] == ["0/2", "planned"]
    shutil.move(kept, run.cell("ce-s0-f0-abc"))
    (row,) = [line for line in headline_lines(run) if line.startswith("ce")]
    assert row.split()[:3] == ["ce", "¹", "1/2"]


def test_records_are_read_again_only_when_a_cell_was_published(written, monkeypatch):
    headline_lines(written)
    monkeypatch.setattr("bench.report.terminal.load", lambda _: 1 / 0)
    assert headline_lines(written)[0] == "Losses on synthetic masks"


def test_a_run_that_has_just_begun_has_a_headline(written):
    shutil.rmtree(written.path / "cells")
    assert sum("planned" in line for line in headline_lines(written)) == 3


def test_a_name_cannot_steer_the_terminal(builder):
    builder.labels = {"ce": "evil\x1b[2J\nname"}
    assert not any("\x1b" in line or "\n" in line for line in headline(load(builder.write())))


def test_without_a_case_with_target_there_is_a_row_without_numbers(builder):
    builder.cases = {"011": "d"}
    (row,) = [line for line in headline(load(builder.write())) if line.startswith("dice")]
    assert row.split()[1:4] == ["2/2", "0", "–"]
