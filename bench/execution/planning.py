"""From a suite file to a run that can start: profile, data, fingerprints, plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import models
from bench.data.dataset import Dataset, open_dataset
from bench.data.fingerprints import FingerprintMemory
from bench.data.splits import split_in_force
from bench.errors import SuiteError
from bench.execution.data_check import Skipped, check_before_run
from bench.execution.environment import environment_here, refuse_elsewhere
from bench.execution.plugin_check import check_plugins
from bench.execution.protocol import protocol_lines
from bench.files.storage import refuse_unwritable
from bench.files.user_cache import user_cache
from bench.results.run_directory import RunDirectory
from bench.suite.loader import Loaded, load
from bench.suite.maps import kinds_of
from bench.suite.methods import laid_out, resolve_method, with_their_controls
from bench.suite.plan import CellPlan, Plan
from bench.suite.planner import make_plan
from bench.suite.problems import refuse
from bench.suite.schema import Suite
from losses import LossError
from losses.registry import nearest
from models import ModelError


@dataclass(frozen=True)
class Request:
    """What the user asked for, on the command line or from Python.

    retry_failed       whether selected cells that ended without scores are done again.
    other_environment  whether a run may go on where the same training gives other numbers.
    """

    suite: Path
    profile: str | None = None
    overrides: Sequence[str] = ()
    methods: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    folds: tuple[int, ...] = ()
    out: Path | None = None
    retry_failed: bool = False
    other_environment: bool = False


@dataclass(frozen=True)
class Planned:
    """A suite with its profile chosen and its data found; `plan` is None while files have not been read yet."""

    request: Request
    suite: Suite
    profile: str
    why: str
    datasets: dict[str, Dataset]
    run: RunDirectory
    unread: int
    plan: Plan | None
    skipped: Skipped = field(default_factory=dict)

    def selected(self) -> tuple[CellPlan, ...]:
        """The cells that this request is about; empty while there is no plan."""
        if self.plan is None:
            return ()
        wanted = with_their_controls(self.suite, self.request.methods)
        return tuple(cell for cell in self.plan.cells if not wanted or cell.method in wanted)

    def _split_line(self) -> list[str]:
        """Where the split comes from, if not from the suite."""
        split = split_in_force(self.suite.split, self.datasets["main"])
        if split == self.suite.split or split.file is None:
            return []
        return [f"Split: {split.file.name}, which lies with the data; the suite names none."]

    def _map_line(self) -> list[str]:
        """Which target maps there are, and what they know."""
        assert self.plan is not None
        described = (cell.identity.get("maps", {"kinds": []}) for cell in self.plan.cells)
        kinds = sorted({(how.get("unit", "voxels"), how["kind"]) for maps in described for how in maps["kinds"]})
        if not kinds:
            return []
        units = {unit: ", ".join(kind for of, kind in kinds if of == unit) for unit in ("voxels", "mm")}
        listed = " and ".join(f"{names}, in {unit}" for unit, names in units.items() if names)
        scopes = {
            "case": "of the whole prepared volume, cut with the patch",
            "patch": "computed in every patch anew, which knows nothing of the lesions outside",
        }
        return [f"Target maps: {listed}, {scopes[self.suite.sampling.map_scope]}."]

    def description(self) -> dict[str, Any]:
        """The content of run.json."""
        assert self.plan is not None, "a run is described after its data was read"
        return {
            "suite_file": self.request.suite.name,
            "suite": self.suite.model_dump(mode="json"),
            "profile": self.profile,
            "why": self.why,
            "protocol": [*protocol_lines(self.suite), *self._map_line(), *self._split_line()],
            "plan": self.plan.model_dump(mode="json"),
            "selected": [cell.id for cell in self.selected()],
            "skipped": self.skipped,
        }


def plan_request(
    request: Request, read_data: bool, note: Callable[[str], None] = lambda _: None, device: str | None = None
) -> Planned:
    """Load, check and plan.

    Args:
        read_data: whether files whose fingerprint is not remembered are read now; without it `plan` may be None.
        note: told what takes time.
        device: where the plan is to be carried out; without it nobody asks where the run was started.

    Raises:
        SuiteError, DataError: with file:line:column, or the case and its path.
        RunError: with `read_data`, when nothing could be written where the run is to live; with `device`, when the run
            was started in another environment.
        StorageError: with `read_data`, when nothing could be written to the cache.
    """
    loaded = load(request.suite, Suite, profile=request.profile, overrides=_overrides(request), available=missing_data)
    try:
        suite = laid_out(loaded.settings)
    except ValueError as error:
        raise refuse(loaded.mark("training"), str(error)) from error
    profile = loaded.profile or "suite"
    run = RunDirectory(request.out or Path("runs") / f"{request.suite.stem}-{profile}")
    if read_data:
        run.refuse_unusable()  # before hours of reading, and before anything large is imported
        refuse_unwritable(user_cache())
    _known_methods(request, suite)
    check_plugins(loaded, contract=read_data)
    _check_parameters(loaded)
    if read_data:
        _check_network(loaded)
    if device is not None and not request.other_environment:
        refuse_elsewhere(run, environment_here(device))
    datasets = {name: open_dataset(settings) for name, settings in suite.datasets().items()}
    memory = FingerprintMemory.of_user()
    unread = sum(
        memory.recall(path) is None for data in datasets.values() for case in data.cases() for path in case.files
    )
    plan = None
    skipped: Skipped = {}
    if read_data or not unread:
        if unread:
            note(f"reading {unread} files once to check them and for their fingerprints")
        skipped = check_before_run(suite, datasets, note)
        memory = FingerprintMemory.of_user()  # with what the check has read
        fingerprints = {
            name: {
                case.id: data.fingerprint(case, memory) for case in data.cases() if case.id not in skipped.get(name, ())
            }
            for name, data in datasets.items()
        }
        memory.save()
        plan = make_plan(suite, datasets, fingerprints, request.folds, skipped)
    return Planned(request, suite, profile, loaded.why, datasets, run, unread, plan, skipped)


def missing_data(suite: Suite) -> str | None:
    """Why the data of a suite cannot be found; None when all of it is there."""
    reasons = (open_dataset(settings).absence() for settings in suite.datasets().values())
    return next((reason for reason in reasons if reason is not None), None)


def _check_parameters(loaded: Loaded[Suite]) -> None:
    """Have every loss and the backbone check their parameters, so that a mistake is found at its line."""
    for index, method in enumerate(loaded.settings.methods):
        try:
            loss, _ = resolve_method(method)
            kinds_of(loss)
        except LossError as error:
            raise refuse(loaded.mark("methods", index, "loss"), str(error)) from error
        except ModelError as error:
            raise refuse(loaded.mark("methods", index, "regressor"), str(error)) from error
    try:
        models.resolve_backbone(loaded.settings.backbone.specification())
    except ModelError as error:
        raise refuse(loaded.mark("backbone"), str(error)) from error


def _check_network(loaded: Loaded[Suite]) -> None:
    """Build network and regressors once, so that a mistake is found before the first cell; imports what they need."""
    suite = loaded.settings
    patch = suite.sampling.patch_size
    parameters = suite.backbone.specification()
    try:
        backbone = models.create_backbone(
            parameters.pop("name"),
            in_channels=1,
            classes=1 + len(suite.dataset.classes),
            spatial_dims=len(patch),
            **parameters,
        )
    except ModelError as error:
        raise refuse(loaded.mark("backbone"), str(error)) from error
    for index, method in enumerate(suite.methods):
        if method.regressor is not None:
            try:
                from bench.execution.assembly import attach_regressor

                attach_regressor(suite, resolve_method(method).regressor or {}, backbone, len(patch))
            except ModelError as error:
                raise refuse(loaded.mark("methods", index, "regressor"), str(error)) from error
    if any(extent % divisor for extent, divisor in zip(patch, backbone.patch_divisor, strict=True)):
        needed = " × ".join(map(str, backbone.patch_divisor))
        text = f"found the patch {list(patch)}; the network {suite.backbone.name!r} takes multiples of {needed} voxels"
        raise refuse(loaded.mark("sampling", "patch_size"), text)


def _overrides(request: Request) -> tuple[str, ...]:
    seeds = (f"seeds=[{', '.join(map(str, request.seeds))}]",) if request.seeds else ()
    return (*request.overrides, *seeds)


def _known_methods(request: Request, suite: Suite) -> None:
    ids = [method.id for method in suite.methods]
    for wanted in request.methods:
        if wanted not in ids:
            raise SuiteError(
                f"--methods: {wanted!r} is no method of {request.suite}.{nearest(wanted, ids)} Known: {', '.join(ids)}"
            )
