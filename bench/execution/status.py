"""Where a run stands, read from its directory; costs a look at a few small files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bench.execution.baseline_job import baseline_id
from bench.execution.claims import is_claimed
from bench.execution.watch import PROGRESS
from bench.files.checksum import is_sealed
from bench.results.records import read_cell
from bench.results.run_directory import RunDirectory


@dataclass(frozen=True)
class CellStatus:
    """One cell: `done` (with how it ended), `working` (with phase and step) or `waiting`."""

    id: str
    method: str
    label: str
    seed: int
    fold: int
    state: str
    outcome: str = ""
    phase: str = ""
    step: int = 0
    steps: int = 0
    validation_dice: float | None = None


@dataclass(frozen=True)
class Status:
    """All selected cells, how many of the cases they need are prepared, and threshold baselines not found yet."""

    cells: tuple[CellStatus, ...]
    cases_prepared: int
    cases_needed: int
    baselines_missing: int

    @property
    def finished(self) -> bool:
        return self.baselines_missing == 0 and all(cell.state == "done" for cell in self.cells)

    @property
    def waiting_jobs(self) -> int:
        """Jobs that are not done."""
        unprepared = self.cases_needed - self.cases_prepared
        return unprepared + self.baselines_missing + sum(cell.state != "done" for cell in self.cells)


def read_status(run: RunDirectory) -> Status:
    """Look at every selected cell of a run."""
    content = run.read_run()
    selected = set(content["selected"])
    labels = {method["id"]: method["label"] or method["id"] for method in content["suite"]["methods"]}
    steps = content["suite"]["training"]["steps"]
    plans = [plan for plan in content["plan"]["cells"] if plan["id"] in selected]
    cells = tuple(_cell_status(run, plan, labels[plan["method"]], steps) for plan in plans)
    needed = {case for plan in plans for case in _needs(plan)}
    prepared = sum(is_sealed(run.prepared(case)) for case in needed)
    asked = content["suite"].get("threshold_baselines", False)
    baselines = {baseline_id(plan["test"]) for plan in plans} if asked else ()
    missing = sum(not is_sealed(run.baseline(identity)) for identity in baselines)
    return Status(cells, prepared, len(needed), missing)


def status_lines(status: Status) -> list[str]:
    """The status as text, one line per cell."""
    lines = [f"cases prepared: {status.cases_prepared} of {status.cases_needed}"]
    for cell in status.cells:
        facts = {"done": cell.outcome, "working": f"{cell.phase} {cell.step} of {cell.steps}"}.get(cell.state, "")
        best = "" if cell.validation_dice is None else f", best validation DC {cell.validation_dice:.3f}"
        lines.append(f"{cell.state:8} {cell.id}  {facts}{best}")
    return lines


def _cell_status(run: RunDirectory, plan: dict[str, Any], label: str, steps: int) -> CellStatus:
    common = {"id": plan["id"], "method": plan["method"], "label": label, "seed": plan["seed"], "fold": plan["fold"]}
    if is_sealed(run.cell(plan["id"])):
        record = read_cell(run.cell(plan["id"]))
        outcome = record["status"] + (f": {record['reason']}" if record["reason"] else "")
        best = record.get("best_validation_dice")
        return CellStatus(**common, state="done", outcome=outcome, validation_dice=best, step=steps, steps=steps)
    if not is_claimed(run, plan["id"]):
        return CellStatus(**common, state="waiting", steps=steps)
    try:
        progress = json.loads((run.work(plan["id"]) / PROGRESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        progress = {"phase": "starting", "step": 0}
    total = progress.get("of", steps)
    return CellStatus(**common, state="working", phase=progress["phase"], step=progress["step"], steps=total)


def _needs(plan: dict[str, Any]) -> list[str]:
    extra = [case for cases in plan["evaluate_on"].values() for case in cases]
    return [*plan["train"], *plan["validation"], *plan["test"], *extra]
