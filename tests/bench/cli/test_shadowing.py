"""`python -m` puts the working directory first; foreign packages there are named, and the console script is immune."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).parent / "imbalance-bench"


@pytest.fixture
def foreign(tmp_path):
    """A folder of somebody's own project, with packages of our names that would do harm."""
    folder = tmp_path / "their project"
    for name in ("losses", "models"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('foreign code was imported')\n")
    return folder


def start(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("names", [("losses",), ("models",), ("losses", "models")], ids=" and ".join)
def test_the_shadowing_folder_and_the_way_out_are_named(foreign, names):
    for name in {"losses", "models"} - set(names):
        (foreign / name / "__init__.py").unlink()
        (foreign / name).rmdir()
    done = start(foreign, sys.executable, "-m", "bench", "--help")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: the package {names[0]!r} would be imported from {foreign / names[0]}, ")
    assert "Use the console script `imbalance-bench`" in done.stderr
    assert "Traceback" not in done.stderr
    assert "foreign code" not in done.stderr


def test_the_console_script_is_immune(foreign, workshop):
    assert start(foreign, SCRIPT, "--help").returncode == 0
    done = start(foreign, SCRIPT, "validate", workshop.suite())
    assert done.returncode == 0, done.stderr
    assert "2 to do" in done.stdout


@pytest.mark.slow
def test_workers_of_the_console_script_are_immune_too(foreign, workshop):
    done = start(foreign, SCRIPT, "run", workshop.suite(), "--methods", "dice", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "1/1" in done.stdout
    assert (foreign / "runs" / "tiny-suite" / "tables" / "scores.md").exists()


def test_a_folder_that_is_no_package_is_harmless_or_named(tmp_path, workshop):
    """Python takes it for a namespace package where ours are found by an editable install's own finder."""
    (tmp_path / "losses").mkdir()
    (tmp_path / "losses" / "notes.txt").touch()
    done = start(tmp_path, sys.executable, "-m", "bench", "--help")
    assert done.returncode == 0 or str(tmp_path / "losses") in done.stderr
