"""Locks between real processes: exclusive, gone with their holder, not disturbed by onlookers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.files.lock import FileLock

HOLD = """
import sys, time
from pathlib import Path
from bench.files.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.readline()
"""

LOOK_ON = """
import sys
from pathlib import Path
from bench.files.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print("True", flush=True)
while True:
    lock.is_held()
"""


def start(code: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def holder_of(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    process = start(HOLD, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_process_at_a_time(tmp_path):
    path = tmp_path / "claims" / "cell.lock"
    other = holder_of(path)
    lock = FileLock(path)
    assert not lock.acquire()
    assert lock.is_held()
    assert lock.holder() == other.pid
    other.communicate("\n")
    assert lock.acquire()
    assert lock.holder() == os.getpid()
    lock.release()


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path):
    path = tmp_path / "cell.lock"
    other = holder_of(path)
    other.kill()
    other.communicate()
    lock = FileLock(path)
    assert not lock.is_held()
    assert lock.holder() == other.pid
    assert lock.acquire()
    lock.release()


def test_asking_takes_nothing_and_makes_no_file(tmp_path):
    path = tmp_path / "cell.lock"
    assert not FileLock(path).is_held()
    assert not path.exists()
    lock = FileLock(path)
    assert lock.acquire()
    assert FileLock(path).is_held()
    assert lock.holder() == os.getpid()
    lock.release()
    assert not FileLock(path).is_held()


def test_onlookers_never_keep_anybody_from_a_free_lock(tmp_path):
    """Were an onlooker to take the lock for a moment, a worker would believe that somebody else has the job."""
    path = tmp_path / "cell.lock"
    path.touch()
    onlookers = [start(LOOK_ON, path) for _ in range(2)]
    for onlooker in onlookers:
        assert onlooker.stdout is not None
        assert onlooker.stdout.readline() == "True\n"
    lock = FileLock(path)
    taken = []
    for _ in range(3000):
        taken.append(lock.acquire())
        lock.release()
    for onlooker in onlookers:
        onlooker.kill()
        onlooker.communicate()
    assert all(taken)


def test_two_locks_of_one_process_exclude_each_other_too(tmp_path):
    first, second = FileLock(tmp_path / "a"), FileLock(tmp_path / "a")
    assert first.acquire()
    assert not second.acquire()
    assert not first.acquire()
    second.release()
    assert FileLock(tmp_path / "a").is_held()
    first.release()
    assert second.acquire()
    second.release()


def test_as_a_context_it_names_the_holder_when_it_cannot_be_had(tmp_path):
    path = tmp_path / "a"
    with FileLock(path), pytest.raises(BlockingIOError, match=f"{path} is locked by process {os.getpid()}"):
        FileLock(path).__enter__()
    assert not FileLock(path).is_held()


@pytest.mark.parametrize("text", ["", "not a pid"])
def test_a_lock_file_without_a_pid_has_no_known_holder(tmp_path, text):
    path = tmp_path / "a"
    assert FileLock(path).holder() is None
    path.write_text(text)
    assert FileLock(path).holder() is None


def test_a_child_process_does_not_inherit_the_lock(tmp_path):
    """Else a lock would outlive its holder for as long as any program that it had started."""
    with FileLock(tmp_path / "a"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    # The parent may run on an instant before the kernel has closed the child's copy.
    stop = time.monotonic() + 10
    while FileLock(tmp_path / "a").is_held():
        assert time.monotonic() < stop
        time.sleep(0.01)
    assert child.poll() is None
    child.communicate(b"\n")
