"""Steps that were really timed on this machine, remembered so that a plan can say what it will cost."""

from __future__ import annotations

import math
from pathlib import Path

from bench.files.atomic import write_json
from bench.files.json_files import read_json
from bench.files.user_cache import user_cache
from bench.suite.identity import digest
from bench.suite.schema import Suite

NAMES = ("seconds_per_step", "seconds_per_validated_case", "seconds_per_scored_case")
PRETRAINING_NAMES = ("seconds_per_step",)
KEPT = 20
"""Newest timings kept per configuration."""


def remember(suite: Suite, device: dict[str, str], seconds: dict[str, float], *, pretraining: bool = False) -> None:
    """Store a finished cell's `NAMES`, or a finished pre-training's.

    Raises:
        StorageError: the user's cache cannot be written.
    """
    path = _file()
    known = _read(path)
    key = _key(suite, device, pretraining)
    known[key] = [*known.get(key, []), seconds][-KEPT:]
    write_json(path, known)


def typical(suite: Suite, device: dict[str, str], *, pretraining: bool = False) -> dict[str, float] | None:
    """Median of the remembered timings of this configuration on this machine; None when there is none."""
    timings = _read(_file()).get(_key(suite, device, pretraining), [])
    if not timings:
        return None
    names = PRETRAINING_NAMES if pretraining else NAMES
    return {name: sorted(t[name] for t in timings)[len(timings) // 2] for name in names}


def _key(suite: Suite, device: dict[str, str], pretraining: bool) -> str:
    training = suite.training
    return digest(
        {
            "network": "pre-trained regressor" if pretraining else suite.backbone.specification(),
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


def _read(path: Path) -> dict[str, list[dict[str, float]]]:
    """Everything remembered; what cannot be read or is not as this program writes it is forgotten."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    entries = content.items() if isinstance(content, dict) else ()
    return {key: timings for key, timings in entries if isinstance(timings, list) and _are_timings(timings)}


def _are_timings(values: list[object]) -> bool:
    """Whether they are all of cells, or all of pre-trainings."""
    return any(all(_is_timing(value, names) for value in values) for names in (NAMES, PRETRAINING_NAMES))


def _is_timing(value: object, names: tuple[str, ...]) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == set(names)
        and all(isinstance(seconds, float) and math.isfinite(seconds) for seconds in value.values())
    )
