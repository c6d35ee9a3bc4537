"""The job that finds out what a single threshold would reach on the test cases: a floor under the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bench.errors import RunError
from bench.execution.job import RESULT
from bench.execution.run_job import RunJob
from bench.execution.watch import JobWatch
from bench.files.atomic import write_json
from bench.suite.identity import identify

SMOOTHING = 1.5
"""Standard deviation in voxels of the smoothing behind the second baseline."""


def baseline_id(cases: Sequence[str]) -> str:
    """Identity of the baselines of some prepared test cases."""
    return identify("thresholds", {"cases": list(cases), "version": 1})


@dataclass(frozen=True)
class BaselineJob(RunJob):
    """Best raw threshold, and best threshold after normalisation and smoothing, over one set of test cases."""

    cases: tuple[str, ...]

    @property
    def id(self) -> str:
        return baseline_id(self.cases)

    @property
    def target(self) -> Path:
        return self.context.run.baseline(self.id)

    @cached_property
    def needs(self) -> tuple[Path, ...]:
        return tuple(self.context.cache.folder(case) for case in self.cases)

    def run(self, working: Path, watch: JobWatch) -> None:
        """Try all thresholds on the first channel of the prepared test cases that have a region of interest."""
        from bench.evaluation.thresholds import best_threshold_dice

        watch("threshold baselines")
        cases = [case for case in map(self.context.prepared, self.cases) if case.roi is not None]
        images, labels = [case.image[0] for case in cases], [case.labels for case in cases]
        rois = [np.asarray(case.roi) for case in cases]
        raw = best_threshold_dice(images, labels, rois, normalise=False, smooth_sigma=0.0)
        smooth = best_threshold_dice(images, labels, rois, normalise=True, smooth_sigma=SMOOTHING)
        record = {
            "lines": [
                f"best raw threshold inside the region of interest: DC {raw.dice:.3f} ({raw.cases} test cases with "
                "target; chosen on them, so an upper bound).",
                f"best threshold after subtracting each region's median and smoothing by {SMOOTHING:g} voxels: "
                f"DC {smooth.dice:.3f} (likewise).",
            ],
            "cases": list(self.cases),
        }
        write_json(working / RESULT / "baseline.json", record)

    def record_deaths(self, working: Path, reason: str) -> None:
        raise RunError(f"threshold baselines: {reason}; set threshold_baselines: false to go on without them")
