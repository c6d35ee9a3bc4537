"""Signals inside a run become an orderly end; outside of it nothing changes."""

from __future__ import annotations

import os
import signal

import pytest

from bench.cli.interruption import resumable


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_unwinds_the_stack_tells_the_hint_and_leaves_with_its_code(number, code, capsys):
    tidied = []

    def work() -> None:
        with resumable("go on later"):
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                tidied.append(True)

    with pytest.raises(SystemExit) as ending:
        work()
    assert ending.value.code == code
    assert tidied == [True]
    assert capsys.readouterr().err == "go on later\n"


def test_other_endings_are_not_commented(capsys):
    with pytest.raises(SystemExit), resumable("go on later"):
        raise SystemExit(2)
    with resumable("go on later"):
        pass
    with pytest.raises(ZeroDivisionError), resumable("go on later"):
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with resumable("go on later"):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) != before
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
