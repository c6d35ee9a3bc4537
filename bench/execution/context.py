"""What every job of a run shares, read from the run directory: suite, plan, opened data sets, device."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.data.dataset import Dataset, open_dataset
from bench.results.run_directory import RunDirectory
from bench.suite.planner import Plan
from bench.suite.schema import Suite

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RunContext:
    """One run as its workers see it."""

    run: RunDirectory
    suite: Suite
    plan: Plan
    profile: str
    selected: frozenset[str]
    device_name: str = "auto"

    @classmethod
    def read(cls, run: RunDirectory, device: str = "auto") -> RunContext:
        """Read suite and plan from run.json."""
        content: dict[str, Any] = run.read_run()
        return cls(
            run=run,
            suite=Suite.model_validate_json(json.dumps(content["suite"])),
            plan=Plan.model_validate_json(json.dumps(content["plan"])),
            profile=content["profile"],
            selected=frozenset(content["selected"]),
            device_name=device,
        )

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """The data sets by name, opened on first use."""
        return {name: open_dataset(settings) for name, settings in self.suite.datasets().items()}

    @cached_property
    def device(self) -> torch.device:
        """The device of this process."""
        from bench.training.device import resolve_device

        return resolve_device(self.device_name)
