"""The measurement: memory of each method alone, then timed steps and inferences, method after method in turns."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from bench.cost.contender import Contender
from bench.cost.inputs import Inputs, choose_inputs
from bench.cost.load import LoadWatch
from bench.cost.memory import peak_memory
from bench.cost.turns import take_turns
from bench.errors import BenchError
from bench.execution.planning import Planned
from bench.results.costs import CostRecord, Environment, MethodCost, setup_of
from bench.results.provenance import provenance
from bench.suite.schema import MethodSettings
from bench.training.device import device_facts, make_repeatable, resolve_device
from models.errors import ModelError

WARM_UP = 3
STEPS = 20
INFERENCES = 5

Note = Callable[[str], None]


def measure(planned: Planned, device_name: str, note: Note = lambda _: None) -> CostRecord:
    """Measure the requested methods of a suite.

    A method that cannot take a step stays in the record with the reason.

    Raises:
        BenchError: the device is not there, or a method stops working among the timed steps.
    """
    suite, wanted = planned.suite, planned.request.methods
    device = resolve_device(device_name)
    make_repeatable(suite.training.threads_per_cell, device)
    load = LoadWatch()
    inputs = choose_inputs(planned)
    facts = {}
    for method in suite.methods:
        if not wanted or method.id in wanted:
            note(f"memory: {method.id}")
            facts[method.id] = _alone(method, planned, inputs, device)
    able = [method for method in suite.methods if "peak_memory_bytes" in facts.get(method.id, {})]
    timed = _in_turns(able, planned, inputs, device, note)
    note("")
    return CostRecord(
        suite_file=planned.request.suite.name,
        title=suite.title,
        profile=planned.profile,
        setup=setup_of(suite.model_dump(mode="json")),
        batch=inputs.batch_words,
        volume=inputs.volume_words,
        baseline=suite.baseline,
        warm_up=WARM_UP,
        load=load.record(device),
        environment=Environment.model_validate(
            {**provenance(), **device_facts(device), "threads": torch.get_num_threads()}
        ),
        methods=tuple(
            MethodCost.model_validate({**_identity(method), **facts[method.id], **timed.get(method.id, {})})
            for method in suite.methods
            if method.id in facts
        ),
    )


def _identity(method: MethodSettings) -> dict[str, Any]:
    return {"id": method.id, "label": method.title, **method.model_dump(mode="json", include={"loss", "regressor"})}


def _alone(method: MethodSettings, planned: Planned, inputs: Inputs, device: torch.device) -> dict[str, Any]:
    """What is measured while no other method is in memory; or why it cannot be."""
    gc.collect()
    try:
        contender = Contender(planned.suite, method, inputs, device)
        return {
            "parameters_trained": contender.parameters_trained,
            "parameters_inference": contender.parameters_inference,
            "peak_memory_bytes": peak_memory(contender, device),
        }
    except (BenchError, ModelError, OSError):
        raise  # the suite's or the machine's trouble, not the method's
    except Exception as error:  # noqa: BLE001
        # A method may fail in any way; that is its result, and the others are measured.
        return {"reason": f"{type(error).__name__}: {error}"}


def _in_turns(
    methods: list[MethodSettings], planned: Planned, inputs: Inputs, device: torch.device, note: Note
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Seconds of every round by method."""
    if not methods:
        return {}
    settle = partial(torch.cuda.synchronize, device) if device.type == "cuda" else lambda: None
    contenders = {method.id: Contender(planned.suite, method, inputs, device) for method in methods}
    plan = {"step_seconds": (Contender.step, STEPS, WARM_UP), "inference_seconds": (Contender.infer, INFERENCES, 1)}
    found: dict[str, dict[str, tuple[float, ...]]] = {method.id: {} for method in methods}
    for kind, (act, rounds, warm_up) in plan.items():
        note(f"{kind.removesuffix('_seconds')}s: {rounds} of each method")
        turns: Mapping[str, Callable[[], object]] = {
            name: partial(_named, name, partial(act, contender)) for name, contender in contenders.items()
        }
        for name, seconds in take_turns(turns, rounds, warm_up=warm_up, settle=settle).items():
            found[name][kind] = tuple(seconds)
    return found


def _named(name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:
        raise BenchError(
            f"{name} stopped working while it was timed ({type(error).__name__}: {error}); measure the others with "
            "--methods"
        ) from error
