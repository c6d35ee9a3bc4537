"""The suite as one settings model, composed of the rooms' own settings; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

import losses
import models
from bench.data.dataset import dataset_settings_type, has_images
from bench.data.sampler import SamplingSettings
from bench.data.settings import PRETRAIN, DatasetSettings, PreprocessingSettings, SplitSettings, check_together
from bench.evaluation.metrics import METRICS
from bench.evaluation.settings import EvaluationSettings
from bench.settings import PositiveFloat, Settings, SuitePath
from bench.suite.reported import ReportedSettings, check_rows
from bench.training.settings import TrainingSettings
from losses.registry import nearest

if TYPE_CHECKING:
    AnyDataset = DatasetSettings
else:
    AnyDataset = dataset_settings_type()

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""Letters, digits, `_`, `.` and `-`; it becomes part of folder names."""


UNCHECKED_NAMES = {"names": "unchecked"}
"""Context in which a suite may be read whose plug-ins are not loaded: names are not looked up."""


def _known(kind: str, names: Callable[[], tuple[str, ...]]) -> AfterValidator:
    """A name that must be in a registry; looking it up imports no entry."""

    def check(name: str, info: ValidationInfo) -> str:
        known = names()
        if name not in known and info.context != UNCHECKED_NAMES:
            raise ValueError(f"unknown {kind} {name!r}.{nearest(name, known)} Known: {', '.join(known)}")
        return name

    return AfterValidator(check)


class Named(Settings):
    """Something chosen by name; every other key is one of its parameters."""

    model_config = ConfigDict(extra="allow")

    name: str

    def specification(self) -> dict[str, Any]:
        """`{name, **parameters}` as plain values."""
        plain: dict[str, Any] = _plain({"name": self.name, **(self.model_extra or {})})
        return plain


class LossChoice(Named):
    """A loss and its parameters, e.g. `{name: tversky, fp_weight: 0.3, fn_weight: 0.7}`."""

    name: Annotated[str, _known("loss", losses.available)]
    terms: tuple[LossChoice, ...] | None = None
    """The terms of `sum`; each may carry a `weight`."""

    def specification(self) -> dict[str, Any]:
        terms = {} if self.terms is None else {"terms": [term.specification() for term in self.terms]}
        return super().specification() | terms


class BackboneChoice(Named):
    """A network and its parameters, e.g. `{name: residual_unet, widths: [8, 16, 32]}`."""

    name: Annotated[str, _known("backbone", models.available_backbones)]


class RegressorChoice(Named):
    """A distance-map regressor and its parameters, e.g. `{name: lr_net, map: norm_inverse, alpha: 1.0}`."""

    name: Annotated[str, _known("regressor", models.available_regressors)]


class StartSettings(Settings):
    """Where a warm start comes from."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    from_: Annotated[str, Field(alias="from")]
    """Id of the method whose best weights of the same seed and fold are the start; it must not be started itself."""
    learning_rate: PositiveFloat | None = None
    """Adam's learning rate at the first step of this stage; by default that of `training`."""

    def rate(self, training: TrainingSettings) -> float:
        """The learning rate in force."""
        return self.learning_rate or training.learning_rate


class MethodSettings(Settings):
    """One row of the comparison."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["loss"]}, {"required": ["regressor"]}]})

    id: Identifier
    label: str = ""
    """Shown in tables; the id by default."""
    loss: LossChoice | None = None
    regressor: RegressorChoice | None = None
    """A regressor that is trained beside the loss, or alone; see [regressors.md](regressors.md)."""
    start: StartSettings | None = None
    """Go on from the weights of another method, which then gets a control row of as many steps."""
    reported: str | None = None
    """Row of the paper's table in `reported:` of the suite that this method stands for; shown, and in no cell's id."""

    @property
    def title(self) -> str:
        return self.label or self.id


def _distinct_ids(methods: tuple[MethodSettings, ...]) -> tuple[MethodSettings, ...]:
    """Ids become names of folders, and some file systems take `Dice` and `dice` for one."""
    seen: dict[str, str] = {}
    for index, method in enumerate(methods):
        other = seen.setdefault(method.id.casefold(), method.id)
        if len(seen) <= index:
            raise _at((index, "id"), f"the method id {method.id!r} is taken (by {other!r}); each row needs its own")
    return methods


def _distinct_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    for index, seed in enumerate(seeds):
        if seed in seeds[:index]:
            raise _at((index,), f"the seed {seed} is given twice; the same training would count as two")
    return seeds


RESERVED = ("main", PRETRAIN, "train", "validation", "test")
"""The suite's own data set and its parts; no further data set may be called so."""


