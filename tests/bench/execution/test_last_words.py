"""A worker's last message reaches whoever started it, whatever became of its log."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.errors import RunError
from bench.execution import local
from bench.execution.last_words import LONGEST_BYTES, VARIABLE, Ear
from bench.execution.local import started
from bench.results.run_directory import RunDirectory

SAY = "import sys; from bench.execution.last_words import say; say(sys.argv[1] * int(sys.argv[2])); sys.exit(1)"


def heard(message: str, times: int = 1) -> str:
    ear = Ear()
    environment = os.environ | {VARIABLE: str(ear.number)}
    process = subprocess.Popen(
        [sys.executable, "-c", SAY, message, str(times)], env=environment, pass_fds=(ear.number,)
    )
    ear.started()
    assert process.wait() == 1
    return ear.hear()


@pytest.mark.parametrize("message", ["", "run/x cannot be written\n€ 肝"])
def test_a_message_is_heard_whole(message):
    assert heard(message) == message


def test_a_message_without_end_is_cut_and_nobody_waits_for_anybody():
    assert heard("x", 1_000_000) == "x" * LONGEST_BYTES


def test_nothing_is_heard_of_a_worker_whose_own_child_lives_on():
    ear = Ear()
    environment = os.environ | {VARIABLE: str(ear.number)}
    code = "import subprocess, sys; subprocess.Popen(['sleep', '5'], close_fds=False)"
    subprocess.run([sys.executable, "-c", code], env=environment, pass_fds=(ear.number,), check=True)
    ear.started()
    assert ear.hear() == ""


def test_a_worker_whose_log_took_nothing_is_heard_all_the_same(tmp_path, monkeypatch):
    run, start = RunDirectory(tmp_path / "run"), subprocess.Popen
    run.create()
    code = "from bench.execution.last_words import say; import sys; say('no room for it'); sys.exit(1)"
    monkeypatch.setattr(
        local.subprocess, "Popen", lambda command, **options: start([sys.executable, "-c", code], **options)
    )
    with started(run, 1, "cpu", 1) as workers, pytest.raises(RunError, match=r"^no room for it$"):
        wait_while(workers)


def wait_while(workers) -> None:
    while workers.running():
        pass
