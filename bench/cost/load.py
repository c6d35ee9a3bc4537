"""Whether the machine was busy with something else while it was measured."""

from __future__ import annotations

import os
import time

import torch

from bench.results.costs import LoadRecord


class LoadWatch:
    """Load averages, CPU time and wall time from its making to `record`."""

    def __init__(self) -> None:
        self._before = os.getloadavg()[0]
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def record(self, device: torch.device) -> LoadRecord:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        share = cpu / (wall * torch.get_num_threads()) if device.type == "cpu" else None
        return LoadRecord(
            before=round(self._before, 2),
            after=round(os.getloadavg()[0], 2),
            cpu_share=None if share is None else round(share, 3),
        )
