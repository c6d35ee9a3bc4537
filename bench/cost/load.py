"""Whether the machine was busy with something else while it was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

from bench.results.costs import LoadRecord

_NOT_BUSY = (3, 4)
"""Fields of /proc/stat that are no work: idle, and waiting for disks."""


class LoadWatch:
    """Load averages, CPU time and wall time from its making to `record`."""

    def __init__(self) -> None:
        self._before = os.getloadavg()[0]
        self._wall, self._cpu, self._machine = time.perf_counter(), time.process_time(), machine_seconds()

    def record(self, device: torch.device) -> LoadRecord:
        """What happened since; `device` did the work."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return LoadRecord(
            before=round(self._before, 2),
            after=round(os.getloadavg()[0], 2),
            cpu_share=round(cpu / (wall * torch.get_num_threads()), 3) if device.type == "cpu" else None,
            other_cpus=self._others(wall, cpu),
        )

    def _others(self, wall: float, cpu: float) -> float | None:
        """How many CPUs other processes kept busy."""
        machine = machine_seconds()
        if machine is None or self._machine is None:
            return None
        return round(max(machine - self._machine - cpu, 0.0) / wall, 2)


def machine_seconds() -> float | None:
    """Seconds that all processors of this machine have worked since it started; None where the kernel does not say."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]
    except OSError:
        return None
    ticks = sum(int(field) for index, field in enumerate(fields) if index not in _NOT_BUSY)
    return ticks / os.sysconf("SC_CLK_TCK")
