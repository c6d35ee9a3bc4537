"""What every job of a run shares, read from the run directory: suite, plan, opened data sets, device."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from pydantic import ValidationError

from bench.data.cache.store import CaseCache
from bench.data.dataset import Dataset, open_dataset
from bench.data.fingerprints import FingerprintMemory
from bench.data.patch_maps import PatchMaps
from bench.data.prepared import Prepared, open_prepared
from bench.data.stored_maps import open_map
from bench.errors import RunError
from bench.execution.sources import Sources
from bench.results.run_directory import RunDirectory
from bench.suite import plugins
from bench.suite.plan import Plan
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
    def read(cls, run: RunDirectory, device: str = "auto", trust_plugins: bool = False) -> RunContext:
        """Read suite and plan from run.json, and put its plug-ins in force, which executes them.

        Raises:
            RunError: not a run directory, or one whose suite or plan is not as this program writes it; or it names
                plug-ins and nobody said `trust_plugins`, or one of them is not as it was when the run was planned.
        """
        content: dict[str, Any] = run.read_run()
        try:
            plan = Plan.model_validate_json(json.dumps(content["plan"]))
            _use_plugins(run, plan, trust_plugins)
            return cls(
                run=run,
                suite=Suite.model_validate_json(json.dumps(content["suite"])),
                plan=plan,
                profile=content["profile"],
                selected=frozenset(content["selected"]),
                device_name=device,
            )
        except ValidationError as error:
            found = error.errors()[0]
            place = ".".join(map(str, found["loc"]))
            raise RunError(f"{run.run_file}: {place}: {found['msg']}; run the suite again to rewrite it") from error
        except (KeyError, TypeError) as error:
            raise RunError(f"{run.run_file} has no usable plan ({error!r}); run the suite again") from error

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """The data sets by name, opened on first use."""
        return {name: open_dataset(settings) for name, settings in self.suite.datasets().items()}

    @cached_property
    def cache(self) -> CaseCache:
        """Where prepared cases lie."""
        return CaseCache.of_user()

    @cached_property
    def sources(self) -> Sources:
        """What the cases are made of."""
        return Sources(self.datasets, self.plan, FingerprintMemory.of_user())

    def prepared(self, identity: str) -> Prepared:
        """Open a prepared case, which counts as a use of it.

        Raises:
            DataError: the cache does not have it.
        """
        self.cache.touch(identity)
        return open_prepared(self.cache.folder(identity))

    def stored_maps(
        self, required: tuple[str, ...], planned: Mapping[str, Sequence[str]], cases: Sequence[Prepared]
    ) -> PatchMaps:
        """The maps for patches of these cases, `planned` by kind in the order of the cases; stored ones count as used.

        Raises:
            DataError: the cache does not have a map, or it is not one of its case.
        """
        classes = 1 + len(self.suite.dataset.classes)
        if self.suite.sampling.map_scope == "patch":
            return PatchMaps(required, classes)
        stored: list[dict[str, npt.NDArray[Any]]] = [{} for _ in cases]
        for kind, identities in planned.items():
            for maps, case, identity in zip(stored, cases, identities, strict=True):
                self.cache.touch(identity)
                maps[kind] = open_map(self.cache.folder(identity), kind, case)
        return PatchMaps(required, classes, stored)

    @cached_property
    def device(self) -> torch.device:
        """The device of this process."""
        from bench.training.device import resolve_device

        return resolve_device(self.device_name)


def _use_plugins(run: RunDirectory, plan: Plan, trusted: bool) -> None:
    if plan.plugins and not trusted:
        raise RunError(
            f"{run.run_file} names plug-ins, Python code that would be executed here: {', '.join(plan.plugins)}; if "
            "you trust them, say so with --trust-plugins, or run the suite itself"
        )
    plugins.withdraw()
    for path, checksum in plan.plugins.items():
        try:
            plugins.use(Path(path), checksum)
        except plugins.PluginError as error:
            raise RunError(f"{run.run_file} names the plug-in {error}; run the suite again") from error
