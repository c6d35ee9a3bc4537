"""What an interrupted run keeps, in one line however many cells were at work."""

from __future__ import annotations

import pytest

from bench.execution.kept import kept_words, saying_what_is_kept
from bench.execution.status import CellStatus, Status
from bench.results.run_directory import RunDirectory
from bench.stopping import Interrupted


def cell(name: str, state: str, phase: str = "training", step: int = 3) -> CellStatus:
    return CellStatus(name, name, name, 0, 0, state, phase=phase, step=step, steps=12)


def words(*cells: CellStatus) -> str:
    return kept_words(Status(cells, 0, 0, 0))


def test_cells_that_were_at_work_are_named_with_phase_and_step():
    cells = [cell("a", "done"), cell("b", "interrupted"), cell("c", "working", "scoring best", 7), cell("d", "waiting")]
    assert words(*cells) == "1 of 4 cells done, kept: b at training 3 of 12, c at scoring best 7 of 12"
    assert words(cell("d", "waiting")) == "0 of 1 cells done"


def test_of_many_only_some_are_named():
    text = words(*(cell(name, "interrupted") for name in "abcde"))
    assert text.endswith("c at training 3 of 12, 2 more")
    assert "d at" not in text


def test_an_interruption_learns_what_is_kept_and_other_endings_pass(workshop):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 8)
    with pytest.raises(Interrupted) as ending, saying_what_is_kept(run):
        raise Interrupted(143)
    assert ending.value.kept.startswith("0 of 2 cells done, kept: dice-s0-f0-")
    assert ending.value.kept.endswith(" at training 6 of 12")
    with pytest.raises(ZeroDivisionError), saying_what_is_kept(run):
        raise ZeroDivisionError


def test_a_run_that_cannot_be_read_does_not_take_the_place_of_the_interruption(tmp_path):
    with pytest.raises(Interrupted) as ending, saying_what_is_kept(RunDirectory(tmp_path)):
        raise Interrupted(143)
    assert (ending.value.code, ending.value.kept) == (143, "")
