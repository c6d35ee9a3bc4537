"""From a suite to a plan: which cases are prepared, which cells are trained and scored, under which identities.

A plan needs the fingerprints of the data but reads no voxel; it is stored in the run directory, where workers take it
from, so that suite and data are interpreted once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field

import losses
import models
from bench.data.dataset import Dataset, formats
from bench.data.prepared import SCHEMA_VERSION
from bench.data.preprocessing import PREPROCESSING_VERSION
from bench.data.sampler import SAMPLER_VERSION
from bench.data.splits import Split, make_splits, split_in_force
from bench.data.volume import Case
from bench.errors import SuiteError
from bench.evaluation.metrics import METRICS_VERSION
from bench.files.names import LONGEST, PATTERN
from bench.settings import Settings
from bench.suite import plugins
from bench.suite.identity import digest, identify
from bench.suite.maps import hashed, kinds_of, map_identity
from bench.suite.schema import MethodSettings, Suite
from bench.training.settings import TRAINING_VERSION

NOT_HASHED = {"checkpoint_every", "protocol"}
"""Training settings that change no number, or only through the schedule, which is hashed as it is in force."""


PlainName = Annotated[str, Field(pattern=f"^{PATTERN}$", max_length=LONGEST)]
"""What becomes the name of a file or folder; a plan may come from a stranger."""


class PreparePlan(Settings):
    """One case to be prepared: `id` is the identity of the result."""

    id: PlainName
    dataset: PlainName
    case: PlainName
    fingerprint: str


class MapPlan(Settings):
    """One target map of one prepared case: `id` is the identity of the result, `case` that of the prepared case."""

    id: PlainName
    case: PlainName
    kind: PlainName


class CellPlan(Settings):
    """One method × fold × seed; case lists hold identities of prepared cases."""

    id: PlainName
    method: str
    seed: int
    fold: int
    train: tuple[PlainName, ...]
    validation: tuple[PlainName, ...]
    test: tuple[PlainName, ...]
    evaluate_on: dict[PlainName, tuple[PlainName, ...]]
    maps: dict[PlainName, tuple[PlainName, ...]] = Field(default_factory=dict)
    """Target maps to be read from the cache by kind: their identities, in the order of `train`."""
    selected_on_reported: bool
    comparison: str
    """Digest of everything that the cells of one comparison must share: data, split, patches, budget, seed."""
    identity: dict[str, Any]

    @property
    def needs(self) -> tuple[str, ...]:
        """Prepared cases that must be there before the cell can start."""
        return tuple(dict.fromkeys((*self.train, *self.validation, *self.scored)))

    @property
    def map_needs(self) -> tuple[str, ...]:
        """Target maps that must be there before the cell can start."""
        return tuple(identity for identities in self.maps.values() for identity in identities)

    @property
    def scored(self) -> tuple[str, ...]:
        """Prepared cases that the trained method is scored on."""
        extra = [case for cases in self.evaluate_on.values() for case in cases]
        return (*self.test, *extra)


class Plan(Settings):
    """All jobs of a run."""

    prepare: tuple[PreparePlan, ...]
    maps: tuple[MapPlan, ...] = ()
    cells: tuple[CellPlan, ...]
    plugins: dict[str, str] = Field(default_factory=dict)
    """The plug-in files of the suite by path, and the SHA-256 of their content."""


def make_plan(
    suite: Suite,
    datasets: Mapping[str, Dataset],
    fingerprints: Mapping[str, Mapping[str, str]],
    folds: Sequence[int] = (),
    skipped: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Plan:
    """Lay out all jobs of a suite.

    Args:
        datasets: opened data sets by the names of `Suite.datasets()`.
        fingerprints: per data set, the fingerprint of each case by case id.
        folds: the folds to run; all by default.
        skipped: per data set, the ids of cases to leave out, which need no fingerprint.

    Raises:
        DataError: from the split (a patient in two parts, an unknown case).
        SuiteError: a fold that does not exist, or a split without validation or test cases.
    """
    cases = {
        name: [case for case in dataset.cases() if case.id not in skipped.get(name, ())]
        for name, dataset in datasets.items()
    }
    prepared = {
        name: {case.id: _prepare(suite, name, case, fingerprints[name][case.id]) for case in listed}
        for name, listed in cases.items()
    }
    splits = make_splits(cases["main"], split_in_force(suite.split, datasets["main"]), skipped.get("main", ()))
    chosen = _chosen(folds, splits)
    cells = tuple(
        _cell(suite, method, seed, fold, splits[fold], prepared)
        for fold in chosen
        for seed in suite.seeds
        for method in suite.methods
    )
    needed = {identity for cell in cells for identity in cell.needs}
    jobs = (job for group in prepared.values() for job in group.values() if job.id in needed)
    return Plan(prepare=tuple(jobs), maps=_map_jobs(cells), cells=cells, plugins=plugins.checksums())


def _map_jobs(cells: Sequence[CellPlan]) -> tuple[MapPlan, ...]:
    """Every map that a cell reads, once."""
    found = {
        identity: MapPlan(id=identity, case=case, kind=kind)
        for cell in cells
        for kind, identities in cell.maps.items()
        for case, identity in zip(cell.train, identities, strict=True)
    }
    return tuple(found.values())


def _chosen(folds: Sequence[int], splits: Sequence[Split]) -> tuple[int, ...]:
    """The folds to run, provided that they exist and can be selected and reported on."""
    chosen = tuple(dict.fromkeys(folds)) or tuple(range(len(splits)))
    unknown = [fold for fold in chosen if not 0 <= fold < len(splits)]
    if unknown:
        known = "only fold 0" if len(splits) == 1 else f"folds 0 to {len(splits) - 1}"
        raise SuiteError(f"--folds: there is no fold {unknown[0]}; the suite's split has {known}")
    for fold in chosen:
        for part, purpose in (("validation", "select a checkpoint on"), ("test", "report on")):
            if not getattr(splits[fold], part):
                raise SuiteError(f"split: fold {fold} has no case to {purpose}; give split.{part} at least one patient")
    return chosen


def _prepare(suite: Suite, name: str, case: Case, fingerprint: str) -> PreparePlan:
    content = {
        "case": case.id,
        "patient": case.patient,
        "fingerprint": fingerprint,
        "labels": suite.datasets()[name].interpretation(),
        "preprocessing": suite.preprocessing.identity(),
        "version": [PREPROCESSING_VERSION, SCHEMA_VERSION],
    }
    if origin := plugins.origin(formats, suite.datasets()[name].format):
        content["format"] = origin
    return PreparePlan(id=identify(case.id, content), dataset=name, case=case.id, fingerprint=fingerprint)


def _cell(
    suite: Suite,
    method: MethodSettings,
    seed: int,
    fold: int,
    split: Split,
    prepared: Mapping[str, Mapping[str, PreparePlan]],
) -> CellPlan:
    parts = {
        part: tuple(prepared["main"][case].id for case in getattr(split, part))
        for part in ("train", "validation", "test")
    }
    evaluate_on = {name: tuple(job.id for job in group.values()) for name, group in prepared.items() if name != "main"}
    shared = {
        "cases": {**parts, **evaluate_on},
        "classes": list(suite.dataset.classes),
        "sampling": suite.sampling.identity(),
        "training": suite.training.model_dump(mode="json", exclude=NOT_HASHED)
        | {"schedule": suite.training.decay.model_dump(mode="json")},
        "evaluation": suite.evaluation.model_dump(mode="json"),
        "seed": seed,
        "versions": {"sampler": SAMPLER_VERSION, "training": TRAINING_VERSION, "metrics": METRICS_VERSION},
    }
    backbone = models.resolve_backbone(suite.backbone.specification())
    loss = losses.resolve(method.loss.specification())
    kinds, scope = kinds_of(loss), suite.sampling.map_scope
    code = plugins.versions(loss, backbone["name"])
    identity = {**shared, "backbone": backbone, "loss": loss, "code": code, **hashed(kinds, scope)}
    if origins := plugins.origins(loss, backbone["name"]):
        identity["plugins"] = origins
    return CellPlan(
        id=identify(f"{method.id}-s{seed}-f{fold}", identity),
        method=method.id,
        seed=seed,
        fold=fold,
        **parts,
        evaluate_on=evaluate_on,
        maps={kind: tuple(map_identity(case, kind) for case in parts["train"]) for kind in kinds if scope == "case"},
        selected_on_reported=split.selected_on_reported,
        comparison=digest(shared),
        identity=identity,
    )
