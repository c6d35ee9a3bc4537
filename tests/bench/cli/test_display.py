"""What `run` shows: dated lines in a log, a live table on a terminal, both true at any moment."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.live import Live

from bench.cli.display import LiveShow, PlainShow, display
from bench.execution.status import CellStatus, PretrainingStatus, Status
from bench.results.run_directory import RunDirectory


def cell(state: str, phase: str = "", step: int = 0, steps: int = 100, **facts) -> CellStatus:
    return CellStatus("dice-s0-f0-abc", "dice", "Dice", 0, 0, state, phase=phase, step=step, steps=steps, **facts)


def status(*cells: CellStatus, prepared: int = 6) -> Status:
    return Status(cells, prepared, 6, 0)


@pytest.fixture
def nowhere(tmp_path):
    return RunDirectory(tmp_path)


@pytest.fixture
def plain(nowhere, capsys):
    """Show statuses one after the other; the lines without their dates."""

    def show(*statuses: Status) -> list[str]:
        shown = PlainShow()
        for one in statuses:
            shown.status(nowhere, one)
        lines = capsys.readouterr().out.splitlines()
        assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line) for line in lines)
        return [line[21:] for line in lines]

    return show


def test_a_log_has_a_line_when_something_happened_and_none_otherwise(plain):
    steps = [cell("working", "training", step) for step in (1, 2, 24, 26, 27, 60)]
    lines = plain(status(cell("waiting"), prepared=2), status(cell("waiting"), prepared=2), *map(status, steps))
    assert lines == [
        "2 of 6 cases prepared",
        "6 of 6 cases prepared",
        "dice-s0-f0-abc: training 1 of 100",
        "dice-s0-f0-abc: training 26 of 100",
        "dice-s0-f0-abc: training 60 of 100",
    ]


def test_a_log_tells_how_a_cell_ended(plain):
    good = cell("done", outcome="finished", validation_dice=0.61234)
    bad = cell("done", outcome="diverged: segmentation became nan at step 5 of 12")
    assert plain(status(good), status(good))[1:] == ["dice-s0-f0-abc: finished, best validation DC 0.612"]
    assert plain(status(bad))[1:] == ["dice-s0-f0-abc: diverged: segmentation became nan at step 5 of 12"]


def test_a_log_tells_of_regressors_that_are_pretrained(plain):
    ends = [Status((), 6, 6, 0, regressors_trained=number, regressors_needed=1) for number in (0, 1)]
    steps = [PretrainingStatus("lr_net-norm_inverse-s0-f0-abc", "training", step, 1000) for step in (3, 4, 260)]
    at_work = [Status((), 6, 6, 0, regressors_needed=1, pretraining=(one,)) for one in steps]
    assert plain(*at_work, ends[1])[1:] == [
        "0 of 1 regressors pre-trained",
        "lr_net-norm_inverse-s0-f0-abc: training 3 of 1000",
        "lr_net-norm_inverse-s0-f0-abc: training 260 of 1000",
        "1 of 1 regressors pre-trained",
    ]


def test_passing_phases_deserve_no_line(plain):
    assert len(plain(*(status(cell("working", phase, 50)) for phase in ("checkpoint", "validation", "recording")))) == 1


@pytest.fixture
def terminal():
    """A live display on a terminal of 100 columns, and what stands there now."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    live = Live(console=console, auto_refresh=False)
    shown = LiveShow(live)

    def look() -> str:
        with console.capture() as captured:
            console.print(live.get_renderable())
        return captured.get()

    return shown, look


def test_a_terminal_shows_a_bar_per_cell_at_work_and_the_time_left(terminal, nowhere, monkeypatch):
    from bench.cli import display as module

    shown, look = terminal
    now = shown._started
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    shown.status(nowhere, status(cell("working", "training", 0), prepared=3))
    assert "time left unknown" in look()
    assert "preparing" in look()
    now += 600
    shown.status(nowhere, status(cell("working", "training", 50)))
    text = look()
    assert "Dice (seed 0)" in text
    assert "training 50" in text
    assert "preparing" not in text
    assert "0 of 1 cells done, 10 min so far" in text
    left = int(re.search(r"about (\d+) min left", text)[1])
    assert 10 <= left <= 30


def test_a_regressor_that_is_pretrained_has_a_bar_too(terminal, nowhere):
    show, screen = terminal
    one = PretrainingStatus("lr_net-norm_inverse-s0-f0-abc", "training", 250, 1000)
    show.status(nowhere, Status((cell("waiting"),), 6, 6, 0, regressors_needed=1, pretraining=(one,)))
    assert re.search(r"lr_net-norm_inverse-s0-f0-abc .*pre-training 250", screen())


def test_rows_of_the_comparison_stand_below_as_cells_finish(terminal, uninterrupted):
    from bench.execution.status import read_status

    shown, look = terminal
    run = RunDirectory(uninterrupted)
    shown.status(run, read_status(run))
    text = look()
    assert "2 of 2 cells done" in text
    assert re.search(r"dice +1/1 +2 ", text)
    assert re.search(r"ce +1/1 +2 ", text)


def test_without_a_terminal_lines_are_plain():
    with display() as shown:
        assert isinstance(shown, PlainShow)
