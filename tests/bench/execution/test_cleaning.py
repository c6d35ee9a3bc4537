"""What nobody needs any more is removed, nothing else, and never under the feet of a process at work."""

from __future__ import annotations

import json
from unittest import mock

import pytest

from bench.errors import RunError
from bench.execution.claims import claim
from bench.execution.cleaning import leftovers, nobody_at_work, remove
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
    for one in leftovers(littered):
        remove(one)
    assert listed(littered) == {}
    assert {path: path.stat().st_size for path in littered.path.rglob("*") if path.is_file()} == before


def test_a_run_has_nothing_left_over_when_it_is_done(workshop):
    run = workshop.here(workshop.suite(threshold_baselines=True, training={"steps": 2, "validate_every": 2}))
    assert listed(run) == {}
    assert list(run.path.glob("baselines/*"))


def test_links_are_not_followed(littered, tmp_path):
    outside, inside = folder(tmp_path / "outside"), littered.cell("dice-s0-f0-abc")
    (littered.cell("old-s0-f0-abc") / "inner").symlink_to(outside)
    (littered.path / "cells" / "linked").symlink_to(inside)
    assert "cells/linked" not in listed(littered)
    for one in leftovers(littered):
        remove(one)
    assert (outside / "file").read_text() == "content"
    verify_folder(inside)
    (littered.path / "work" / "linked").symlink_to(outside)
    with pytest.raises(RunError, match="outside the run directory"):
        leftovers(littered)


def test_half_removed_a_cell_is_not_taken_for_a_whole_one(littered):
    (cell,) = [one for one in leftovers(littered) if one.path == littered.cell("old-s0-f0-abc")]
    killed = mock.patch("bench.execution.cleaning.shutil.rmtree", side_effect=KeyboardInterrupt)
    with killed, pytest.raises(KeyboardInterrupt):
        remove(cell)
    assert cell.path.is_dir()
    assert not is_sealed(cell.path)
    assert "cells/old-s0-f0-abc" in listed(littered)


def test_while_a_process_works_there_nobody_cleans(littered):
    lock = FileLock(littered.in_use)
    lock.acquire()
    with pytest.raises(RunError, match=r"in use by process \d+; nothing was removed"), nobody_at_work(littered):
        pass
    lock.release()
    lock = claim(littered, "dice-s0-f0-abc")
    with pytest.raises(RunError, match="in use by process"), nobody_at_work(littered):
        pass
    lock.release()
    with nobody_at_work(littered):
        assert FileLock(littered.in_use).is_held()
    assert not FileLock(littered.in_use).is_held()


def test_a_folder_that_is_no_run_is_refused(littered):
    content = json.loads(littered.run_file.read_text())
    littered.run_file.write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(RunError, match="schema_version 99"):
        leftovers(littered)
