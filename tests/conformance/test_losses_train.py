"""Every loss that can be chosen by name trains: from the suite through real workers to a scored cell."""

from __future__ import annotations

import json
import math

import pytest

import losses
from bench.suite.maps import kinds_of

COMPOUND = {
    "growing": {
        "name": "sum",
        "terms": [
            {"name": "generalized_dice"},
            {"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 2}},
        ],
    },
    "wrapped": {"name": "inverse_weighting", "of": {"name": "weighted_cross_entropy", "weight": "unet_border"}},
    "placed": {"name": "residual_moment", "origin": "volume"},
}


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["case", "patch"])
def test_every_registered_loss_trains_end_to_end(workshop, scope):
    chosen = {name: {"name": name, **losses.describe(name).example} for name in losses.available()} | COMPOUND
    if scope == "patch":
        chosen = {name: loss for name, loss in chosen.items() if kinds_of(loss)}
    suite = workshop.suite(
        methods=[{"id": name.replace("_", "-"), "loss": json.loads(json.dumps(loss))} for name, loss in chosen.items()],
        training={"steps": 2, "validate_every": 2, "checkpoint_every": 2},
        sampling={"map_scope": scope},
        split={"train": 2, "validation": 1, "test": 1},
    )
    workshop.command("run", suite, "--out", "run", "--workers", 2)
    records = [json.loads(path.read_text()) for path in (workshop.folder / "run").glob("cells/*/cell.json")]
    assert len(records) == len(chosen)
    for record in records:
        assert (record["status"], record["reason"]) == ("finished", ""), record["id"]
        assert record["steps"] == 2
    for name in ("order_digest", "start_digest", "comparison"):
        assert len({record[name] for record in records}) == 1, name
    for path in (workshop.folder / "run").glob("cells/*/history.jsonl"):
        curve = [json.loads(line) for line in path.read_text().splitlines()]
        (training,) = [entry for entry in curve if "objective" in entry]
        assert math.isfinite(training["objective"]), path.parent.name
        assert training["gradient_norm"] > 0, path.parent.name
