"""The harness from Python: `bench.run` and `bench.load`."""

from __future__ import annotations

import os

import pandas as pd
import pytest

import bench
from bench import api
from bench.errors import RunError, SuiteError
from bench.execution.planning import Request
from bench.results.run_directory import RunDirectory


class Listener:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes, self.statuses, self.reports = [], [], []

    def note(self, line):
        self.notes.append(line)

    def status(self, run, status):
        self.statuses.append(status)

    def report(self, report):
        self.reports.append(report)


def test_a_loaded_run_has_cells_cases_lesions_and_curves_as_frames(uninterrupted):
    run = bench.load(uninterrupted)
    assert list(run.cells["method"]) == ["dice", "ce"]
    assert set(run.cells["status"]) == {"finished"}
    assert len(run.cases) == 2 * 2 * 2
    assert {"dice", "hausdorff95_mm", "volumetric_overlap_error"} <= set(run.cases.columns)
    assert set(run.history["kind"]) == {"training", "validation"}
    assert all(isinstance(frame, pd.DataFrame) for frame in (run.cells, run.cases, run.lesions, run.history))


def test_a_finished_run_is_shown_again_without_a_worker(workshop, finished):
    listener, before = Listener(), len(workshop.events(finished))
    request = Request(workshop.suite(), out=finished)
    run = api.run_request(request, device="cpu", workers=None, yes=False, show=listener)
    assert run.path == finished
    assert listener.statuses == []
    assert not (finished / "logs" / f"worker-{os.getpid()}-0.log").exists()
    assert [event["phase"] for event in workshop.events(finished)[before:]] == ["reporting", "reported"]
    assert listener.notes[0] == "Tiny"
    (report,) = listener.reports
    assert finished / "tables" / "scores.md" in report.paths
    assert any("dice" in line for line in report.headline)


@pytest.mark.slow
def test_a_suite_runs_from_python_with_the_options_of_the_command(workshop, uninterrupted):
    run = bench.run(workshop.suite(), methods=["ce"], out=workshop.folder / "run", device="cpu", workers=1)
    assert list(run.cells["status"]) == ["planned", "finished"]
    (cases,) = (workshop.folder / "run").glob("cells/ce-*/cases.csv")
    assert cases.read_bytes() == workshop.rows(uninterrupted)[cases.relative_to(workshop.folder / "run").as_posix()]
    again = bench.run(str(workshop.suite()), overrides=["seeds=[1]"], methods=["ce"], out=str(workshop.folder / "run"))
    assert list(again.cells["seed"]) == [1, 1]
    assert again.orphaned


@pytest.mark.slow
def test_a_refusal_of_a_worker_ends_the_run_with_its_words_and_no_worker_stays(workshop):
    from bench.data.phantom.export import write_lits
    from bench.data.phantom.settings import PhantomSettings

    write_lits(workshop.folder / "lits", PhantomSettings(cases=4, size=(16, 16, 16)))
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    dataset = {"format": "lits", "root": "lits", "target": [2], "roi": [1, 2], **nothing}
    suite = workshop.suite(dataset=dataset, split={"train": 2, "validation": 1, "test": 1})
    planned = workshop.plan(suite)
    image = workshop.folder / "lits" / "volume-2.nii.gz"
    state = image.stat()
    content = bytearray(image.read_bytes())
    content[-1] ^= 1  # the same size and time, so that only reading shows it
    image.write_bytes(content)
    os.utime(image, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(RunError, match="case volume-2: its files changed since this run was planned"):
        bench.run(suite, out=planned.run.path, device="cpu", workers=2)
    assert not list(planned.run.path.glob("cells/*"))


def test_wrong_requests_raise_what_the_command_prints(workshop, tmp_path):
    with pytest.raises(SuiteError, match="unknown key 'stepz'"):
        bench.run(workshop.suite(training={"stepz": 3}))
    with pytest.raises(RunError, match=r"has no run\.json"):
        bench.load(tmp_path)
    with pytest.raises(RunError, match=r"has no run\.json"):
        api.rebuild(RunDirectory(tmp_path))
    assert not (tmp_path / "events.jsonl").exists()


def test_a_cpu_takes_as_many_workers_as_its_cores_carry(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert [api.default_workers("cpu", threads) for threads in (1, 2, 3, 16)] == [8, 4, 2, 1]


def test_the_package_offers_run_and_load_and_nothing_by_accident():
    assert bench.run is api.run
    with pytest.raises(AttributeError, match="module 'bench' has no attribute 'trian'"):
        _ = bench.trian
