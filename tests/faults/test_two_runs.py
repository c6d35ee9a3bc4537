"""Two processes on one run directory: no job is done twice, both end well, and neither replaces the other's plan."""

from __future__ import annotations

from collections import Counter

import pytest


@pytest.mark.slow
def test_two_runs_at_the_same_time_share_the_work(workshop, uninterrupted, nothing_twice):
    suite = workshop.suite()
    processes = [workshop.start("run", suite, "--out", "run", "--workers", 1) for _ in range(2)]
    endings = [(process.communicate(), process.returncode) for process in processes]
    assert [code for _, code in endings] == [0, 0], endings
    run = workshop.folder / "run"
    nothing_twice(run)
    events = workshop.events(run)
    published = Counter(event["job"] for event in events if event["phase"] == "published")
    assert set(published.values()) == {1}
    started = Counter(event["job"] for event in events if event["phase"] == "training" and event["step"] == 1)
    assert set(started.values()) == {1}
    assert len(started) == 2
    assert workshop.scores(run) == workshop.scores(uninterrupted)


@pytest.mark.slow
def test_two_suites_at_the_same_time_prepare_each_case_once_and_both_wait_for_the_other(workshop, empty_cache):
    suites = {"one": workshop.suite(), "two": workshop.suite("two.yaml", seeds=[1])}
    processes = [workshop.start("run", suite, "--out", name, "--workers", 2) for name, suite in suites.items()]
    endings = [(process.communicate(), process.returncode) for process in processes]
    assert [code for _, code in endings] == [0, 0], endings
    events = [event for name in suites for event in workshop.events(workshop.folder / name)]
    cached = Counter(event["job"] for event in events if event["phase"] == "caching")
    assert set(cached.values()) == {1}
    assert cached.keys() == {path.name for path in empty_cache.iterdir()}
    assert len(cached) == 6


@pytest.mark.slow
def test_a_second_run_with_another_plan_is_refused_while_the_first_is_at_work(workshop, killer, misbehaving):
    slow = {"id": "slow", "loss": {"name": "slow", "seconds": 1.0}}
    first = workshop.start("run", workshop.suite(methods=[slow]), "--out", "run", "--workers", 1)
    death = killer("run")
    assert death.wait(first, {"training"}, 0)
    other = workshop.command("run", workshop.suite("other.yaml"), "--out", "run", "--workers", 1, code=1)
    death.kill_group(first, 0)
    assert f"in use by process {first.pid}" in other.stderr
    assert "--out" in other.stderr
    assert "Traceback" not in other.stderr
