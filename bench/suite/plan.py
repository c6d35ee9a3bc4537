"""What a plan says: cases to prepare, maps to compute, regressors to pre-train, cells to train and score."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any

from pydantic import Field

from bench.files.names import LONGEST, PATTERN
from bench.settings import Settings

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


class PretrainPlan(Settings):
    """A regressor that is trained on reference masks before the cells that need it; lists as in `CellPlan`."""

    id: PlainName
    regressor: dict[str, Any]
    seed: int
    train: tuple[PlainName, ...]
    validation: tuple[PlainName, ...]
    maps: dict[PlainName, tuple[PlainName, ...]]
    validation_maps: dict[PlainName, tuple[PlainName, ...]]

    @property
    def needs(self) -> tuple[str, ...]:
        """Prepared cases that must be there before."""
        return (*self.train, *self.validation)

    @property
    def map_needs(self) -> tuple[str, ...]:
        """Target maps that must be there before."""
        return tuple(one for maps in (self.maps, self.validation_maps) for listed in maps.values() for one in listed)


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
    pretrained: PlainName | None = None
    """Id of the pre-training whose regressor the cell has."""
    start: PlainName | None = None
    """Id of the cell whose best weights it starts from."""
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
    pretrain: tuple[PretrainPlan, ...] = ()
    cells: tuple[CellPlan, ...]
    plugins: dict[str, str] = Field(default_factory=dict)
    """The plug-in files of the suite by path, and the SHA-256 of their content."""

    def with_starts(self, wanted: Collection[str]) -> tuple[CellPlan, ...]:
        """The cells of these ids, and those that they start from."""
        starts = {cell.start for cell in self.cells if cell.id in wanted}
        return tuple(cell for cell in self.cells if cell.id in wanted or cell.id in starts)

    def pretrainings(self, cells: Iterable[CellPlan]) -> tuple[PretrainPlan, ...]:
        """The pre-trainings whose regressors the cells have."""
        needed = {cell.pretrained for cell in cells}
        return tuple(plan for plan in self.pretrain if plan.id in needed)
