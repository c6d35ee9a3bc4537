"""The layout of a run directory: the only channel between the processes of a run, and the truth behind every table.

run.json           resolved suite, profile, plan; all that a worker needs to know
environment.json   device class, CPU instructions and torch that the run was started on
cells/<id>/        one finished cell, published whole: cell.json, suite.json, history.jsonl, cases.csv, lesions.csv,
                   checkpoints/, predictions/<dataset>/<block>/<case>.nii.gz, seal.json
pretrained/<id>/   a regressor that was trained on reference masks: regressor.pt, quality.json, history.jsonl, seal.json
baselines/<id>/    what thresholds reach on the test cases
previews/<id>.npz  a few slices of a test case for the report; the prepared cases themselves lie in the user's cache
work/<id>/         what a job is doing now; checkpoints to resume from
claims/<id>.lock   locked by the process that works on the job; .run-*.lock by every living `run`, all by one plan
events.jsonl       phase log: who did what when
run.lock           locked while a `run` sees who else is there, or while `clean` removes something; report.lock by
                   whoever writes tables and plots
tables/ plots/     rebuilt from cells/ at will
cost.*             what `cost` measured, beside all scores
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import RunError
from bench.files.atomic import write_json
from bench.files.checksum import is_sealed
from bench.files.json_files import read_json
from bench.files.names import is_plain
from bench.files.storage import PROBE_BYTES, explain, probe

RUN_SCHEMA_VERSION = 1

LAYOUT = {"cells", "pretrained", "baselines", "previews", "work", "claims", "tables", "plots", "logs"}
LAYOUT |= {"run.json", "environment.json", "events.jsonl", "run.lock", "report.lock", "progress.json"}
LAYOUT |= {"cost.json", "cost.md", "cost.csv"}
"""Names in a run directory; one that was killed at its start may have some and no run.json."""

SET_ASIDE = re.compile(r"\.(damaged|failed)(-\d+)?$")
"""End of the names of folders that were set aside: not whole, or a cell without scores that was tried again."""


@dataclass(frozen=True)
class RunDirectory:
    """Paths below one run directory; creating the object touches nothing."""

    path: Path

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def in_use(self) -> Path:
        return self.path / "run.lock"

    def presence(self, name: str) -> Path:
        return self.path / "claims" / f".run-{name}.lock"

    @property
    def reporting(self) -> Path:
        return self.path / "report.lock"

    @property
    def tables(self) -> Path:
        return self.path / "tables"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    def cell(self, identity: str) -> Path:
        return self._named("cells", identity)

    def pretrained(self, identity: str) -> Path:
        return self._named("pretrained", identity)

    def preview(self, identity: str) -> Path:
        return self._named("previews", identity, ".npz")

    def baseline(self, identity: str) -> Path:
        return self._named("baselines", identity)

    def work(self, identity: str) -> Path:
        return self._named("work", identity)

    def claim(self, identity: str) -> Path:
        return self._named("claims", identity, ".lock")

    def _named(self, folder: str, identity: str, suffix: str = "") -> Path:
        """Where a job's things lie, which its id must not lead out of: plans may come from strangers.

        Raises:
            RunError: the id is no plain name.
        """
        if not is_plain(identity):
            raise RunError(
                f"{self.run_file}: the id {identity!r} cannot name anything in {folder}/: expected letters, digits and "
                ". _ + -; this plan was not made by this program, so nothing of it was done"
            )
        return self.path / folder / f"{identity}{suffix}"

    def finished_cells(self) -> Iterator[Path]:
        """Published cells, in order of their ids."""
        folder = self.path / "cells"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return (path for path in found if not SET_ASIDE.search(path.name) and is_sealed(path))

    def refuse_unusable(self) -> None:
        """Say at once why no run can live here; leaves nothing behind.

        Raises:
            RunError: the path is a file, nothing can be written there, a link in it leads out of it, it holds a run of
                another schema version, or no run but other files.
        """
        try:
            existing = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
            if self.path.is_symlink() and existing != self.path:
                raise RunError(f"{self.path} is a link to nowhere; give another folder with --out")
            if not existing.is_dir():
                raise RunError(f"{existing} is a file, expected a folder for the run; give another with --out")
            probe(existing)
        except OSError as error:
            raise self._unwritable(error) from error
        self._refuse_links()
        if self.run_file.exists():
            self._refuse_other_schema()
        elif self.path.is_dir():
            self._refuse_foreign_files()

    def create(self) -> None:
        """Make the folder.

        Raises:
            RunError: as `refuse_unusable`.
        """
        self.refuse_unusable()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def write_run(self, content: dict[str, Any]) -> None:
        """Store suite and plan."""
        write_json(self.run_file, {"schema_version": RUN_SCHEMA_VERSION, **content})

    def read_run(self) -> dict[str, Any]:
        """Read suite and plan back.

        Raises:
            RunError: not a run directory, one of another schema version, or one with a link that leads out of it.
        """
        self._refuse_links()
        try:
            content: dict[str, Any] = read_json(self.run_file)
        except FileNotFoundError as error:
            lacks = "it has no run.json" if self.path.is_dir() else "there is no such folder"
            raise RunError(f"{self.path} is not a run directory: {lacks}; start one with `run SUITE`") from error
        except (OSError, ValueError) as error:
            raise RunError(f"{self.run_file} cannot be read ({error}); run the suite again to rewrite it") from error
        _check_schema(self.run_file, content)
        return content

    def _refuse_foreign_files(self) -> None:
        """A run does not settle among files that are somebody else's, such as scans."""
        names = sorted(item.name for item in self.path.iterdir())
        foreign = [name for name in names if name not in LAYOUT and not name.startswith(".")]
        if foreign:
            shown = ", ".join([*foreign[:3], *(["…"] if len(foreign) > 3 else [])])
            raise RunError(
                f"{self.path} is no run directory and not empty ({len(foreign)} other files and folders: {shown}); "
                "give a new folder with --out"
            )

    def _refuse_other_schema(self) -> None:
        """What cannot be read at all may be written anew; what another version wrote may not."""
        try:
            content = read_json(self.run_file)
        except (OSError, ValueError):
            return
        _check_schema(self.run_file, content)

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(f"{explain(self.path, error, PROBE_BYTES)}; give another folder with --out")

    def _refuse_links(self) -> None:
        """Nothing in a run directory is a link that leads out of it: who works there would write elsewhere."""
        home = self.path.resolve()
        for item in self._entries():
            if item.is_symlink() and not item.resolve().is_relative_to(home):
                raise RunError(
                    f"{item} is a link to {item.readlink()}, outside the run directory; this program makes no "
                    "links, and following this one would read or write there: remove it, or start a new run with --out"
                )

    def _entries(self) -> Iterator[Path]:
        """What may be written to or replaced: two levels of everything, and all of work/."""
        for folder, subfolders, names in os.walk(self.path):  # which bears with what other processes remove meanwhile
            here = Path(folder)
            yield from (here / name for name in (*subfolders, *names))
            if here != self.path and here.relative_to(self.path).parts[0] != "work":
                subfolders.clear()


def _check_schema(path: Path, content: Any) -> None:
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != RUN_SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema_version {version}, this version reads {RUN_SCHEMA_VERSION}; use the version that "
            "wrote it, or start a new run with --out"
        )
