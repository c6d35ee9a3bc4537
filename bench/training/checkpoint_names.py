"""How checkpoints are named: step and checksum. Without torch, for whoever only wants to know how far work has come."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = "resume"
"""Folder of a job's checkpoints inside its working folder."""

NAME = re.compile(r"step-(\d{8})-([0-9a-f]{16})\.pt")


def newest_first(folder: Path) -> list[Path]:
    """The checkpoints of a folder, whole or not."""
    return sorted((path for path in folder.glob("step-*.pt") if NAME.fullmatch(path.name)), reverse=True)


def newest_step(folder: Path) -> int:
    """The step that a training would go on from; 0 without a checkpoint."""
    steps = [int(path.name[5:13]) for path in newest_first(folder)]
    return max(steps, default=0)
