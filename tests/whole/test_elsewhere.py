"""A run directory speaks for itself: copied to a machine without cache and data, it gives the same report."""

from __future__ import annotations

import shutil

from bench.results.run_directory import RunDirectory


def contents(run) -> dict[str, bytes]:
    paths = [*run.glob("tables/*"), *run.glob("plots/*")]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def test_a_copied_run_is_reported_without_cache_and_data(workshop, scans, empty_cache):
    clinic = {"format": "phantom", "cases": 1, "seed": 8, "size": [20, 32, 32], "spacing_mm": [6.0, 5.0, 5.0]}
    run = workshop.here(workshop.suite(dataset=scans, evaluate_on={"clinic": clinic | {"target": [2], "roi": [1, 2]}}))
    workshop.report(run)
    before = contents(run.path)
    assert "plots/examples.png" in before
    plan = run.read_run()["plan"]["cells"][0]
    kept = {path.stem for path in (run.path / "previews").iterdir()}
    assert kept == {*plan["test"], *plan["evaluate_on"]["clinic"]}
    copy = RunDirectory(shutil.copytree(run.path, workshop.folder / "elsewhere"))
    shutil.rmtree(run.path)
    shutil.rmtree(workshop.folder / "scans")
    shutil.rmtree(empty_cache.parent)
    for folder in (copy.tables, copy.plots):
        shutil.rmtree(folder)
    workshop.report(copy)
    assert contents(copy.path) == before
