"""A run directory says at once whether a run can live there, and is read only by the version that wrote it."""

from __future__ import annotations

import json
import os

import pytest

from bench.errors import RunError
from bench.results.run_directory import RUN_SCHEMA_VERSION, RunDirectory


def test_a_new_folder_is_made_with_its_parents_and_used_again(tmp_path):
    run = RunDirectory(tmp_path / "a" / "b")
    run.create()
    run.create()
    assert list(run.path.iterdir()) == []


def test_looking_whether_a_folder_is_usable_leaves_nothing_behind(tmp_path):
    RunDirectory(tmp_path / "a" / "b").refuse_unusable()
    RunDirectory(tmp_path).refuse_unusable()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RunError, match=f"{tmp_path / 'file'} is a file, expected a folder for the run; .*--out"):
            RunDirectory(path).create()


def test_a_link_to_nowhere_or_to_itself_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("loop", "dangling"):
        with pytest.raises(RunError, match=f"{name} is a link to nowhere; give another folder with --out"):
            RunDirectory(tmp_path / name).create()


def test_a_folder_of_other_files_is_refused(tmp_path):
    for number in range(4):
        (tmp_path / f"volume-{number}.nii.gz").touch()
    run = RunDirectory(tmp_path)
    with pytest.raises(RunError, match=r"no run directory and not empty \(4 other files and folders: volume-0\.nii"):
        run.refuse_unusable()


def test_what_a_run_that_was_killed_at_its_start_or_a_cost_measurement_left_is_no_obstacle(tmp_path):
    for name in ("run.lock", "events.jsonl", "cost.json", ".tmp-1234-run.json"):
        (tmp_path / name).touch()
    RunDirectory(tmp_path).refuse_unusable()


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"cannot be written \(File name too long\); give another folder with --out"):
        RunDirectory(tmp_path / ("x" * 256)).create()


def test_a_read_only_folder_is_refused(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir(mode=0o555)
    user = os.geteuid()
    if user == 0:
        for parent in (tmp_path, *tmp_path.parents):
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        os.seteuid(65534)  # root may write anywhere
    try:
        with pytest.raises(RunError, match=r"archive/run cannot be written \(Permission denied\); .*--out"):
            RunDirectory(folder / "run").create()
    finally:
        os.seteuid(user)


def test_a_plan_is_read_back_as_it_was_written(tmp_path):
    run = RunDirectory(tmp_path)
    run.write_run({"plan": {"cells": []}, "profile": "phantom"})
    assert run.read_run() == {"schema_version": RUN_SCHEMA_VERSION, "plan": {"cells": []}, "profile": "phantom"}


@pytest.mark.parametrize("content", [{"schema_version": 0}, {"schema_version": 99}, {}, []])
def test_another_schema_version_is_neither_read_nor_overwritten(tmp_path, content):
    run = RunDirectory(tmp_path)
    run.run_file.write_text(json.dumps(content))
    for use in (run.read_run, run.refuse_unusable, run.create):
        with pytest.raises(RunError, match="this version reads 1; use the version that wrote it, or start a new run"):
            use()
    assert json.loads(run.run_file.read_text()) == content


def test_an_unreadable_plan_can_be_written_anew(tmp_path):
    run = RunDirectory(tmp_path)
    run.run_file.write_text('{"schema_ver')
    with pytest.raises(RunError, match="run the suite again to rewrite it"):
        run.read_run()
    run.create()
    run.write_run({})
    assert run.read_run() == {"schema_version": RUN_SCHEMA_VERSION}


def test_only_sealed_cells_are_finished_and_they_come_in_the_order_of_their_ids(tmp_path):
    run = RunDirectory(tmp_path)
    assert list(run.finished_cells()) == []
    for name in ("b", "a", "half"):
        run.cell(name).mkdir(parents=True)
        if name != "half":
            (run.cell(name) / "seal.json").touch()
    assert [path.name for path in run.finished_cells()] == ["a", "b"]
