"""`report`, `status` and `work` on a run directory that was made elsewhere."""

from __future__ import annotations

import shutil


def test_report_rebuilds_every_table_from_the_records_alone(program, workshop, finished):
    before = workshop.scores(finished)
    for folder in ("tables", "plots", "work", "claims", "logs"):
        shutil.rmtree(finished / folder)
    (finished / "events.jsonl").unlink()
    answer = program("report", finished)
    assert answer.code == 0
    assert workshop.scores(finished) == before
    assert str(finished / "tables" / "scores.md") in answer.out
    assert "1/1" in answer.out


def test_status_lists_cells_and_how_they_ended(program, finished):
    answer = program("status", finished)
    lines = answer.out.splitlines()
    assert lines[0] == "cases prepared: 6 of 6"
    assert [line.split()[0] for line in lines[1:]] == ["done", "done"]
    assert all("finished, best validation DC 0." in line for line in lines[1:])


def test_status_and_report_list_cells_outside_the_plan_with_the_way_to_remove_them(program, workshop, finished):
    (cell,) = finished.glob("cells/ce-*")
    (finished / "cells" / "ce-s9-f0-0123456789ab").mkdir()
    shutil.copy(cell / "seal.json", finished / "cells" / "ce-s9-f0-0123456789ab")
    line = "orphaned    ce-s9-f0-0123456789ab  not in the plan and in no table; `clean` removes it"
    assert program("status", finished).out.splitlines()[-1] == line
    assert line in program("report", finished).out.splitlines()
    assert "in no table: ce-s9-f0-0123456789ab. `python -m bench clean` removes" in (
        finished / "tables" / "scores.md"
    ).read_text().replace("\\", "")


def test_a_worker_started_by_hand_does_what_is_left(program, workshop, finished):
    (cell,) = finished.glob("cells/ce-*")
    rows = workshop.rows(finished)
    shutil.rmtree(cell)
    assert program("work", finished, "--device", "cpu").code == 0
    assert workshop.rows(finished) == rows
