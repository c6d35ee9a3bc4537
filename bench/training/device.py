"""The device a cell runs on and the switches that make it repeatable."""

from __future__ import annotations

import os
import platform
import warnings
from pathlib import Path

import torch

from bench.errors import BenchError


def resolve_device(name: str) -> torch.device:
    """`auto` is the first GPU when there is one, else the CPU; anything else is taken at its word.

    Raises:
        BenchError: an unknown device, or a GPU asked for that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BenchError(f"device {name!r} is not known; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"device {name!r} was asked for, but torch {torch.__version__} sees no GPU; use --device auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BenchError(f"device {name!r} was asked for, but torch sees {torch.cuda.device_count()} GPU(s) only")
    return device


def make_repeatable(threads: int, device: torch.device) -> None:
    """One thread count, deterministic kernels; on a GPU only where there are any, as some 3D kernels have none."""
    torch.set_num_threads(threads)
    # fp32 means fp32: by default convolutions on a GPU round their inputs to 10 bits.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    if device.type == "cuda":
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")


def is_usable(device: torch.device) -> bool:
    """Whether the device still computes; some errors of a kernel spoil a GPU for the process that met them."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


def device_facts(device: torch.device) -> dict[str, str]:
    """What a record says about where its numbers came from; none of it is part of a hash."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    capability = torch.backends.cpu.get_cpu_capability()
    return {"device": device.type, "device_name": name, "cpu_capability": capability, "torch": torch.__version__}


def cpu_name() -> str:
    """The processor's name as the kernel tells it, else as the platform does."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
            return next(names, platform.processor())
    except OSError:
        return platform.processor() or platform.machine()
