"""The columns of every kind of table: a heading, and how a row fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.report import numbers
from bench.results.aggregates import Group, Row
from bench.results.quantities import (
    ABSOLUTE_VOLUME,
    CLEAN,
    EMPTY,
    FALSE_POSITIVES,
    FALSE_VOLUME,
    ON_LOOK_ALIKES,
    RECALL_LARGE,
    RECALL_SMALL,
    Quantity,
    case_quantities,
)
from bench.results.values import Value


@dataclass(frozen=True)
class Column:
    """One column; `cell` gets the row, which has values when it is called."""

    heading: str
    cell: Callable[[Row], str]


def main_columns(group: Group) -> tuple[Column, ...]:
    """The columns of a group's first table."""
    return _MAIN[group]()


def median_columns() -> tuple[Column, ...]:
    """Medians of the distances over scored pairs and of absolute RVD, and how many predictions were empty."""
    distances = [quantity for quantity in case_quantities() if quantity.unit == "mm"]
    pairs = Column(
        "scored pairs", lambda row: f"{row.values[distances[0].key].median_n}/{row.values[EMPTY.key].scores}"
    )
    medians = [_of(quantity, "median ", _median) for quantity in (*distances, ABSOLUTE_VOLUME)]
    empties = Column(EMPTY.label, lambda row: _counted(row.values[EMPTY.key]))
    return (pairs, *medians, empties)


def seed_columns() -> tuple[Column, ...]:
    """Standard deviation of the per-seed means."""
    seeds = Column("complete seeds", lambda row: f"{len(next(iter(row.values.values())).seed_means)}/{row.seeds[1]}")
    return (seeds, *(_of(quantity, "", _seed_sd) for quantity in case_quantities()))


def _scores() -> tuple[Column, ...]:
    return (_cases(), *(_of(quantity, "", _mean) for quantity in case_quantities()))


def _lesions() -> tuple[Column, ...]:
    return (
        *(_of(quantity, "", lambda value, _, __: numbers.share(value)) for quantity in (RECALL_SMALL, RECALL_LARGE)),
        _cases(),
        *(_of(quantity, "", _mean) for quantity in (FALSE_POSITIVES, ON_LOOK_ALIKES)),
    )


def _without_target() -> tuple[Column, ...]:
    return (_cases(), _of(FALSE_VOLUME, "mean ", _mean), _of(CLEAN, "", lambda value, _, __: numbers.share(value)))


_MAIN: dict[Group, Callable[[], tuple[Column, ...]]] = {
    "with_target": _scores,
    "lesions": _lesions,
    "without_target": _without_target,
    "all": _scores,
}


def _cases() -> Column:
    return Column("cases (patients)", lambda row: f"{row.cases} ({row.patients})")


def _of(quantity: Quantity, prefix: str, text: Callable[[Value, Quantity, int], str]) -> Column:
    def cell(row: Row) -> str:
        value = row.values.get(quantity.key)
        return numbers.NOTHING if value is None else text(value, quantity, row.cases)

    return Column(prefix + numbers.header(quantity), cell)


def _mean(value: Value, quantity: Quantity, cases: int) -> str:
    return numbers.mean_and_sd(value, quantity, cases)


def _median(value: Value, quantity: Quantity, _cases: int) -> str:
    return numbers.number(value.median, quantity)


def _seed_sd(value: Value, quantity: Quantity, _cases: int) -> str:
    return numbers.number(value.seed_sd, quantity).lstrip("+")


def _counted(value: Value) -> str:
    return f"{value.total:.0f}/{value.scores}"
