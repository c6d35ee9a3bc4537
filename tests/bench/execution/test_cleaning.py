"""What nobody needs any more is removed, nothing else, and never under the feet of a process at work."""

from __future__ import annotations

import json
from unittest import mock

import pytest

from bench.errors import RunError
from bench.execution import cleaning
from bench.execution.claims import claim
from bench.execution.cleaning import leftovers, remove
from bench.files.checksum import is_sealed, seal_folder, verify_folder
from bench.files.lock import FileLock


def listed(run) -> dict[str, str]:
    return {one.path.relative_to(run.path).as_posix(): one.why for one in leftovers(run)}


def folder(path):
    path.mkdir(parents=True)
    (path / "file").write_text("content")
    seal_folder(path)
    return path


@pytest.fixture
def littered(written):
    """A run with everything that can be left over, beside all that must stay."""
    cells = written.path / "cells"
    for name in ("old-s0-f0-abc", "dice-s0-f0-abc.damaged", "dice-s0-f0-abc.failed-2"):
        folder(cells / name)
    for name in ("old-s0-f0-abc", "dice-s0-f0-abc"):
        folder(written.work(name))
    return written


def test_cells_outside_the_plan_and_folders_set_aside_are_left_over_and_no_other(littered):
    assert listed(littered) == {
        "baselines/thresholds": "not in the plan",
        "cells/dice-s0-f0-abc.damaged": "set aside as damaged",
        "cells/dice-s0-f0-abc.failed-2": "set aside as failed",
        "cells/old-s0-f0-abc": "not in the plan",
        "work/old-s0-f0-abc": "not in the plan",
    }
    assert all(one.size > len("content") for one in leftovers(littered))


def test_removing_them_leaves_everything_else_as_it_was(littered):
    doomed = [one.path for one in leftovers(littered)]
    before = {p: p.stat().st_size for p in littered.path.rglob("*") if p.is_file() and not {*p.parents} & {*doomed}}
    remove(littered, leftovers(littered))
    assert listed(littered) == {}
    after = {path: path.stat().st_size for path in littered.path.rglob("*") if path.is_file()}
    assert {path: size for path, size in after.items() if path.suffix != ".lock"} == before


def test_a_run_has_nothing_left_over_when_it_is_done(workshop):
    run = workshop.here(workshop.suite(threshold_baselines=True, training={"steps": 2, "validate_every": 2}))
    assert listed(run) == {}
    assert list(run.path.glob("baselines/*"))


def test_links_are_not_followed(littered, tmp_path):
    outside, inside = folder(tmp_path / "outside"), littered.cell("dice-s0-f0-abc")
    (littered.cell("old-s0-f0-abc") / "inner").symlink_to(outside)
    (littered.path / "cells" / "linked").symlink_to(inside)
    assert "cells/linked" not in listed(littered)
    remove(littered, leftovers(littered))
    assert (outside / "file").read_text() == "content"
    verify_folder(inside)
    (littered.path / "work" / "linked").symlink_to(outside)
    with pytest.raises(RunError, match="outside the run directory"):
        leftovers(littered)


def test_half_removed_a_cell_is_not_taken_for_a_whole_one(littered):
    (cell,) = [one for one in leftovers(littered) if one.path == littered.cell("old-s0-f0-abc")]
    killed = mock.patch("bench.files.atomic.shutil.rmtree", side_effect=KeyboardInterrupt)
    with killed, pytest.raises(KeyboardInterrupt):
        remove(littered, [cell])
    assert cell.path.is_dir()
    assert not is_sealed(cell.path)
    assert "cells/old-s0-f0-abc" in listed(littered)


def test_while_a_process_works_there_nobody_cleans(littered):
    found, before = leftovers(littered), listed(littered)
    with FileLock(littered.in_use), pytest.raises(RunError, match=r"in use by process \d+; nothing was removed"):
        remove(littered, found)
    lock = claim(littered, "dice-s0-f0-abc")
    with pytest.raises(RunError, match="in use by process"):
        remove(littered, found)
    lock.release()
    assert listed(littered) == before
    assert remove(littered, found) == found
    assert not FileLock(littered.in_use).is_held()


def test_what_changed_since_it_was_listed_is_looked_at_again(littered):
    found = leftovers(littered)
    content = json.loads(littered.run_file.read_text())
    content["plan"]["cells"].append(content["plan"]["cells"][0] | {"id": "old-s0-f0-abc"})
    littered.run_file.write_text(json.dumps(content))
    removed = {one.path.name for one in remove(littered, found)}
    assert removed == {"thresholds", "dice-s0-f0-abc.damaged", "dice-s0-f0-abc.failed-2"}
    verify_folder(littered.cell("old-s0-f0-abc"))
    assert remove(littered, found) == ()  # as to the second of two who were asked at the same time
    assert found[0].size == 0


def test_each_folder_is_removed_under_the_claim_of_its_job(littered, monkeypatch):
    usual, held = cleaning.remove_folder, {}

    def look(folder):
        held[folder.name] = FileLock(littered.claim(folder.name.partition(".")[0])).is_held()
        usual(folder)

    monkeypatch.setattr(cleaning, "remove_folder", look)
    remove(littered, leftovers(littered))
    assert len(held) == 4
    assert all(held.values())


def test_what_a_worker_takes_up_meanwhile_is_left_to_it(littered, monkeypatch):
    usual, taken = cleaning.leftovers, []
    found = usual(littered)

    def list_slowly(run):
        taken.append(claim(run, "old-s0-f0-abc"))
        return usual(run)

    monkeypatch.setattr(cleaning, "leftovers", list_slowly)
    assert {one.path.name for one in found} - {one.path.name for one in remove(littered, found)} == {"old-s0-f0-abc"}
    taken[0].release()


def test_a_folder_that_is_no_run_is_refused(littered):
    content = json.loads(littered.run_file.read_text())
    littered.run_file.write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(RunError, match="schema_version 99"):
        leftovers(littered)
