"""Files that are not what was written: noticed, set aside and built again, or refused with what to do."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from bench.errors import BenchError, RunError
from bench.execution.status import read_status
from bench.files.checksum import is_sealed
from bench.results.run_directory import RunDirectory


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_gives_the_same_bytes(workshop, uninterrupted):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 11)
    (resume,) = run.path.glob("work/dice-*/resume")
    newest = max(resume.glob("step-*.pt"))
    flip(newest)
    with pytest.warns(UserWarning, match="does not match its checksum"):
        workshop.work(run)
    resumed = [event["step"] for event in workshop.events(run.path, "dice") if event["phase"] == "resumed"]
    assert len(resumed) == 1
    assert 0 < resumed[0] < int(newest.name[5:13])
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)


def test_a_foreign_pickle_in_place_of_a_checkpoint_is_refused_and_not_executed(workshop, tmp_path):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 11)
    (resume,) = run.path.glob("work/dice-*/resume")
    buffer = io.BytesIO()
    torch.save({"weights": Trap(tmp_path / "executed")}, buffer, pickle_module=pickle)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:16]
    (resume / f"step-00000012-{digest}.pt").write_bytes(buffer.getvalue())
    with pytest.raises(BenchError, match="could execute code"):
        workshop.work(run)
    assert not (tmp_path / "executed").exists()
    assert not list(run.path.glob("cells/dice-*"))


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_a_damaged_prepared_case_is_set_aside_and_prepared_again(workshop, uninterrupted, empty_cache, damage):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 1)
    folder = next(iter(sorted(empty_cache.iterdir())))
    damage(folder / "image.npy")
    with pytest.warns(
        UserWarning, match=r"image.npy (was altered|is missing).*set aside as .*\.damaged and built again"
    ):
        workshop.work(run)
    assert folder.with_name(f"{folder.name}.damaged").is_dir()
    assert is_sealed(folder)
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)


def test_a_part_of_a_copied_cell_is_set_aside_and_the_cell_done_again(workshop, finished, uninterrupted):
    (cell,) = (finished / "cells").glob("ce-*")
    (cell / "seal.json").unlink()
    with pytest.warns(UserWarning, match=r"no seal; set aside"):
        workshop.work(RunDirectory(finished))
    assert is_sealed(cell)
    assert workshop.rows(finished) == workshop.rows(uninterrupted)


def test_a_published_cell_that_was_altered_is_named_by_the_report(workshop, finished):
    (cases,) = finished.glob("cells/ce-*/cases.csv")
    cases.write_text(cases.read_text().replace("0", "1"))
    with pytest.raises(
        RunError, match=r"cases\.csv was altered since it was sealed; remove .* and run the suite again"
    ):
        workshop.report(RunDirectory(finished))


def test_a_run_of_another_schema_version_is_refused_by_everything_that_reads_it(workshop, finished):
    run = RunDirectory(finished)
    before = run.run_file.read_text()
    run.run_file.write_text(json.dumps({**json.loads(before), "schema_version": 99}))
    old = run.run_file.read_text()
    again = workshop.suite()
    for use in (workshop.report, workshop.work, read_status, lambda run: workshop.begin(again, out=run.path)):
        with pytest.raises(RunError, match="schema_version 99, this version reads 1; use the version that wrote it"):
            use(run)
    assert run.run_file.read_text() == old


def test_what_a_worker_killed_after_publishing_left_behind_is_tidied_up(workshop, finished):
    (cell,) = (finished / "cells").glob("ce-*")
    left = finished / "work" / cell.name / "resume"
    left.mkdir(parents=True)
    (left / "step-00000012-0123456789abcdef.pt").write_bytes(b"large")
    before = len(workshop.events(finished))
    workshop.work(RunDirectory(finished))
    assert not (finished / "work" / cell.name).exists()
    assert len(workshop.events(finished)) == before


def test_a_run_directory_can_be_moved_and_goes_on(workshop, uninterrupted, tmp_path):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 8)
    moved = shutil.move(run.path, tmp_path / "ein Ordner mit Leerzeichen – ünïcödé")
    run = workshop.work(RunDirectory(tmp_path / moved.name))
    assert [event for event in workshop.events(run.path, "dice") if event["phase"] == "resumed"]
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)
