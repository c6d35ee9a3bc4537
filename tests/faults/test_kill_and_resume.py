"""Kill -9 at any moment, then the same command again: the same bytes as without a disturbance."""

from __future__ import annotations

import json

import pytest

ROUNDS = 12


def run_again(workshop, name: str) -> None:
    workshop.command("run", workshop.suite(), "--out", name, "--workers", 2)


def test_a_worker_killed_while_it_trains_leaves_what_another_needs_to_end_with_the_same_bytes(
    workshop, uninterrupted, killer, nothing_twice
):
    run, death = workshop.begin(workshop.suite()), killer("run")
    process = workshop.start("work", run.path, "--device", "cpu")
    assert death.wait(process, {"training"}, 0)
    death.hesitate(0.1)
    death.kill_group(process, 0)
    assert process.returncode == -9
    assert not list(run.path.glob("cells/*/seal.json"))
    workshop.work(run)
    workshop.report(run)
    assert workshop.scores(run.path) == workshop.scores(uninterrupted)
    nothing_twice(run.path)


PHASES = ("prepare", "caching", "training", "validation", "scoring", "half a report")
"""Where the whole group is killed, in the order in which a run comes to them."""


@pytest.mark.slow
def test_killing_the_whole_group_in_every_phase_changes_no_byte(
    workshop, uninterrupted, killer, nothing_twice, monkeypatch
):
    wanted, seen = set(PHASES), set()
    for attempt in range(ROUNDS):
        monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(workshop.folder / f"cache-{attempt}"))
        death = killer(f"run-{attempt}")
        while missing := wanted - seen:
            since = len(workshop.events(death.run))
            process = workshop.start("run", workshop.suite(), "--out", death.run, "--workers", 2)
            target = min(missing, key=PHASES.index)
            report = target == "half a report"
            if death.wait(process, {"reporting" if report else target}, since) is None:
                process.communicate()
                break
            if report:
                death.wait_for_tables(process)
            else:
                death.hesitate(0.2 if target == "training" else 0.02)
            death.kill_group(process, since)
            seen |= death.phases
            if "reporting" in death.phases and death.half_written():
                seen.add("half a report")
        run_again(workshop, death.run)
        assert workshop.scores(death.run) == workshop.scores(uninterrupted)
        nothing_twice(death.run)
        if wanted <= seen:
            return
    raise AssertionError(f"killed only in {seen}")


@pytest.mark.slow
def test_killing_single_workers_in_every_phase_changes_no_byte(workshop, uninterrupted, killer, nothing_twice):
    wanted, seen = {"training", "validation", "scoring"}, set()
    for attempt in range(ROUNDS):
        death = killer(f"run-{attempt}")
        process = workshop.start("run", workshop.suite(), "--out", death.run, "--workers", 2)
        for target in death.random.sample(sorted(wanted), len(wanted)):
            since = len(workshop.events(death.run))
            event = death.wait(process, {target}, since)
            if event is None:
                break
            death.hesitate(0.02)
            try:
                death.kill_worker(event["pid"], 0)
            except ProcessLookupError:
                break
        out, err = process.communicate()
        assert process.returncode == 0, out + err
        assert workshop.scores(death.run) == workshop.scores(uninterrupted)
        nothing_twice(death.run)
        seen |= death.phases
        if wanted <= seen:
            return
    raise AssertionError(f"killed only in {seen}")


@pytest.mark.slow
def test_curves_and_weights_of_a_resumed_cell_are_those_of_an_undisturbed_one(workshop, uninterrupted, killer):
    import torch

    death = killer("run")
    for target in ("training", "validation", "scoring"):
        since = len(workshop.events(death.run))
        process = workshop.start("run", workshop.suite(), "--out", "run", "--workers", 2)
        if death.wait(process, {target}, since) is not None:
            death.hesitate(0.05)
            death.kill_group(process, since)
        process.communicate()
    run_again(workshop, "run")
    for cell in (uninterrupted / "cells").iterdir():
        other = death.run / "cells" / cell.name
        lines = [json.loads(line) for line in (other / "history.jsonl").read_text().splitlines()]
        steps = [(line["step"], "dice" in line) for line in lines]
        assert len(steps) == len(set(steps))
        assert (other / "history.jsonl").read_bytes() == (cell / "history.jsonl").read_bytes()
        for block in ("best", "last"):
            here, there = (torch.load(c / "checkpoints" / f"{block}.pt", weights_only=True) for c in (cell, other))
            assert here["weights"].keys() == there["weights"].keys()
            assert all(torch.equal(here["weights"][name], there["weights"][name]) for name in here["weights"])


def test_neither_workers_nor_their_number_nor_another_order_of_jobs_leaks_into_the_tables(workshop, uninterrupted):
    run = workshop.begin(workshop.suite())
    content = json.loads(run.run_file.read_text())
    content["plan"]["prepare"].reverse()
    turned = content["plan"]["cells"][::-1]
    run.write_run({**content, "plan": {**content["plan"], "cells": turned}})
    workshop.work(run)
    assert [event["job"] for event in workshop.events(run.path) if event["phase"] == "published"][-1].startswith("dice")
    run.write_run({**content, "plan": {**content["plan"], "cells": turned[::-1]}})
    workshop.report(run)
    assert workshop.scores(run.path) == workshop.scores(uninterrupted)
