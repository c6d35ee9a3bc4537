"""Peak memory of a training step, of a method that is alone in the process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bench.cost.contender import Contender


def peak_memory(contender: Contender, device: torch.device) -> int:
    """Bytes at the peak of a step that is not the first.

    CUDA: the allocator's own peak, which includes weights and state of the optimiser. CPU: these, and the most that
    was allocated at once on top of them; the allocator keeps no peak there, so the step is profiled.
    """
    contender.step()  # from here on there is state of the optimiser
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        contender.step()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device)
    contender.forget_gradients()
    return contender.resident_bytes() + allocated_peak(contender.step)


def allocated_peak(work: Callable[[], object]) -> int:
    """The most bytes on the CPU that torch had handed out during `work` at once, beyond those that it had before."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler announces its start and stop on standard error
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_bytes())["traceEvents"]
    facts = [event["args"] for event in events if event["name"] == "[memory]" and event["args"]["Device Type"] == 0]
    if not facts:
        return 0
    before = facts[0]["Total Allocated"] - facts[0]["Bytes"]  # counted in an earlier profile and never seen freed
    return int(max(fact["Total Allocated"] for fact in facts) - before)
