"""Threshold baselines stand under the table, over exactly the test cases of the plan."""

from __future__ import annotations

import json

from bench.execution.baseline_job import BaselineJob, baseline_id
from bench.execution.context import RunContext
from bench.execution.jobs import jobs_of


def test_one_job_per_set_of_test_cases(workshop):
    nothing = {"train": None, "validation": None, "test": None}
    run = workshop.begin(workshop.suite(threshold_baselines=True, split={**nothing, "folds": 3}, seeds=[0, 1]))
    jobs = [job for job in jobs_of(RunContext.read(run)) if isinstance(job, BaselineJob)]
    assert len(jobs) == 3
    assert len({job.id for job in jobs}) == 3
    assert [job.id for job in jobs] == [baseline_id(job.cases) for job in jobs]


def test_nobody_computes_what_nobody_asked_for(workshop):
    assert not [
        job for job in jobs_of(RunContext.read(workshop.begin(workshop.suite()))) if isinstance(job, BaselineJob)
    ]


def test_both_baselines_are_told_with_their_number_of_cases(workshop):
    run = workshop.here(workshop.suite(threshold_baselines=True), methods=("dice",))
    (record,) = [json.loads(path.read_text()) for path in run.path.glob("baselines/*/baseline.json")]
    assert record["cases"] == run.read_run()["plan"]["cells"][0]["test"]
    raw, smooth = record["lines"]
    assert raw.startswith("best raw threshold inside the region of interest: DC 0.")
    assert "(2 test cases with target; chosen on them, so an upper bound)" in raw
    assert smooth.startswith("best threshold after subtracting each region's median and smoothing by 1.5 voxels")
    workshop.report(run)
    assert raw in (run.path / "tables" / "scores.md").read_text()
