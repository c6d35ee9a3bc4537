"""From a suite to a plan: which cases are prepared, which cells are trained and scored, under which identities.

A plan needs the fingerprints of the data but reads no voxel; it is stored in the run directory, where workers take it
from, so that suite and data are interpreted once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import models
from bench.data.dataset import Dataset, formats
from bench.data.prepared import SCHEMA_VERSION
from bench.data.preprocessing import PREPROCESSING_VERSION
from bench.data.sampler import SAMPLER_VERSION
from bench.data.settings import PRETRAIN
from bench.data.splits import Split, make_splits, split_in_force
from bench.data.volume import Case
from bench.errors import SuiteError
from bench.evaluation.metrics import METRICS_VERSION
from bench.suite import plugins
from bench.suite.identity import digest, identify
from bench.suite.maps import hashed, kinds_of, map_identity
from bench.suite.methods import resolve_method
from bench.suite.plan import CellPlan, MapPlan, Plan, PreparePlan, PretrainPlan
from bench.suite.schema import MethodSettings, Suite
from bench.training.settings import PRETRAINING_VERSION, TRAINING_VERSION

NOT_HASHED = {"checkpoint_every", "protocol"}
"""Training settings that change no number, or only through the schedule, which is hashed as it is in force."""


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
    cells: list[CellPlan] = []
    pretrain: dict[str, PretrainPlan] = {}
    for fold in chosen:
        for seed in suite.seeds:
            planner = _Planner(suite, seed, fold, splits[fold], prepared)
            cells += planner.cells()
            pretrain |= planner.pretrain
    needed = {identity for cell in cells for identity in cell.needs}
    needed |= {identity for plan in pretrain.values() for identity in plan.needs}
    jobs = (job for group in prepared.values() for job in group.values() if job.id in needed)
    return Plan(
        prepare=tuple(jobs),
        maps=_map_jobs(cells, pretrain.values()),
        pretrain=tuple(pretrain.values()),
        cells=tuple(cells),
        plugins=plugins.checksums(),
    )


def _map_jobs(cells: Iterable[CellPlan], pretrain: Iterable[PretrainPlan]) -> tuple[MapPlan, ...]:
    """Every map that a job reads, once."""
    read = [
        *((cell.train, cell.maps) for cell in cells),
        *((plan.train, plan.maps) for plan in pretrain),
        *((plan.validation, plan.validation_maps) for plan in pretrain),
    ]
    found = {
        identity: MapPlan(id=identity, case=case, kind=kind)
        for cases, maps in read
        for kind, identities in maps.items()
        for case, identity in zip(cases, identities, strict=True)
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


@dataclass(frozen=True)
class _Planner:
    """Plans the cells of one seed and fold, and the pre-trainings that they share."""

    suite: Suite
    seed: int
    fold: int
    split: Split
    prepared: Mapping[str, Mapping[str, PreparePlan]]
    pretrain: dict[str, PretrainPlan] = field(default_factory=dict)

    def cells(self) -> list[CellPlan]:
        """One per method, in the order of the suite; those that others start from are known first."""
        found: dict[str, CellPlan] = {}
        for method in sorted(self.suite.methods, key=lambda method: method.start is not None):
            found[method.id] = self._cell(method, None if method.start is None else found[method.start.from_])
        return [found[method.id] for method in self.suite.methods]

    def _cell(self, method: MethodSettings, start: CellPlan | None) -> CellPlan:
        backbone = models.resolve_backbone(self.suite.backbone.specification())
        loss, regressor = resolve_method(method)
        kinds = kinds_of(loss, regressor)
        code = plugins.versions(loss, backbone["name"], regressor)
        parts, evaluate_on, shared = self._parts, self._evaluate_on, self._shared
        identity = {**shared, "backbone": backbone, "loss": loss, "code": code, **hashed(kinds, self._scope)}
        pretrained = None
        if regressor is not None:
            pretrained = self._pretrained(regressor)
            identity |= {"regressor": regressor} | ({} if pretrained is None else {"pretrained": pretrained})
        if start is not None:
            assert method.start is not None
            rate = method.start.rate(self.suite.training)
            identity["start"] = {"cell": start.id, "block": "best", "learning_rate": rate}
        if origins := plugins.origins(loss, backbone["name"], regressor):
            identity["plugins"] = origins
        return CellPlan(
            id=identify(f"{method.id}-s{self.seed}-f{self.fold}", identity),
            method=method.id,
            seed=self.seed,
            fold=self.fold,
            **parts,
            evaluate_on=evaluate_on,
            maps=self._maps(kinds, parts["train"]),
            pretrained=pretrained,
            start=None if start is None else start.id,
            selected_on_reported=self.split.selected_on_reported,
            comparison=digest(shared),
            identity=identity,
        )

    def _pretrained(self, regressor: Mapping[str, Any]) -> str | None:
        """The id of the pre-training that such a regressor needs, which is planned once; None where it needs none."""
        of_stage = models.create_regressor(**regressor).pretraining
        if of_stage is None:
            return None
        shared = self._shared
        kinds = kinds_of(None, regressor)
        train = self._pretrain_cases
        identity = {
            "regressor": of_stage,
            "cases": {"train": train, "validation": self._parts["validation"]},
            **{key: shared[key] for key in ("classes", "sampling", "seed")},
            "training": {key: shared["training"][key] for key in ("precision", "threads_per_cell", "memory_format")},
            "versions": {
                **{key: shared["versions"][key] for key in ("sampler", "training")},
                "pretraining": PRETRAINING_VERSION,
            },
            "code": plugins.versions(None, None, regressor),
            **hashed(kinds, self._scope),
        }
        plan = PretrainPlan(
            id=identify(f"{regressor['name']}-{'-'.join(kinds)}-s{self.seed}-f{self.fold}", identity),
            regressor=dict(regressor),
            seed=self.seed,
            train=train,
            validation=self._parts["validation"],
            maps=self._maps(kinds, train),
            validation_maps=self._maps(kinds, self._parts["validation"]),
        )
        return self.pretrain.setdefault(plan.id, plan).id

    def _maps(self, kinds: Iterable[str], cases: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Identities of the stored maps of prepared cases; nothing where maps are computed in the patch."""
        if self._scope != "case":
            return {}
        return {kind: tuple(map_identity(case, kind) for case in cases) for kind in kinds}

    @cached_property
    def _scope(self) -> str:
        return self.suite.sampling.map_scope

    @cached_property
    def _parts(self) -> dict[str, tuple[str, ...]]:
        return {
            part: tuple(self.prepared["main"][case].id for case in getattr(self.split, part))
            for part in ("train", "validation", "test")
        }

    @cached_property
    def _pretrain_cases(self) -> tuple[str, ...]:
        """The masks that regressors learn from: those of the training cases, or those that the suite names for it."""
        if self.suite.pretrain_on is None:
            return self._parts["train"]
        return tuple(job.id for job in self.prepared[PRETRAIN].values())

    @cached_property
    def _evaluate_on(self) -> dict[str, tuple[str, ...]]:
        others = ((name, group) for name, group in self.prepared.items() if name not in ("main", PRETRAIN))
        return {name: tuple(job.id for job in group.values()) for name, group in others}

    @cached_property
    def _shared(self) -> dict[str, Any]:
        """What the cells of one comparison must have in common."""
        suite = self.suite
        return {
            "cases": {**self._parts, **self._evaluate_on},
            "classes": list(suite.dataset.classes),
            "sampling": suite.sampling.identity(),
            "training": suite.training.model_dump(mode="json", exclude=NOT_HASHED)
            | {"schedule": suite.training.decay.model_dump(mode="json")},
            "evaluation": suite.evaluation.model_dump(mode="json"),
            "seed": self.seed,
            "versions": {"sampler": SAMPLER_VERSION, "training": TRAINING_VERSION, "metrics": METRICS_VERSION},
        }
