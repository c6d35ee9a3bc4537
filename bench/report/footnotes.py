"""What must be said of single rows: not finished, ended early, computed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.results.aggregates import Row, Table


@dataclass
class Footnotes:
    """Numbers the remarks of one table in the order in which they occur; the same remark has one number."""

    texts: list[str] = field(default_factory=list)

    def marks(self, row: Row) -> str:
        """` ¹ ²`, or nothing."""
        return "".join(f" {_raised(self._number(text))}" for text in remarks(row))

    def lines(self) -> list[str]:
        """The footnotes, one per line, not escaped."""
        return [f"{_raised(number)} {text}" for number, text in enumerate(self.texts, 1)]

    def _number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def _raised(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def remarks(row: Row) -> tuple[str, ...]:
    """The remarks on one row."""
    found = []
    if row.state == "partial":
        done, planned = row.cells
        found.append(
            f"partly finished: {done} of {planned} cells, {row.missing_scores} case scores missing; the numbers cover "
            "only what is there and compare with no complete row"
        )
    elif row.state == "complete" and row.missing_scores:
        found.append(f"{row.missing_scores} case scores are missing from finished cells")
    for trouble in row.troubles:
        found.append(f"{row.label}, seed {trouble.seed}, fold {trouble.fold} {words(trouble.status)}: {trouble.reason}")
    return (*found, *row.remarks)


def words(status: str) -> str:
    """`ran out of memory` for `out_of_memory`."""
    return {"out_of_memory": "ran out of memory"}.get(status, status.replace("_", " "))


def rows_of(table: Table) -> tuple[Footnotes, list[str]]:
    """The footnotes of a table and the mark of each row."""
    notes = Footnotes()
    return notes, [notes.marks(row) for row in table.rows]
