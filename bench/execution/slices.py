"""Slices of the scored cases, kept in the run directory so that its report needs neither the cache nor the data."""

from __future__ import annotations

from collections.abc import Iterable

from bench.data.prepared import Prepared
from bench.data.preview import with_lesions, write_preview
from bench.files.storage import make_folder
from bench.results.run_directory import RunDirectory


def keep_slices(run: RunDirectory, cases: Iterable[tuple[str, Prepared]]) -> None:
    """Keep the preview of every case under its identity; cells that do so at the same time write the same bytes."""
    for identity, case in cases:
        path = run.preview(identity)
        if not path.is_file():
            make_folder(path.parent)
            preview = with_lesions(case.preview(), case.reference())
            write_preview(path, preview, case.placement.native)
