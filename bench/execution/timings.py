"""Steps that were really timed on this machine, remembered so that a plan can say what it will cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.files.atomic import write_json
from bench.files.json_files import read_json
from bench.files.user_cache import user_cache
from bench.suite.identity import digest
from bench.suite.schema import Suite

KEPT = 20
"""Newest timings kept per configuration."""


def remember(suite: Suite, device: dict[str, str], seconds: dict[str, float]) -> None:
    """Store a finished cell's seconds per step, per validated case and per scored case."""
    path = _file()
    known = _read(path)
    key = _key(suite, device)
    known[key] = [*known.get(key, []), seconds][-KEPT:]
    write_json(path, known)


def typical(suite: Suite, device: dict[str, str]) -> dict[str, float] | None:
    """Median of the remembered timings of this configuration on this machine; None when there is none."""
    timings = _read(_file()).get(_key(suite, device), [])
    if not timings:
        return None
    return {name: sorted(t[name] for t in timings)[len(timings) // 2] for name in timings[0]}


def _key(suite: Suite, device: dict[str, str]) -> str:
    training = suite.training
    return digest(
        {
            "backbone": suite.backbone.specification(),
            "patch": list(suite.sampling.patch_size),
            "batch": suite.sampling.batch_size,
            "precision": training.precision,
            "threads": training.threads_per_cell,
            "memory_format": training.memory_format,
            "compile": training.compile,
            "preprocessing": suite.preprocessing.model_dump(mode="json"),
            "dataset": suite.dataset.model_dump(mode="json"),
            "device": device,
        }
    )


def _file() -> Path:
    return user_cache() / "timings.json"


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content: dict[str, list[dict[str, Any]]] = read_json(path)
    except (FileNotFoundError, ValueError):
        return {}
    return content
