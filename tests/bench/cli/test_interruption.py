"""Signals inside a run become an orderly end in one line; outside of it nothing changes."""

from __future__ import annotations

import os
import signal

import pytest

from bench.cli.interruption import resumable, telling
from bench.stopping import Interrupted


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_unwinds_the_stack_tells_what_is_kept_and_leaves_with_its_code(number, code, capsys):
    tidied = []

    def work() -> None:
        with resumable():
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            except Interrupted as ending:
                ending.kept = "1 of 2 cells done"
                raise
            finally:
                tidied.append(True)

    with pytest.raises(SystemExit) as ending:
        work()
    assert ending.value.code == code
    assert tidied == [True]
    assert capsys.readouterr().err == "interrupted (1 of 2 cells done); the same command goes on from there\n"


def test_during_the_clean_up_ctrl_c_breaks_in_and_sigterm_does_not():
    tidied = []

    def work() -> None:
        with resumable():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                tidied.append("past SIGTERM")
                os.kill(os.getpid(), signal.SIGINT)
                tidied.append("past Ctrl-C")

    with pytest.raises(SystemExit) as ending:
        work()
    assert tidied == ["past SIGTERM"]
    assert ending.value.code == 130


def test_other_endings_are_not_commented(capsys):
    with pytest.raises(SystemExit), resumable():
        raise SystemExit(2)
    with resumable():
        pass
    with pytest.raises(ZeroDivisionError), telling():
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with resumable():
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) != before
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
