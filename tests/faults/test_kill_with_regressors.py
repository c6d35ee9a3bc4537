"""Killed while a regressor is trained, between the stages or after a warm start, a run ends the same."""

from __future__ import annotations

import pytest

from bench.files.checksum import is_sealed

LR_NET = {"name": "lr_net", "pretraining_steps": 6}
METHODS = [
    {"id": "dice", "loss": {"name": "dice"}},
    {"id": "tandem", "loss": {"name": "dice"}, "regressor": LR_NET},
    {"id": "warm", "loss": {"name": "cross_entropy"}, "regressor": LR_NET, "start": {"from": "dice"}},
]
MOMENTS = {
    "pre-training": ("lr_net-", {"training", "validation"}),
    "between the stages": ("lr_net-", {"published"}),
    "joint training": ("tandem-", {"training"}),
    "after a warm start": ("warm-", {"training"}),
    "control": ("dice-continued-", {"validation"}),
}
"""Whose event, and in which phases, is waited for before the kill."""


@pytest.mark.slow
def test_killed_before_between_and_in_both_stages_a_run_ends_with_the_same_bytes(workshop, killer, nothing_twice):
    suite = workshop.suite(methods=METHODS)
    workshop.command("run", suite, "--out", "whole", "--workers", 1)
    run, whole, death = workshop.folder / "killed", workshop.folder / "whole", killer("killed")
    for moment, (job, phases) in MOMENTS.items():
        since = len(workshop.events(run, job))
        process = workshop.start("run", suite, "--out", "killed", "--workers", 1)
        death.read = lambda path, job=job: workshop.events(path, job)
        assert death.wait(process, phases, since), moment
        if moment == "pre-training":
            death.hesitate(0.3)
        death.kill_group(process, since)
        if moment == "between the stages":
            (folder,) = run.glob("pretrained/*")
            assert is_sealed(folder)
            assert not [event for event in workshop.events(run, "tandem-") if event["phase"] == "training"]
    workshop.command("run", suite, "--out", "killed", "--workers", 1)
    nothing_twice(run)
    assert workshop.scores(run) == workshop.scores(whole)
    kept = ("pretrained/*/*", "cells/*/history.jsonl", "cells/*/checkpoints/*.pt")
    names = [path.relative_to(whole) for pattern in kept for path in sorted(whole.glob(pattern))]
    assert len(names) == 4 + 4 + 8
    for name in names:
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
