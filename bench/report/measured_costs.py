"""Measured costs as a table: for the terminal, for cost.md and cost.csv, and for the costs page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.report.markdown import aligned, bullet, escape, plain, table
from bench.report.numbers import NOTHING
from bench.results.costs import CostRecord, MethodCost, Timed, spread

CSV_COLUMNS = (
    "method",
    "label",
    "parameters_trained",
    "parameters_inference",
    "step_seconds",
    "step_seconds_quartile_1",
    "step_seconds_quartile_3",
    "steps",
    "step_ratio_to_baseline",
    "peak_memory_bytes",
    "inference_seconds",
    "inference_seconds_quartile_1",
    "inference_seconds_quartile_3",
    "inferences",
    "inference_ratio_to_baseline",
    "reason",
)

_TIMED: tuple[tuple[str, Timed, str], ...] = (
    ("step", "step_seconds", "steps"),
    ("inference", "inference_seconds", "inferences"),
)

_MEMORY = {
    "cpu": "weights, state of Adam and the most that torch's allocator had handed out at once during a step. Scratch "
    "memory that a kernel takes from the system for itself is not seen",
    "cuda": "the most that torch's allocator had handed out at once during a step, weights and state of Adam included. "
    "What the driver and its context take is not seen",
}


def cost_lines(record: CostRecord, methods: Sequence[str] | None = None) -> list[str]:
    """The table and its notes as Markdown; `methods`: these rows in this order, those not measured empty."""
    header, rows = _cells(record, methods)
    escaped = [[escape(cell) for cell in row] for row in rows]
    return [*table([escape(cell) for cell in header], escaped), "", *(bullet(escape(n)) for n in cost_notes(record))]


def cost_page(record: CostRecord) -> str:
    """cost.md."""
    return "\n".join([f"# {escape(record.title)}: measured costs", "", *cost_lines(record)]) + "\n"


def terminal_lines(record: CostRecord) -> list[str]:
    """The same for a terminal."""
    header, rows = _cells(record, None)
    return [*aligned(header, [[plain(cell) for cell in row] for row in rows]), "", *map(plain, cost_notes(record))]


def csv_rows(record: CostRecord) -> list[dict[str, Any]]:
    """One row per method; what is not known is NaN."""
    return [_csv_row(record, method) for method in record.methods]


def cost_notes(record: CostRecord) -> list[str]:
    """What the figures are, and what they were measured on."""
    setup, where = record.setup, record.environment
    rounds = max((len(method.step_seconds) for method in record.methods), default=0)
    inferences = max((len(method.inference_seconds) for method in record.methods), default=0)
    notes = [
        f"Step: copying a fixed batch to the device, forward, backward and Adam; median [quartiles] of {rounds} rounds "
        f"after {record.warm_up} for warming up, one step of each method per round. Ratios are the median over the "
        "rounds.",
        f"Inference: a whole case by sliding windows, back to its native grid; median of {inferences} rounds.",
        f"Peak memory, of each method alone: {_MEMORY.get(where.device, _MEMORY['cpu'])}.",
        f"Batch of {setup['sampling.batch_size']} × {_by(setup['sampling.patch_size'])} voxels: {record.batch}. "
        f"Case: {record.volume}.",
        f"{where.device_name} ({where.device}), {where.threads} thread(s), "
        f"{setup['training.precision']}, {setup['training.memory_format']}"
        f"{', compiled' if setup['training.compile'] else ''}, torch {where.torch}, profile {record.profile}, "
        f"commit {where.commit[:12] or 'unknown'}, {where.finished_at}.",
    ]
    notes += [f"{method.id} was not measured: {method.reason}" for method in record.methods if method.reason]
    return [*notes, *_warnings(record)]


def _warnings(record: CostRecord) -> list[str]:
    load, threads = record.load, record.environment.threads
    if not load.busy(threads):
        return []
    others = "" if load.other_cpus is None else f", other processes kept {load.other_cpus:g} CPUs busy"
    return [
        f"Warning: something else was running. The load average was {load.before:g} before and {load.after:g} after, "
        f"with {threads} thread(s) of this measurement's own{others}. Measure again on a quiet machine."
    ]


def _cells(record: CostRecord, methods: Sequence[str] | None) -> tuple[list[str], list[list[str]]]:
    baseline = next((method.label for method in record.methods if method.id == record.baseline), None)
    header = ["Method", "parameters trained", "at inference", "step (ms)"]
    header += [f"× {baseline}"] if baseline else []
    header += ["peak memory (MiB)", "inference (s per case)"]
    measured = {method.id: method for method in record.methods}
    chosen = record.methods if methods is None else [measured[m] for m in methods if m in measured]
    return header, [_row(record, method, with_ratio=baseline is not None) for method in chosen]


def _row(record: CostRecord, method: MethodCost, *, with_ratio: bool) -> list[str]:
    ratio = record.ratio(method, "step_seconds")
    memory = method.peak_memory_bytes
    return [
        method.label,
        _count(method.parameters_trained),
        _count(method.parameters_inference),
        _milliseconds(method.step_seconds),
        *([NOTHING if ratio is None else f"{ratio:.2f}"] if with_ratio else []),
        NOTHING if memory is None else _figures(memory / 2**20),
        NOTHING if not method.inference_seconds else _figures(spread(method.inference_seconds).median),
    ]


def _milliseconds(seconds: Sequence[float]) -> str:
    if not seconds:
        return NOTHING
    low, middle, high = (_figures(1000 * value) for value in spread(seconds))
    return f"{middle} [{low}, {high}]"


def _figures(value: float) -> str:
    """Three significant digits, and all digits before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def _count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _by(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _csv_row(record: CostRecord, method: MethodCost) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(CSV_COLUMNS, float("nan"))
    row |= {"method": method.id, "label": method.label, "reason": method.reason}
    counts = ("parameters_trained", "parameters_inference", "peak_memory_bytes")
    row |= {name: value for name in counts if (value := getattr(method, name)) is not None}
    for name, kind, rounds in _TIMED:
        seconds, ratio = getattr(method, kind), record.ratio(method, kind)
        row[rounds] = len(seconds)
        if seconds:
            low, middle, high = spread(seconds)
            row |= {f"{name}_seconds": middle, f"{name}_seconds_quartile_1": low, f"{name}_seconds_quartile_3": high}
        if ratio is not None:
            row[f"{name}_ratio_to_baseline"] = ratio
    return row
