"""Show a run in the README: `python docs/readme_figures.py runs/readme`.

Draws `docs/images/*.png` from the run's records and writes the table and its caption between the marks in README.md.
The same records give the same bytes. A run in which a cell is missing is refused.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bench.errors import BenchError, RunError
from bench.report.plots.cases import draw_cases
from bench.report.plots.examples import draw_examples
from bench.report.terminal import headline
from bench.results.load import FINISHED, MAIN, Run, load

WIDTH = 136
"""Characters of a line; names that do not fit are cut."""

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(<!-- figures: [^\n]* -->\n).*?(<!-- end -->)", re.DOTALL)


def show(run: Run, root: Path) -> None:
    """Write pictures and table below `root`.

    Raises:
        RunError: a cell is not finished, or there is nothing to draw the pictures from.
    """
    missing = run.cells.loc[run.cells["status"] != FINISHED, "cell"]
    if len(missing):
        raise RunError(f"{run.directory.path}: not finished: {', '.join(missing)}; the README shows whole runs only")
    images = root / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    if not (draw_examples(run, images / "examples.png") and draw_cases(run, MAIN, images / "dice_by_case.png")):
        raise RunError(f"{run.directory.path}: slices of the cases or predictions are missing, so nothing can be drawn")
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(_BLOCK.sub(lambda found: found[1] + _block(run) + found[2], text), encoding="utf-8")


def _block(run: Run) -> str:
    table = headline(run, WIDTH)
    return "\n".join(
        [
            "![Largest and smallest lesion, with the contours of reference and methods](docs/images/examples.png)",
            "",
            "![DC of every test case by method](docs/images/dice_by_case.png)",
            "",
            "<!-- not run: written by docs/readme_figures.py from a run's records -->",
            "```text",
            *table[table.index("") + 1 :],
            "```",
            "",
            _caption(run),
            "",
        ]
    )


def _caption(run: Run) -> str:
    """Which run this is, from its records."""
    description = run.description
    seeds = ", ".join(map(str, sorted(run.cells["seed"].unique())))
    commits = " and ".join(map(_commit, sorted(set(run.cells["provenance.commit"]))))
    sentences = [
        f"`{description['suite_file']}`, profile `{description['profile']}`, seed {seeds}, "
        f"{run.suite['training']['steps']} steps a row; commit {commits}, torch {_common(run, 'torch')}, "
        f"{_common(run, 'device_name')}.",
        *(f"{line[:1].upper()}{line[1:]}" for line in run.baselines),
        *(line for line in description["protocol"] if line.startswith("Generated data")),
    ]
    return " ".join(sentences)


def _commit(recorded: str) -> str:
    """One of the commits that made the cells: a later one trains anew only what it changes."""
    commit, _, changes = recorded.partition("+")
    return f"`{commit[:12] or 'unknown'}`{' with local changes' if changes else ''}"


def _common(run: Run, fact: str) -> str:
    """What all cells have recorded of a fact.

    Raises:
        RunError: they differ.
    """
    values = sorted(set(run.cells[f"provenance.{fact}"]))
    if len(values) != 1:
        raise RunError(f"{run.directory.path}: the cells differ in {fact} ({', '.join(values)}); run all of them alike")
    return str(values[0])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python docs/readme_figures.py RUN", file=sys.stderr)
        return 2
    try:
        show(load(arguments[0]), ROOT)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
