"""A run directory may name plug-ins; nothing of them is executed unless its user says so."""

from __future__ import annotations

import json
import re

import pytest

from bench.errors import RunError
from bench.execution.status import read_status
from bench.files.checksum import seal_folder, sha256_file
from bench.results.run_directory import RunDirectory
from bench.suite import plugins


@pytest.fixture
def sentinel(tmp_path):
    """The file that the plug-in would make; the test fails if it did."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


@pytest.fixture
def foreign(finished, sentinel):
    """A finished run, given away with a plug-in in it."""
    plugin = finished / "mine.py"
    plugin.write_text(f"import losses\nopen({str(sentinel)!r}, 'w')\nlosses.register('mine')(dict)\n")
    run = RunDirectory(finished)
    content = json.loads(run.run_file.read_text())
    content["suite"]["plugins"] = [str(plugin)]
    content["plan"]["plugins"] = {str(plugin): sha256_file(plugin)}
    run.run_file.write_text(json.dumps(content))
    for cell in finished.glob("cells/*"):
        (cell / "suite.json").write_text(json.dumps(content["suite"]))
        seal_folder(cell)
    return run


def test_reading_a_run_executes_no_plugin_of_it(workshop, foreign, sentinel):
    read_status(foreign)
    workshop.report(foreign)
    assert not sentinel.exists()


def test_a_worker_refuses_it_by_name(workshop, foreign):
    with pytest.raises(
        RunError, match=rf"{foreign.run_file} names plug-ins, .*{foreign.path / 'mine.py'}; if you trust"
    ):
        workshop.work(foreign)
    done = workshop.command("work", foreign.path, code=1)
    assert "--trust-plugins" in done.stderr


def test_segmenting_executes_none(workshop, foreign, scans):
    (cell,) = foreign.path.glob("cells/dice-*")
    done = workshop.command(
        "predict", cell, "scans/volume-0.nii.gz", "out.nii.gz", "--roi", "scans/segmentation-0.nii.gz"
    )
    assert (workshop.folder / "out.nii.gz").is_file(), done.stderr


def test_a_plan_whose_plugins_are_no_paths_with_checksums_is_refused(workshop, foreign):
    content = json.loads(foreign.run_file.read_text())
    for wrong in (["mine.py"], {"mine.py": 3}, "mine.py"):
        content["plan"]["plugins"] = wrong
        foreign.run_file.write_text(json.dumps(content))
        with pytest.raises(RunError, match=rf"{re.escape(str(foreign.run_file))}: plugins"):
            workshop.work(foreign)
    assert plugins.in_force() == {}
