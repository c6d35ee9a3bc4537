"""What a cell takes over from other jobs before its first step: weights to start from, a regressor that is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bench.execution.failure import remedy
from bench.execution.pretrain_job import use_pretrained
from bench.results.records import read_cell
from bench.results.run_directory import RunDirectory
from bench.suite.plan import CellPlan
from bench.training.checkpoints import from_bytes
from bench.training.digests import digest_of
from bench.training.settings import TrainingSettings
from models.method import Method


class StartFailed(Exception):
    """A cell cannot begin, because the one that it starts from has no weights."""


def begin(method: Method, plan: CellPlan, run: RunDirectory, facts: dict[str, Any]) -> None:
    """Give a method what its plan takes over, and note what that is.

    Raises:
        StartFailed, PretrainingFailed: the other job has no weights.
    """
    if plan.start is not None:
        folder = run.cell(plan.start)
        record = read_cell(folder)
        if record["status"] != "finished":
            raise StartFailed(
                f"the cell that it starts from, {plan.start}, {record['status']}: {record['reason']}; {remedy(folder)}"
            )
        _load_shared(method, folder / "checkpoints" / "best.pt")
        facts["started_from"] = {"cell": plan.start, "step": record["best_step"], "steps": record["steps"]}
    if plan.pretrained is not None:
        use_pretrained(method, run.pretrained(plan.pretrained))
        facts["pretrained"] = plan.pretrained
        facts["regressor_digest"] = digest_of(_regressor(method))


def refuse_thawed(method: Method, facts: Mapping[str, Any]) -> None:
    """See that a frozen regressor has the weights that it had before the first step."""
    if "regressor_digest" in facts and digest_of(_regressor(method)) != facts["regressor_digest"]:
        name = facts["pretrained"]
        raise AssertionError(
            f"the weights of the frozen regressor {name} changed in training; a regressor's freeze() "
            "must take all of them out of the optimiser and its forward() change none"
        )


def stage_settings(settings: TrainingSettings, plan: CellPlan) -> TrainingSettings:
    """The suite's budget, with the learning rate that the plan's stage has."""
    start = plan.identity.get("start")
    return settings if start is None else settings.model_copy(update={"learning_rate": float(start["learning_rate"])})


def _load_shared(method: Method, path: Path) -> None:
    """Take over every weight that the method has too, in the same shape: a head of its own keeps its first weights."""
    weights: Mapping[str, torch.Tensor] = from_bytes(path.read_bytes(), str(path))["weights"]
    own = method.state_dict()
    shared = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    body = ("backbone.encoder.", "backbone.decoder.")
    lacking = [name for name in own if name.startswith(body) and name not in shared]
    if lacking:
        raise StartFailed(f"{path} has no weights for {lacking[0]}, so it is of another network")
    method.load_state_dict(shared, strict=False)


def _regressor(method: Method) -> torch.nn.Module:
    assert method.regressor is not None
    return method.regressor
