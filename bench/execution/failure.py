"""How a job ends whose method failed: the status and the reason that its record gives, and the traceback beside it."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

from bench.files.atomic import write_text
from bench.results.records import Status
from bench.suite.schema import Suite
from bench.training.loop import Diverged


def failure(error: BaseException, suite: Suite, result: Path) -> tuple[Status, str]:
    """Status and reason of what a method's error means; `traceback.txt` is written where the reason may not suffice."""
    if isinstance(error, Diverged):
        return "diverged", str(error)
    if _is_out_of_memory(error):
        return "out_of_memory", _memory_advice(suite, error)
    write_text(result / "traceback.txt", "".join(traceback.format_exception(error)))
    return "failed", f"{type(error).__name__}: {error}"


def remedy(folder: Path) -> str:
    """What to do about another job of the run that failed, for the reason of one that needs it."""
    return f"its records are in {folder.parent.name}/{folder.name}; --retry-failed does both again"


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of a GPU or of the machine; torch has no class of its own for the latter."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator: " in str(error)
    )


def _memory_advice(suite: Suite, error: BaseException) -> str:
    sampling = suite.sampling
    return (
        f"out of memory with patch {list(sampling.patch_size)} and batch {sampling.batch_size}; "
        "lower sampling.patch_size, sampling.batch_size or (in validation and scoring) evaluation.window_batch, "
        f"or set training.precision: bf16 ({error})"
    )
