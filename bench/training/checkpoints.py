"""Checkpoints that are either whole or not used: tensors and plain values only, the checksum in the file's name.

A checkpoint is named `step-00000100-<first 16 digits of its SHA-256>.pt`, so content and checksum become visible by one
rename. It is read with `weights_only=True`: a file from a stranger cannot execute code.
"""

from __future__ import annotations

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from bench.errors import BenchError
from bench.files.atomic import sweep, write_bytes
from bench.files.checksum import sha256_bytes
from bench.files.storage import make_folder
from bench.training.checkpoint_names import NAME, newest_first


class CheckpointError(BenchError):
    """A checkpoint that this program did not write, or that is not whole."""


KEPT = 2
"""Checkpoints kept: the newest, and the one before in case the newest is damaged."""


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint durably, then remove all but the newest `KEPT`, one per step."""
    make_folder(folder)
    data = to_bytes(state)
    path = folder / f"step-{step:08d}-{sha256_bytes(data)[:16]}.pt"
    write_bytes(path, data)
    for old in folder.glob(f"step-{step:08d}-*.pt"):
        if old != path:
            old.unlink()
    for old in newest_first(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load_newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint whose checksum holds, or None.

    What a killed writer left is removed, and damaged checkpoints are set aside as `*.damaged`, both with a warning.

    Raises:
        CheckpointError: the newest one is whole but not of our making.
    """
    if swept := sweep(folder):
        warnings.warn(f"{folder}: removed {swept} half-written file(s) of a killed process", stacklevel=2)
    for path in newest_first(folder):
        data = path.read_bytes()
        match = NAME.fullmatch(path.name)
        if match and sha256_bytes(data)[:16] == match[2]:
            return from_bytes(data, str(path))
        damaged = path.rename(path.with_suffix(".damaged"))
        warnings.warn(f"{path}: does not match its checksum; set aside as {damaged.name}", stacklevel=2)
    return None


def to_bytes(state: dict[str, Any]) -> bytes:
    """Serialise tensors and plain values."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(data: bytes, origin: str = "a checkpoint") -> dict[str, Any]:
    """Read what `to_bytes` wrote, onto the CPU.

    Raises:
        CheckpointError: no checkpoint, or one with anything but tensors and plain values; nothing in it was executed.
    """
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{origin}: refused, because it is not made of tensors and plain values only, and reading anything else "
            "could execute code; remove it, or write its weights again with this program"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{origin}: cannot be read as a checkpoint ({error}); remove it") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{origin}: expected a checkpoint's dictionary, found {type(state).__name__}; remove it")
    return state
