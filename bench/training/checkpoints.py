"""Checkpoints that are either whole or not used: tensors and plain values only, the checksum in the file's name.

A checkpoint is named `step-00000100-<first 16 digits of its SHA-256>.pt`, so content and checksum become visible by one
rename. It is read with `weights_only=True`: a file from a stranger cannot execute code.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import torch

from bench.files.atomic import sweep, write_bytes
from bench.files.checksum import sha256_bytes

KEPT = 2
"""Checkpoints kept: the newest, and the one before in case the newest is damaged."""

_NAME = re.compile(r"step-(\d{8})-([0-9a-f]{16})\.pt")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint durably, then remove all but the newest `KEPT`."""
    folder.mkdir(parents=True, exist_ok=True)
    data = to_bytes(state)
    path = folder / f"step-{step:08d}-{sha256_bytes(data)[:16]}.pt"
    write_bytes(path, data)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load_newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint whose checksum holds, or None; damaged ones are set aside as `*.damaged`."""
    sweep(folder)
    for path in _newest_first(folder):
        data = path.read_bytes()
        match = _NAME.fullmatch(path.name)
        if match and sha256_bytes(data)[:16] == match[2]:
            return from_bytes(data)
        path.rename(path.with_suffix(".damaged"))
    return None


def to_bytes(state: dict[str, Any]) -> bytes:
    """Serialise tensors and plain values."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(data: bytes) -> dict[str, Any]:
    """Read what `to_bytes` wrote, onto the CPU; refuses anything that is not tensors and plain values."""
    state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state


def _newest_first(folder: Path) -> list[Path]:
    return sorted((p for p in folder.glob("step-*.pt") if _NAME.fullmatch(p.name)), reverse=True)
