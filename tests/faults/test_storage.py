"""A disk that is full, read-only or gone: refused before any training, or stopped with one message; nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.errors import StorageError

ROOM = "64M"
FULL = r"cannot be written \((No space left on device|only a part could be written: .*); [\d,]+ bytes needed, [\d,]+ by"
"""What is said of a file that a full disk has no room for."""


@dataclass(frozen=True)
class Disk:
    """A small file system of its own."""

    path: Path

    def fill(self) -> None:
        """Leave not a single block."""
        with (self.path / "filling").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def make_room(self) -> None:
        (self.path / "filling").unlink()

    def remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", self.path], check=True)


@pytest.fixture
def disk(tmp_path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", path], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        pytest.skip(f"mounting a small disk is refused here: {said.decode().strip()}")
    yield Disk(path)
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def cached_on(monkeypatch) -> Callable[[Path], None]:
    """Have processes started from here use another cache."""
    return lambda folder: monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(folder))


def refusal(workshop, out: Path) -> str:
    """The one line with which a run is refused, in which nothing was begun."""
    done = workshop.command("run", workshop.suite(), "--out", out, "--workers", 1, code=1)
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert not os.path.exists(out / "run.json")  # noqa: PTH110 - a loop of links is no error for it
    return line


@pytest.mark.parametrize("what", ["run", "cache"])
def test_a_full_disk_is_refused_before_anything_begins(workshop, disk, cached_on, what):
    disk.fill()
    if what == "cache":
        cached_on(disk.path)
    line = refusal(workshop, disk.path / "run" if what == "run" else workshop.folder / "run")
    assert re.search(r"cannot be written \(No space left on device; 65,536 bytes needed, 0 bytes free\)", line)
    assert str(disk.path) in line


@pytest.mark.parametrize("what", ["run", "cache"])
def test_a_read_only_disk_is_refused_before_anything_begins(workshop, disk, cached_on, what):
    if what == "cache":
        cached_on(disk.path / "cache")
    disk.remount("ro")
    line = refusal(workshop, disk.path / "run" if what == "run" else workshop.folder / "run")
    verb, option = ("made", "$IMBALANCE_BENCH_CACHE") if what == "cache" else ("written", "--out")
    assert f"{disk.path / what} cannot be {verb} (Read-only file system)" in line
    assert option in line


def test_an_output_path_that_cannot_be_a_folder_is_refused(workshop):
    here = workshop.folder
    (here / "file").write_text("mine")
    (here / "dangling").symlink_to("nowhere")
    (here / "loop").symlink_to("loop")
    assert f"{here / 'file'} is a file, expected a folder" in refusal(workshop, here / "file")
    assert f"{here / 'dangling'} is a link to nowhere" in refusal(workshop, here / "dangling")
    assert f"{here / 'loop'} is a link to nowhere" in refusal(workshop, here / "loop")
    assert (here / "file").read_text() == "mine"
    assert not (here / "nowhere").exists()


def stopped(process: subprocess.Popen[str]) -> str:
    """The one line with which a run stopped by itself."""
    out, err = process.communicate()
    assert process.returncode == 1, out + err
    assert "Traceback" not in out + err
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["training", "scoring", "publishing", "reporting"])
def test_a_disk_that_fills_up_stops_the_run_and_with_room_it_ends_with_the_same_bytes(
    workshop, uninterrupted, disk, killer, nothing_twice, phase
):
    command = ("run", workshop.suite(), "--out", disk.path / "run", "--workers", 2)
    process = workshop.start(*command)
    assert killer("disk/run").wait(process, {phase}, 0)
    disk.fill()
    line = stopped(process)
    assert re.search(rf"{disk.path}/run/\S+ {FULL}", line), line
    assert "make room on that disk; the same command then goes on from what is stored" in line
    before = {path: path.read_bytes() for path in disk.path.glob("run/cells/*/*.csv")}
    disk.make_room()
    workshop.command(*command)
    assert workshop.scores(disk.path / "run") == workshop.scores(uninterrupted)
    assert all(path.read_bytes() == content for path, content in before.items())
    nothing_twice(disk.path / "run")


def test_a_checkpoint_that_has_no_room_is_named_with_its_size_and_the_one_before_stays(workshop, uninterrupted, disk):
    run = workshop.work_until(workshop.begin(workshop.suite(), out=disk.path / "run"), "dice", "training", 7)
    kept = {path.name: path.read_bytes() for path in run.path.glob("work/dice-*/resume/step-*.pt")}
    assert kept
    disk.fill()
    for item in run.path.rglob("progress.json"):
        item.unlink()  # room for what a step writes, not for a checkpoint
    with pytest.raises(StorageError, match=rf"resume/step-0000\d+-\w+\.pt {FULL}"):
        workshop.work(run)
    assert {path.name: path.read_bytes() for path in run.path.glob("work/dice-*/resume/*")} == kept
    disk.make_room()
    workshop.work(run)
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)


@pytest.mark.slow
def test_a_cache_that_fills_up_stops_the_run_and_with_room_it_ends_with_the_same_bytes(
    workshop, uninterrupted, disk, killer, cached_on
):
    cached_on(disk.path)
    process = workshop.start("run", workshop.suite(), "--out", "run", "--workers", 2)
    assert killer("run").wait(process, {"prepare"}, 0)
    disk.fill()
    line = stopped(process)
    assert str(disk.path) in line
    assert re.search(r"[\d,]+ bytes", line)
    disk.make_room()
    workshop.command("run", "tiny.yaml", "--out", "run", "--workers", 2)
    assert workshop.scores(workshop.folder / "run") == workshop.scores(uninterrupted)


@pytest.mark.slow
def test_a_run_on_a_disk_that_became_read_only_can_be_looked_at_and_goes_on_when_it_is_writable(
    workshop, uninterrupted, disk
):
    run = workshop.work_until(workshop.begin(workshop.suite(), out=disk.path / "run"), "dice", "training", 7)
    disk.remount("ro")
    assert "dice-s0-f0" in workshop.command("status", run.path).stdout
    for command in (("work", run.path), ("report", run.path), ("run", "tiny.yaml", "--out", run.path)):
        done = workshop.command(*command, code=1)
        assert "cannot be written (Read-only file system)" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    disk.remount("rw")
    workshop.command("run", "tiny.yaml", "--out", run.path, "--workers", 1)
    assert workshop.scores(run.path) == workshop.scores(uninterrupted)


@pytest.mark.slow
def test_an_output_folder_that_is_removed_during_the_run_stops_it_and_does_not_rise_again(
    workshop, uninterrupted, killer
):
    command = ("run", workshop.suite(), "--out", "run", "--workers", 2)
    process = workshop.start(*command)
    assert killer("run").wait(process, {"training"}, 0)
    run = workshop.folder / "run"
    while run.exists():  # a file that is being written may come in between
        shutil.rmtree(run, ignore_errors=True)
    line = stopped(process)
    assert str(run.name) in line
    assert re.search(r"there is no (such )?folder|it has no run.json|was removed during the run", line), line
    assert not run.exists()
    workshop.command(*command)
    assert workshop.scores(run) == workshop.scores(uninterrupted)
