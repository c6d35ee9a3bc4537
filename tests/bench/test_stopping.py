"""A request to stop: noted by a signal, answered at a safe point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bench import stopping

ASKED_TWICE = """
import os, signal
from bench import stopping
with stopping.noting_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    print(stopping.asked(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("still here")
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_noted_and_answered_at_the_next_safe_point_with_its_code(number, code):
    with stopping.noting_signals():
        stopping.leave_if_asked()
        os.kill(os.getpid(), number)
        assert stopping.asked()
        with pytest.raises(stopping.Interrupted) as ending:
            stopping.leave_if_asked()
    assert ending.value.code == code


def test_the_first_request_decides_on_the_code():
    with stopping.noting_signals():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(stopping.Interrupted) as ending:
            stopping.leave_if_asked()
    assert ending.value.code == 130


def test_a_second_ctrl_c_ends_the_process_at_once_and_a_second_sigterm_does_not():
    done = subprocess.run([sys.executable, "-c", ASKED_TWICE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "True\n", "")


def test_behind_the_block_everything_is_as_before():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stopping.noting_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert not stopping.asked()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