def _distinct_names(datasets: dict[str, DatasetSettings]) -> dict[str, DatasetSettings]:
    seen = {name: name for name in RESERVED}
    for name in datasets:
        other = seen.get(name.casefold())
        if other is not None:
            raise _at((name,), f"the name {name!r} is taken (by {other!r}); {', '.join(RESERVED)} are the suite's own")
        seen[name.casefold()] = name
    return datasets


class Suite(Settings):
    """What is compared, on what data, with what budget."""

    title: str
    notes: tuple[str, ...] = ()
    """Sentences printed under every table of this suite."""
    plugins: tuple[SuitePath, ...] = ()
    """Python files with losses, target maps, networks, regressors of yours, executed; see [plugins.md](plugins.md)."""
    dataset: AnyDataset
    evaluate_on: Annotated[dict[Identifier, AnyDataset], AfterValidator(_distinct_names)] = Field(default_factory=dict)
    """Further data sets that are only evaluated on, by name."""
    pretrain_on: AnyDataset | None = None
    """Masks that regressors are pre-trained on in place of the training cases'; `masks` lists files without images."""
    split: SplitSettings = SplitSettings()
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    sampling: SamplingSettings
    backbone: BackboneChoice
    training: TrainingSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    seeds: Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_distinct_seeds)] = (0,)
    """Training seeds: initial weights and patches. Every method gets every seed."""
    primary: Annotated[str, _known("metric", lambda: tuple(METRICS))] = "dice"
    """The metric that decides; all others are descriptive."""
    baseline: str | None = None
    """The id of the method that others are compared with."""
    threshold_baselines: bool = False
    """Also print what the best single threshold on the image reaches inside the region of interest."""
    reported: ReportedSettings | None = None
    """A paper's table, shown beside what is measured and never mixed with it; see [reported](#reported)."""
    methods: Annotated[tuple[MethodSettings, ...], Field(min_length=1), AfterValidator(_distinct_ids)]

    @model_validator(mode="after")
    def _consistent(self) -> Suite:
        ids = [method.id for method in self.methods]
        for index, method in enumerate(self.methods):
            self._check_method(index, method, ids)
        if self.baseline is not None and self.baseline not in ids:
            raise _at(("baseline",), f"{self.baseline!r} is no method's id.{nearest(self.baseline, ids)}")
        if self.threshold_baselines and self.dataset.roi is None:
            raise _at(("threshold_baselines",), "looks inside the region of interest; name its labels in dataset.roi")
        self._check_datasets()
        return self

    def _check_datasets(self) -> None:
        for name, dataset in self.datasets().items():
            where = {"main": ("dataset",), PRETRAIN: (PRETRAIN,)}.get(name, ("evaluate_on", name))
            if name != PRETRAIN and not has_images(dataset):
                raise _at(where, f"{dataset.format!r} has no images; it can only stand in {PRETRAIN}")
            if dataset.classes != self.dataset.classes:
                raise _at(
                    where,
                    f"has the target classes {list(dataset.classes)}, the suite's dataset "
                    f"{list(self.dataset.classes)}; they must be the same",
                )
            contradiction = check_together(dataset, self.preprocessing)
            if contradiction:
                raise _at(("preprocessing",), f"{contradiction} ({name} data set)")

    @model_validator(mode="after")
    def _reported_rows(self, info: ValidationInfo) -> Suite:
        rows = {index: method.reported for index, method in enumerate(self.methods) if method.reported is not None}
        check_rows(self.reported, rows, self.datasets(), info)
        return self

    def _check_method(self, index: int, method: MethodSettings, ids: list[str]) -> None:
        here = ("methods", index)
        if method.loss is None and method.regressor is None:
            raise _at(here, f"the method {method.id!r} has neither a loss nor a regressor; give it one of them or both")
        if method.start is None:
            return
        first = next((one for one in self.methods if one.id == method.start.from_), None)
        where = (*here, "start", "from")
        if first is None:
            raise _at(where, f"{method.start.from_!r} is no method's id.{nearest(method.start.from_, ids)}")
        if first.start is not None:
            raise _at(where, f"{first.id!r} is started from {first.start.from_!r} itself; start from that one")

    def datasets(self) -> dict[str, DatasetSettings]:
        """All data sets by name; the training one is called `main`, that of pre-trainings `pretrain_on`."""
        pretrain = {} if self.pretrain_on is None else {PRETRAIN: self.pretrain_on}
        return {"main": self.dataset, **pretrain, **self.evaluate_on}


def _at(path: tuple[str | int, ...], message: str) -> ValueError:
    """An error that the suite language places at this key."""
    error = ValueError(message)
    error.path = path  # type: ignore[attr-defined]
    return error


def _plain(value: Any) -> Any:
    """Dicts, lists and scalars of the built-in types, whatever containers a loader used."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
