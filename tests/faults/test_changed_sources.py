"""A source file that changes while a run is at work stops the run with its name; nothing of both versions is mixed."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.execution.watch import JobWatch

DICE = {"id": "dice", "loss": {"name": "dice"}}


def rewrite(path) -> None:
    """Another scan under the same name: one voxel differs."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-2000] ^= 1
    path.write_bytes(gzip.compress(content))


def shift_time(path) -> None:
    """The same content, written anew."""
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))


@pytest.mark.slow
def test_a_rewritten_scan_stops_the_run_and_the_same_command_begins_anew_with_it(
    workshop, scans, killer, misbehaving, empty_cache
):
    slow = {"id": "slow", "loss": {"name": "slow", "seconds": 0.1}}
    suite = workshop.suite(dataset=scans, methods=[DICE, slow])
    process = workshop.start("run", suite, "--out", "run", "--workers", 1)
    assert killer("run").wait(process, {"training"}, 0)
    run = workshop.folder / "run"
    while not [event for event in workshop.events(run, "slow") if event["phase"] == "training"]:
        assert process.poll() is None
    scan = workshop.folder / "scans" / "volume-4.nii.gz"
    rewrite(scan)
    out, err = process.communicate()
    assert process.returncode == 1, out + err
    assert f"case volume-4: its files changed since this run was planned ({scan}); run the suite again" in err
    assert "Traceback" not in err
    (first,) = run.glob("cells/*")
    assert first.name.startswith("dice-")
    assert (first / "seal.json").exists()
    rows, entries = workshop.rows(run), {path.name for path in empty_cache.iterdir()}
    quick = workshop.suite(dataset=scans, methods=[DICE])
    workshop.command("run", quick, "--out", "run", "--workers", 1)
    new = {path.name for path in empty_cache.iterdir()} - entries
    assert len(new) == 1
    assert next(iter(new)).startswith("volume-4-")
    assert len(list(run.glob("cells/dice-*"))) == 2
    after = workshop.rows(run)
    assert rows.items() <= after.items()
    assert len(after) == 2


def test_a_change_is_noticed_before_a_cell_goes_on(workshop, scans, empty_cache):
    run = workshop.work_until(workshop.begin(workshop.suite(dataset=scans)), "dice", "training", 1)
    before = len(workshop.events(run.path))
    rewrite(workshop.folder / "scans" / "segmentation-1.nii.gz")
    with pytest.raises(DataError, match=r"case volume-1: its files changed .*segmentation-1\.nii\.gz\)"):
        workshop.work(run)
    assert workshop.events(run.path)[before:] == []
    assert not (run.path / "cells").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [(rewrite, "its files changed .*volume-0.nii.gz"), (Path.unlink, ".*volume-0.nii.gz: cannot be")],
)
def test_a_change_during_a_cell_is_noticed_before_its_record_is_written(
    workshop, scans, monkeypatch, empty_cache, change, told
):
    run, usual = workshop.begin(workshop.suite(dataset=scans), methods=("dice",)), JobWatch.__call__
    scan = workshop.folder / "scans" / "volume-0.nii.gz"

    def rewriting(watch: JobWatch, phase: str, step: int = 0, **facts: float) -> None:
        usual(watch, phase, step, **facts)
        if (phase, step) == ("scoring best", 2):
            change(scan)

    monkeypatch.setattr(JobWatch, "__call__", rewriting)
    with pytest.raises(DataError, match=f"case volume-0: {told}"):
        workshop.work(run)
    assert not (run.path / "cells").exists()
    assert "recording" not in [event["phase"] for event in workshop.events(run.path)]


def test_a_change_during_training_is_noticed_at_the_next_validation(workshop, scans, monkeypatch, empty_cache):
    run, usual = workshop.begin(workshop.suite(dataset=scans), methods=("dice",)), JobWatch.__call__
    scan = workshop.folder / "scans" / "volume-0.nii.gz"

    def rewriting(watch: JobWatch, phase: str, step: int = 0, **facts: float) -> None:
        usual(watch, phase, step, **facts)
        if (phase, step) == ("training", 2):
            rewrite(scan)

    monkeypatch.setattr(JobWatch, "__call__", rewriting)
    with pytest.raises(DataError, match=r"case volume-0: its files changed .*volume-0\.nii\.gz"):
        workshop.work(run)
    phases = [event["phase"] for event in workshop.events(run.path, "dice")]
    assert phases[-1] == "validation", phases


def test_the_same_content_written_again_is_read_once_more_and_changes_nothing(
    workshop, scans, monkeypatch, empty_cache
):
    run = workshop.work_until(workshop.begin(workshop.suite(dataset=scans)), "dice", "training", 1)
    scan = workshop.folder / "scans" / "volume-2.nii.gz"
    shift_time(scan)
    from bench.data import fingerprints

    read = []
    usual = fingerprints.sha256_file
    monkeypatch.setattr(fingerprints, "sha256_file", lambda path: (read.append(path), usual(path))[1])
    workshop.work(run)
    assert read == [scan]
    assert len(list(run.path.glob("cells/*/seal.json"))) == 2
