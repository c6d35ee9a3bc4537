"""What methods cost, as `python -m bench cost` measured it: cost.json, apart from all scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple, get_args

from pydantic import ConfigDict, ValidationError, model_validator

from bench.errors import RunError
from bench.files.atomic import write_json
from bench.settings import PositiveFloat, PositiveInt, Settings

FILE = "cost.json"

QUIET_CPUS = 0.25
"""CPUs that other processes may keep busy without disturbing a measurement."""

_SETUP = {
    "sampling": ("patch_size", "batch_size", "foreground_patches"),
    "training": ("precision", "threads_per_cell", "memory_format", "compile"),
    "evaluation": ("window_overlap", "window_batch"),
}
"""Settings beside network and classes that change what a step or an inference costs."""


Timed = Literal["step_seconds", "inference_seconds"]


class MethodCost(Settings):
    """One method; what it lacks could not be measured, for the `reason` given."""

    id: str
    label: str
    loss: dict[str, Any] | None
    """As in the suite, so that figures of another loss under the same id are noticed."""
    regressor: dict[str, Any] | None = None
    """Likewise."""
    reason: str = ""
    step_seconds: tuple[PositiveFloat, ...] = ()
    """One per round; the rounds of all methods belong together."""
    inference_seconds: tuple[PositiveFloat, ...] = ()
    peak_memory_bytes: int | None = None
    parameters_trained: int | None = None
    parameters_inference: int | None = None


class LoadRecord(Settings):
    """How busy the machine was, with this measurement and with other things."""

    before: float
    """Load average of one minute."""
    after: float
    cpu_share: float | None
    """CPU seconds of the measurement / (wall seconds × threads); None where a GPU did the work."""
    other_cpus: float | None
    """CPUs that other processes kept busy meanwhile; None where the kernel does not say."""

    def busy(self, threads: int) -> bool:
        """Whether something else was running."""
        if self.other_cpus is not None and self.other_cpus > QUIET_CPUS:
            return True
        return max(self.before, self.after) > threads


class Environment(Settings):
    """Where and with what it was measured."""

    model_config = ConfigDict(extra="allow")

    device: str
    device_name: str
    threads: PositiveInt
    torch: str
    commit: str
    finished_at: str


class CostRecord(Settings):
    """The content of cost.json."""

    schema_version: Literal[1] = 1
    suite_file: str
    title: str
    profile: str
    setup: dict[str, Any]
    """What `setup_of` takes from the suite."""
    batch: str
    volume: str
    baseline: str | None
    warm_up: int
    load: LoadRecord
    environment: Environment
    methods: tuple[MethodCost, ...]

    @model_validator(mode="after")
    def _rounds_belong_together(self) -> CostRecord:
        for kind in get_args(Timed):
            rounds = {len(getattr(method, kind)) for method in self.methods} - {0}
            if len(rounds) > 1:
                raise ValueError(f"{kind}: methods have {sorted(rounds)} rounds, expected one number for all")
        return self

    def ratio(self, method: MethodCost, seconds: Timed) -> float | None:
        """Median over the rounds of the method's time over the baseline's in the same round; None without either."""
        baseline = next((other for other in self.methods if other.id == self.baseline), None)
        if baseline is None or not getattr(baseline, seconds) or not getattr(method, seconds):
            return None
        return median_ratio(getattr(method, seconds), getattr(baseline, seconds))


class Spread(NamedTuple):
    """Median and quartiles."""

    lower: float
    median: float
    upper: float


def spread(seconds: Sequence[float]) -> Spread:
    """Quartiles by linear interpolation."""
    import numpy as np

    return Spread(*(float(value) for value in np.percentile(seconds, (25, 50, 75))))


def median_ratio(seconds: Sequence[float], others: Sequence[float]) -> float:
    """Median of the ratios round by round: what slows a round down slows both."""
    return median(mine / other for mine, other in zip(seconds, others, strict=True))


def setup_of(suite: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in a suite, given as plain values, that changes a cost but is not a method."""
    sections = {name: suite.get(name) or {} for name in _SETUP}
    chosen = {f"{name}.{key}": sections[name].get(key) for name, keys in _SETUP.items() for key in keys}
    return {"backbone": suite.get("backbone"), "target": (suite.get("dataset") or {}).get("target"), **chosen}


def write_costs(folder: Path, record: CostRecord) -> None:
    """Write cost.json."""
    write_json(folder / FILE, record.model_dump(mode="json"))


def read_costs(folder: Path) -> CostRecord | None:
    """Read cost.json; None where nobody has measured.

    Raises:
        RunError: the file cannot be read, or is of another schema version.
    """
    path = folder / FILE
    try:
        return CostRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror}); measure again with `cost SUITE`") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise RunError(
            f"{path} is no cost record of this version: {place}: {first['msg']}; measure again with `cost SUITE`"
        ) from error
