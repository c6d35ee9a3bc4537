from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from bench.errors import RunError
from bench.report import build

TABLES = ["costs.csv", "costs.md", "scores.csv", "scores.md", "scores_last.md"]
PLOTS = ["dice_by_case.png", "examples.png", "validation_dice.png"]


def contents(run):
    return {path.name: path.read_bytes() for folder in (run.tables, run.plots) for path in folder.iterdir()}


def test_a_report_is_rebuilt_from_the_records_alone_byte_for_byte(pictured):
    report = build(pictured)
    first = contents(pictured)
    assert sorted(first) == sorted(TABLES + PLOTS)
    assert sorted(path.name for path in report.paths) == sorted(first)
    shutil.rmtree(pictured.tables)
    shutil.rmtree(pictured.plots)
    build(pictured)
    assert contents(pictured) == first
    build(pictured)
    assert contents(pictured) == first


def test_the_report_is_the_same_in_a_copy_of_the_run(pictured, tmp_path):
    build(pictured)
    copy = type(pictured)(tmp_path / "elsewhere")
    shutil.copytree(pictured.path, copy.path)
    shutil.rmtree(copy.tables)
    shutil.rmtree(copy.plots)
    build(copy)
    assert contents(copy) == contents(pictured)


def test_scores_do_not_know_how_long_it_took(builder, tmp_path):
    def score_bytes(path, seconds):
        builder.path = path
        builder.cell = lambda *_: {"timing": {"seconds_per_step": seconds}}
        run = builder.write()
        build(run)
        return {name: text for name, text in contents(run).items() if name.startswith("scores")}

    assert score_bytes(tmp_path / "slow", 9.0) == score_bytes(tmp_path / "fast", 0.1)


def test_without_slices_there_is_no_picture_of_them_and_an_old_one_goes(pictured):
    build(pictured)
    shutil.rmtree(pictured.path / "previews")
    report = build(pictured)
    assert "examples.png" not in [path.name for path in report.paths]
    assert not (pictured.plots / "examples.png").exists()


def test_a_run_without_finished_cells_has_tables_and_no_plots(written):
    shutil.rmtree(written.path / "cells")
    report = build(written)
    assert sorted(path.name for path in report.paths) == TABLES


def test_what_a_killed_writer_left_is_swept(written):
    build(written)
    (written.tables / ".tmp-abc-scores.md").write_text("half", encoding="utf-8")
    build(written)
    assert sorted(path.name for path in written.tables.iterdir()) == TABLES


def test_nothing_is_written_when_cells_were_treated_unequally(builder):
    builder.cell = lambda method, seed, fold: {"order_digest": method}
    run = builder.write()
    with pytest.raises(RunError, match="order_digest differs"):
        build(run)
    assert not run.tables.exists()


def test_importing_the_room_imports_nothing_heavy():
    code = (
        "import bench.report, sys; print([m for m in ('pandas', 'matplotlib', 'numpy', 'torch') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
