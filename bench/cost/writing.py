"""cost.json, and cost.md and cost.csv made from it."""

from __future__ import annotations

from pathlib import Path

from bench.files.atomic import write_text
from bench.files.rows import write_rows
from bench.report.measured_costs import CSV_COLUMNS, cost_page, csv_rows
from bench.results.costs import FILE, CostRecord, write_costs


def write_all(folder: Path, record: CostRecord) -> tuple[Path, ...]:
    """Write the three files into a folder that exists; returns their paths."""
    write_costs(folder, record)
    write_text(folder / "cost.md", cost_page(record))
    write_rows(folder / "cost.csv", csv_rows(record), CSV_COLUMNS)
    return tuple(folder / name for name in (FILE, "cost.md", "cost.csv"))
