"""What is not needed is not imported: help at once, mistakes in a suite before torch, plans without the heavy rest."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "monai", "seaborn", "matplotlib", "optuna", "SimpleITK", "scipy", "pandas")

LOOK = f"""
import json, sys
sys.argv = ["imbalance-bench", *sys.argv[1:]]
from bench.cli.main import main
try:
    main()
except SystemExit as ending:
    code = ending.code
print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def imported(workshop, *arguments: object) -> tuple[int, set[str]]:
    """Exit code, and the heavy packages in `sys.modules` at the end of a command."""
    command = [sys.executable, "-c", LOOK, *map(str, arguments)]
    done = subprocess.run(command, cwd=workshop.folder, capture_output=True, text=True, check=True)
    code, names = json.loads(done.stdout.splitlines()[-1])
    return code, set(names)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "phantom", "--help"]])
def test_help_imports_nothing_heavy(workshop, arguments):
    assert imported(workshop, *arguments) == (0, set())


def test_validate_imports_no_monai_seaborn_or_optuna(workshop):
    nothing = dict.fromkeys(("widths", "encoder_blocks", "decoder_blocks"))
    network = {"name": "monai", "class": "UNet", "channels": [2, 4], "strides": [2], **nothing}
    code, names = imported(workshop, "validate", workshop.suite(backbone=network))
    assert code == 0
    assert not names & {"monai", "seaborn", "matplotlib", "optuna"}


@pytest.mark.parametrize(
    ("command", "mistake"),
    [
        ("validate", {"trainig": {"steps": 3}}),
        ("validate", {"training": {"steps": "many"}}),
        ("validate", {"methods": [{"id": "a", "loss": {"name": "dicee"}}]}),
        ("run", {"backbone": {"name": "residual_unett"}}),
        ("run", {"dataset": {"format": "phantomm"}}),
    ],
    ids=["key", "type", "loss", "network", "format"],
)
def test_mistakes_in_keys_types_and_names_are_found_before_torch_is_imported(workshop, command, mistake):
    code, names = imported(workshop, command, workshop.suite(**mistake))
    assert code == 2
    assert "torch" not in names


def test_the_schema_is_printed_without_torch(workshop):
    code, names = imported(workshop, "schema")
    assert code == 0
    assert not names & {"torch", "monai", "seaborn", "optuna"}
