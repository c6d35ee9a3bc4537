"""The layout of a run directory: the only channel between the processes of a run, and the truth behind every table.

run.json           resolved suite, profile, plan; all that a worker needs to know
cells/<id>/        one finished cell, published whole: cell.json, suite.json, history.jsonl, cases.csv, lesions.csv,
                   checkpoints/, predictions/<dataset>/<block>/<case>.nii.gz, seal.json
baselines/<id>/    what thresholds reach on the test cases
prepared/<id>/     one prepared case, published whole; can be rebuilt
work/<id>/         what a job is doing now; checkpoints to resume from
claims/<id>.lock   locked by the process that works on the job
events.jsonl       phase log: who did what when
run.lock           locked by the `run` whose plan is in force; report.lock by whoever writes tables and plots
tables/ plots/     rebuilt from cells/ at will
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import RunError
from bench.files.atomic import write_json
from bench.files.checksum import is_sealed

RUN_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunDirectory:
    """Paths below one run directory; creating the object touches nothing."""

    path: Path

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def in_use(self) -> Path:
        return self.path / "run.lock"

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
        return self.path / "cells" / identity

    def prepared(self, identity: str) -> Path:
        return self.path / "prepared" / identity

    def baseline(self, identity: str) -> Path:
        return self.path / "baselines" / identity

    def work(self, identity: str) -> Path:
        return self.path / "work" / identity

    def claim(self, identity: str) -> Path:
        return self.path / "claims" / f"{identity}.lock"

    def finished_cells(self) -> Iterator[Path]:
        """Published cells, in order of their ids."""
        folder = self.path / "cells"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return (path for path in found if ".damaged" not in path.name and is_sealed(path))

    def refuse_unusable(self) -> None:
        """Say at once why no run can live here; leaves nothing behind.

        Raises:
            RunError: the path is a file, nothing can be written there, or it holds a run of another schema version.
        """
        try:
            existing = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
            if self.path.is_symlink() and existing != self.path:
                raise RunError(f"{self.path} is a link to nowhere; give another folder with --out")
            if not existing.is_dir():
                raise RunError(f"{existing} is a file, expected a folder for the run; give another with --out")
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            raise self._unwritable(error) from error
        if self.run_file.exists():
            self._refuse_other_schema()

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
            RunError: not a run directory, or one of another schema version.
        """
        try:
            content: dict[str, Any] = json.loads(self.run_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} is not a run directory: it has no run.json; start one with `run SUITE`"
            ) from error
        except (OSError, ValueError) as error:
            raise RunError(f"{self.run_file} cannot be read ({error}); run the suite again to rewrite it") from error
        _check_schema(self.run_file, content)
        return content

    def _refuse_other_schema(self) -> None:
        """What cannot be read at all may be written anew; what another version wrote may not."""
        try:
            content = json.loads(self.run_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        _check_schema(self.run_file, content)

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(f"{self.path} cannot be written ({error.strerror}); give another folder with --out")


def _check_schema(path: Path, content: Any) -> None:
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != RUN_SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema_version {version}, this version reads {RUN_SCHEMA_VERSION}; use the version that "
            "wrote it, or start a new run with --out"
        )
