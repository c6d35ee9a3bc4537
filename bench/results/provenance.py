"""Where a number came from: commit, versions, machine, time. Recorded with every cell, part of no hash."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.files.home import HOME

PACKAGES = ("imbalance-bench", "torch", "monai", "numpy", "scipy", "SimpleITK", "pandas")

FACTS = {"device": "device", "torch": "torch", "cpu_capability": "CPU instructions"}
"""What of a record's provenance can change numbers, and how tables call it."""


def environment_words(facts: Mapping[str, Any]) -> str:
    """`device cpu, torch 2.13.0+cpu, CPU instructions AVX2`."""
    return ", ".join(f"{label} {facts.get(fact, 'unknown')}" for fact, label in FACTS.items())


def provenance() -> dict[str, str]:
    """Versions, commit and time, as text."""
    return {
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": str(os.cpu_count()),
        **{name: _version(name) for name in PACKAGES},
    }


def commit() -> str:
    """The git commit of the harness's own source, `+changes` when the tree differs from it, "" when installed."""
    if not (HOME / ".git").exists():
        return ""
    head = _git(HOME, "rev-parse", "HEAD")
    changed = _git(HOME, "status", "--porcelain", "--untracked-files=no")
    return head + ("+changes" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return run.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
