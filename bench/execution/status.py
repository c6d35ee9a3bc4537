"""Where a run stands, read from its directory; costs a look at a few small files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.cache.store import CaseCache
from bench.execution.baseline_job import baseline_id
from bench.execution.claims import is_claimed
from bench.execution.watch import PROGRESS
from bench.files.checksum import is_sealed
from bench.results.records import read_cell
from bench.results.run_directory import RunDirectory
from bench.training.checkpoint_names import FOLDER, newest_step


@dataclass(frozen=True)
class CellStatus:
    """One cell: `done` (how it ended), `working` (phase and step), `interrupted` (where it goes on) or `waiting`."""

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

    @property
    def finished(self) -> bool:
        """Whether it has scores."""
        return self.state == "done" and self.outcome == "finished"


@dataclass(frozen=True)
class Status:
    """All selected cells, how many of the cases and target maps they need are there, and baselines not found yet.

    What nothing needs any more counts as there, whether the cache still has it or not.
    """

    cells: tuple[CellStatus, ...]
    cases_prepared: int
    cases_needed: int
    baselines_missing: int
    orphaned: tuple[str, ...] = ()
    """Published cells that the plan does not name."""
    maps_computed: int = 0
    maps_needed: int = 0

    @property
    def finished(self) -> bool:
        return self.baselines_missing == 0 and all(cell.state == "done" for cell in self.cells)

    def trouble(self) -> str:
        """How many cells have no scores, how they ended and what to do about it; "" when all are finished."""
        unfinished = [cell for cell in self.cells if not cell.finished]
        if not unfinished:
            return ""
        listed = ", ".join(f"{count} {end}" for end, count in Counter(map(_word, unfinished)).items())
        ended = sum(cell.state == "done" for cell in unfinished)
        begun = len(unfinished) - ended
        retry = f"--retry-failed tries {f'the {ended} that ended so' if begun else 'them'} once more"
        go_on = f"the same command goes on with {f'the other {begun}' if ended else 'them'}"
        ways = "; ".join([*([retry] if ended else []), *([go_on] if begun else [])])
        return f"{len(unfinished)} of {len(self.cells)} cells did not finish ({listed}); {ways}"

    @property
    def waiting_jobs(self) -> int:
        """Jobs that are not done."""
        unprepared = self.cases_needed - self.cases_prepared + self.maps_needed - self.maps_computed
        return unprepared + self.baselines_missing + sum(cell.state != "done" for cell in self.cells)


def _word(cell: CellStatus) -> str:
    """`diverged` of `diverged: segmentation became nan …`, else how far it has come."""
    return cell.outcome.partition(":")[0] if cell.state == "done" else cell.state


def read_status(run: RunDirectory) -> Status:
    """Look at every selected cell of a run."""
    content = run.read_run()
    selected = set(content["selected"])
    labels = {method["id"]: method["label"] or method["id"] for method in content["suite"]["methods"]}
    steps = content["suite"]["training"]["steps"]
    plans = [plan for plan in content["plan"]["cells"] if plan["id"] in selected]
    cells = tuple(_cell_status(run, plan, labels[plan["method"]], steps) for plan in plans)
    needed = {case for plan in plans for case in _needs(plan)}
    unfinished = {cell.id for cell in cells if cell.state != "done"}
    asked = content["suite"].get("threshold_baselines", False)
    baselines = {baseline_id(plan["test"]): plan["test"] for plan in plans} if asked else {}
    missing = [cases for identity, cases in baselines.items() if not is_sealed(run.baseline(identity))]
    wanted = {case for plan in plans if plan["id"] in unfinished for case in _needs(plan)}.union(*missing)
    prepared = len(needed) - _absent(wanted)
    maps = {one for plan in plans for one in _maps(plan)}
    wanted_maps = {one for plan in plans if plan["id"] in unfinished for one in _maps(plan)}
    computed = len(maps) - _absent(wanted_maps)
    planned = {plan["id"] for plan in content["plan"]["cells"]}
    orphaned = tuple(folder.name for folder in run.finished_cells() if folder.name not in planned)
    return Status(cells, prepared, len(needed), len(missing), orphaned, computed, len(maps))


def orphan_lines(status: Status) -> list[str]:
    """One line per published cell that the plan does not name, with the way to remove it."""
    return [f"{'orphaned':11} {cell}  not in the plan and in no table; `clean` removes it" for cell in status.orphaned]


def status_lines(status: Status) -> list[str]:
    """The status as text, one line per cell."""
    lines = [f"cases prepared: {status.cases_prepared} of {status.cases_needed}"]
    if status.maps_needed:
        lines.append(f"target maps computed: {status.maps_computed} of {status.maps_needed}")
    for cell in status.cells:
        facts = {"done": cell.outcome, "waiting": ""}.get(cell.state, f"{cell.phase} {cell.step} of {cell.steps}")
        best = "" if cell.validation_dice is None else f", best validation DC {cell.validation_dice:.3f}"
        lines.append(f"{cell.state:11} {cell.id}  {facts}{best}")
    return [*lines, *orphan_lines(status)]


def _absent(wanted: set[str]) -> int:
    """How many of these the cache does not have; without a question it need not be there itself."""
    if not wanted:
        return 0
    cache = CaseCache.of_user()
    return sum(not cache.holds(identity) for identity in wanted)


def _cell_status(run: RunDirectory, plan: dict[str, Any], label: str, steps: int) -> CellStatus:
    common = {"id": plan["id"], "method": plan["method"], "label": label, "seed": plan["seed"], "fold": plan["fold"]}
    if is_sealed(run.cell(plan["id"])):
        record = read_cell(run.cell(plan["id"]))
        outcome = record["status"] + (f": {record['reason']}" if record["reason"] else "")
        best = record.get("best_validation_dice")
        return CellStatus(**common, state="done", outcome=outcome, validation_dice=best, step=steps, steps=steps)
    working = run.work(plan["id"])
    claimed = is_claimed(run, plan["id"])
    if not claimed and not working.is_dir():
        return CellStatus(**common, state="waiting", steps=steps)
    progress = _progress(working)
    state = "working" if claimed else "interrupted"
    if not claimed and not progress["phase"].startswith("scoring"):
        progress = {"phase": "training", "step": newest_step(working / FOLDER)}
    total = progress.get("of", steps)
    return CellStatus(**common, state=state, phase=progress["phase"], step=progress["step"], steps=total)


def _progress(working: Path) -> dict[str, Any]:
    """What the job said last of itself."""
    try:
        progress: dict[str, Any] = json.loads((working / PROGRESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {"phase": "starting", "step": 0}
    return progress


def _needs(plan: dict[str, Any]) -> list[str]:
    extra = [case for cases in plan["evaluate_on"].values() for case in cases]
    return [*plan["train"], *plan["validation"], *plan["test"], *extra]


def _maps(plan: dict[str, Any]) -> list[str]:
    return [one for identities in plan.get("maps", {}).values() for one in identities]
