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
class PretrainingStatus:
    """A regressor that a worker is pre-training now."""

    id: str
    phase: str
    step: int
    steps: int


@dataclass(frozen=True)
class Status:
    """All selected cells, how much of what they need is there, and baselines not found yet.

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
    regressors_trained: int = 0
    regressors_needed: int = 0
    pretraining: tuple[PretrainingStatus, ...] = ()
    starts_missing: int = 0
    """Cells that selected ones start from, not selected themselves and not done."""

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
        untrained = self.regressors_needed - self.regressors_trained + self.starts_missing
        return unprepared + untrained + self.baselines_missing + sum(cell.state != "done" for cell in self.cells)


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
    unfinished = {cell.id for cell in cells if cell.state != "done"}
    first = _starts(content, plans)
    left = [plan for plan in plans if plan["id"] in unfinished]
    starts_left = [plan for plan in _starts(content, left) if not is_sealed(run.cell(plan["id"]))]
    regressors = _pretrainings(content, [*plans, *first])
    wanted_regressors = _pretrainings(content, [*left, *starts_left])
    untrained = [plan for plan in wanted_regressors if not is_sealed(run.pretrained(plan["id"]))]
    asked = content["suite"].get("threshold_baselines", False)
    baselines = {baseline_id(plan["test"]): plan["test"] for plan in plans} if asked else {}
    missing = [cases for identity, cases in baselines.items() if not is_sealed(run.baseline(identity))]
    readers, waiting = [*plans, *first, *regressors], [*left, *starts_left, *untrained]
    needed = {case for plan in readers for case in _needs(plan)}
    wanted = {case for plan in waiting for case in _needs(plan)}.union(*missing)
    maps = {one for plan in readers for one in _maps(plan)}
    wanted_maps = {one for plan in waiting for one in _maps(plan)}
    planned = {plan["id"] for plan in content["plan"]["cells"]}
    orphaned = tuple(folder.name for folder in run.finished_cells() if folder.name not in planned)
    return Status(
        cells=cells,
        cases_prepared=len(needed) - _absent(wanted),
        cases_needed=len(needed),
        baselines_missing=len(missing),
        orphaned=orphaned,
        maps_computed=len(maps) - _absent(wanted_maps),
        maps_needed=len(maps),
        regressors_trained=len(regressors) - len(untrained),
        regressors_needed=len(regressors),
        pretraining=tuple(_pretraining(run, plan["id"]) for plan in untrained if is_claimed(run, plan["id"])),
        starts_missing=len(starts_left),
    )


def orphan_lines(status: Status) -> list[str]:
    """One line per published cell that the plan does not name, with the way to remove it."""
    return [f"{'orphaned':11} {cell}  not in the plan and in no table; `clean` removes it" for cell in status.orphaned]


def status_lines(status: Status) -> list[str]:
    """The status as text, one line per cell."""
    lines = [f"cases prepared: {status.cases_prepared} of {status.cases_needed}"]
    if status.maps_needed:
        lines.append(f"target maps computed: {status.maps_computed} of {status.maps_needed}")
    if status.regressors_needed:
        lines.append(f"pre-trained regressors: {status.regressors_trained} of {status.regressors_needed}")
    for one in status.pretraining:
        lines.append(f"{'working':11} {one.id}  {one.phase} {one.step} of {one.steps}")
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


def _pretraining(run: RunDirectory, identity: str) -> PretrainingStatus:
    progress = _progress(run.work(identity))
    return PretrainingStatus(identity, progress["phase"], progress["step"], progress.get("of", progress["step"]))


def _progress(working: Path) -> dict[str, Any]:
    """What the job said last of itself."""
    try:
        progress: dict[str, Any] = json.loads((working / PROGRESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {"phase": "starting", "step": 0}
    return progress


def _starts(content: dict[str, Any], plans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells that these start from, as far as they are not selected too."""
    first = {plan.get("start") for plan in plans} - set(content["selected"])
    return [plan for plan in content["plan"]["cells"] if plan["id"] in first]


def _pretrainings(content: dict[str, Any], plans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pre-trainings whose regressors these cells have."""
    needed = {plan.get("pretrained") for plan in plans}
    return [plan for plan in content["plan"].get("pretrain", ()) if plan["id"] in needed]


def _needs(plan: dict[str, Any]) -> list[str]:
    extra = [case for cases in plan.get("evaluate_on", {}).values() for case in cases]
    return [*plan["train"], *plan["validation"], *plan.get("test", ()), *extra]


def _maps(plan: dict[str, Any]) -> list[str]:
    kinds = (plan.get("maps", {}), plan.get("validation_maps", {}))
    return [one for maps in kinds for identities in maps.values() for one in identities]
