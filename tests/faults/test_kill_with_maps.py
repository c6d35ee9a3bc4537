"""Killed while target maps are computed, or while a method trains with them, a run ends the same."""

from __future__ import annotations

import shutil

import pytest

LOSS = {
    "name": "sum",
    "terms": [
        {"name": "map_dice"},
        {"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 12}},
        {"name": "residual_moment", "origin": "volume"},
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "phases"), [("case", ("target map", "training", "validation")), ("patch", ("training",))]
)
def test_killed_a_method_with_maps_ends_with_the_same_bytes(
    workshop, killer, empty_cache, nothing_twice, scope, phases
):
    suite = workshop.suite(methods=[{"id": "mapped", "loss": LOSS}], sampling={"map_scope": scope})
    workshop.command("run", suite, "--out", "whole", "--workers", 1)
    for entry in empty_cache.iterdir():
        shutil.rmtree(entry)
    run, death = workshop.folder / "killed", killer("killed")
    for phase in phases:
        since = len(workshop.events(run))
        process = workshop.start("run", suite, "--out", "killed", "--workers", 1)
        assert death.wait(process, {phase.partition(" ")[0]}, since)
        death.kill_group(process, since)
    workshop.command("run", suite, "--out", "killed", "--workers", 1)
    nothing_twice(run)
    assert workshop.scores(run) == workshop.scores(workshop.folder / "whole")
    (one,), (other,) = (folder.glob("cells/*/history.jsonl") for folder in (run, workshop.folder / "whole"))
    assert one.read_bytes() == other.read_bytes()
