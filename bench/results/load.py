"""A run directory as tables: `load(path)` reads the plan and every published cell, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import RunError
from bench.evaluation.lesions import FALSE_POSITIVE, LESION
from bench.files.checksum import SEAL
from bench.results.reading import SealedFiles
from bench.results.records import QUALITY
from bench.results.run_directory import RunDirectory

FRONT = ("method", "label", "seed", "fold", "cell")
"""First columns of every frame."""

CASE_COLUMNS = ("dataset", "block", "case", "patient", "class")
LESION_COLUMNS = (*CASE_COLUMNS, "kind", "volume_mm3", "covered_fraction", "on_distractor")

FINISHED = "finished"
PLANNED = "planned"
"""Status of a cell that the plan names and that nobody has published yet."""

_NOT_YET = {"status": PLANNED, "reason": ""}
_IN_FRONT = {"schema_version", "id", "method", "label", "seed", "fold"}

MAIN = "main"
"""Name of the suite's own data set; the others are the keys of `evaluate_on`."""


@dataclass(frozen=True)
class Run:
    """The records of a run.

    description  run.json: suite, profile, plan.
    cells        one row per planned cell, in the order of the plan; status `planned` where there is no record yet.
    cases        one row per finished cell, data set, checkpoint block, test case and class. Empty values are NaN.
    lesions      one row per reference lesion and false positive, with the same columns in front.
    history      one row per training or validation record (`kind`).
    orphaned     published cells that the plan does not name; they are in none of the frames.

    Ids are text in all frames.
    """

    directory: RunDirectory
    description: dict[str, Any]
    cells: pd.DataFrame
    cases: pd.DataFrame
    lesions: pd.DataFrame
    history: pd.DataFrame
    orphaned: tuple[str, ...]

    @property
    def suite(self) -> dict[str, Any]:
        suite: dict[str, Any] = self.description["suite"]
        return suite

    @cached_property
    def plan(self) -> dict[str, dict[str, Any]]:
        """The plan of every cell by its id."""
        return {cell["id"]: cell for cell in self.description["plan"]["cells"]}

    @cached_property
    def methods(self) -> dict[str, str]:
        """Labels by method id, in the order of the suite."""
        return {method["id"]: method.get("label") or method["id"] for method in self.suite["methods"]}

    @cached_property
    def baselines(self) -> tuple[str, ...]:
        """What the best threshold reaches on the plan's test cases, one sentence each; empty when nobody asked for it.

        Raises:
            RunError: the record is damaged.
        """
        tested = {tuple(cell["test"]) for cell in self.plan.values()}
        folders = sorted(path.parent for path in self.directory.path.glob(f"baselines/*/{SEAL}"))
        records = [SealedFiles(folder).json("baseline.json") for folder in folders]
        return tuple(line for record in records if tuple(record["cases"]) in tested for line in record["lines"])

    @cached_property
    def pretrained(self) -> dict[str, dict[str, Any]]:
        """How good the plan's pre-trained regressors are, by id; those that are not trained yet are left out.

        Raises:
            RunError: a record is damaged.
        """
        folders = (self.directory.pretrained(plan["id"]) for plan in self.description["plan"].get("pretrain", ()))
        return {folder.name: SealedFiles(folder).json(QUALITY) for folder in folders if (folder / SEAL).is_file()}

    @cached_property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets that methods are scored on."""
        return (MAIN, *(self.suite.get("evaluate_on") or {}))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Target classes, in the order of the records."""
        return tuple(self.cases["class"].unique())

    @cached_property
    def reference_lesions(self) -> pd.DataFrame:
        """The lesions of the references among `lesions`; a noisy method has a hundred times as many false positives."""
        return self.lesions[self.lesions["kind"] == LESION]

    @cached_property
    def false_positives(self) -> pd.DataFrame:
        """How many there are in a case, and how many of them on look-alikes, for how many `known`."""
        false = self.lesions[self.lesions["kind"] == FALSE_POSITIVE]
        keys = ["dataset", "block", "class", "method", "cell", "case"]
        counts = false.groupby(keys, sort=False)["on_distractor"].agg(["size", "sum", "count"])
        return counts.rename(columns={"count": "known"}).reset_index()

    def expected_cases(self, cell: str, dataset: str) -> tuple[str, ...]:
        """Ids of the cases that a cell must be scored on."""
        planned = self.plan[cell]
        identities = planned["test"] if dataset == MAIN else planned["evaluate_on"].get(dataset, ())
        return tuple(self._case_ids[identity] for identity in identities)

    @cached_property
    def _case_ids(self) -> dict[str, str]:
        return {job["id"]: str(job["case"]) for job in self.description["plan"]["prepare"]}


def load(path: str | Path | RunDirectory) -> Run:
    """Read a run directory; cells that are not finished yet are simply not in the frames.

    Raises:
        RunError: not a run directory, another schema version, or a record that is missing, altered or malformed;
            the message names the file.
    """
    directory = path if isinstance(path, RunDirectory) else RunDirectory(Path(path))
    description = directory.read_run()
    fronts = _fronts(description, directory.run_file)
    published = {folder.name: folder for folder in directory.finished_cells()}
    rows: dict[str, list[dict[str, Any]]] = {"cells": [], "cases": [], "lesions": [], "history": []}
    for identity, front in fronts.items():
        read = _read_cell(published[identity]) if identity in published else {"cells": [_NOT_YET]}
        for name, records in read.items():
            rows[name] += [{**front, **record} for record in records]
    return Run(
        directory,
        description,
        _frame(rows["cells"], ("status", "reason")),
        _frame(rows["cases"], CASE_COLUMNS),
        _frame(rows["lesions"], LESION_COLUMNS),
        _frame(rows["history"], ("kind", "step")),
        tuple(sorted(published.keys() - fronts.keys())),
    )


def _fronts(description: Mapping[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    """The first columns of every planned cell, in the order of the plan."""
    try:
        labels = {method["id"]: method.get("label") or method["id"] for method in description["suite"]["methods"]}
        return {
            cell["id"]: {
                "method": cell["method"],
                "label": labels[cell["method"]],
                "seed": int(cell["seed"]),
                "fold": int(cell["fold"]),
                "cell": cell["id"],
            }
            for cell in description["plan"]["cells"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{file} has no usable plan ({error!r}); run the suite again to rewrite it") from error


def _read_cell(folder: Path) -> dict[str, list[dict[str, Any]]]:
    files = SealedFiles(folder)
    record = files.cell()
    read = {
        "cells": [_flat(record)],
        "history": [{"kind": "training" if "objective" in line else "validation", **line} for line in files.history()],
    }
    if record["status"] == FINISHED:
        read["cases"] = files.rows("cases.csv", CASE_COLUMNS)
        read["lesions"] = files.rows("lesions.csv", LESION_COLUMNS)
        _refuse_duplicates(read["cases"], folder)
    return read


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """cell.json without nesting: `provenance.torch`, `timing.seconds_per_step`; the hashed identity stays whole."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and key != "identity":
            flat |= {f"{key}.{inner}": item for inner, item in value.items()}
        elif key not in _IN_FRONT:
            flat[key] = value
    return flat


def _refuse_duplicates(rows: list[dict[str, Any]], folder: Path) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        key = (row["dataset"], row["block"], row["case"], row["class"])
        if key in seen:
            raise RunError(f"{folder / 'cases.csv'} scores case {key[2]!r} twice (dataset, block, case, class: {key})")
        seen.add(key)


def _frame(rows: list[dict[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    """A frame that has its first columns even when it is empty."""
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*FRONT, *columns])
