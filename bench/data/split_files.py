"""Splits written by others: a mapping of parts, or nnU-Net's `splits_final.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.errors import DataError

Parts = Mapping[str, Sequence[str]]
"""Part → case ids (or patients)."""

NAMES = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
NNUNET_NAMES = {"train": "train", "val": "test"}
"""nnU-Net's `val` is held out of training and reported, so it is the test part here."""


def read_split_file(path: Path) -> list[Parts]:
    """The parts of each fold; a mapping is one fold.

    Args:
        path: `.json`, or YAML, in which every value is taken as text (so that case 010 stays 010).

    Raises:
        DataError: the file cannot be read, or is neither `{train, validation, test}` nor a list of `{train, val}`.
    """
    content = _content(path)
    folds = content if isinstance(content, list) else [content]
    names = NNUNET_NAMES if isinstance(content, list) else NAMES
    if not folds:
        raise DataError(f"{path}: an empty list; expected one entry per fold")
    return [_parts(fold, names, f"{path}: fold {i}" if len(folds) > 1 else str(path)) for i, fold in enumerate(folds)]


def _content(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            return json.loads(text)
        return yaml.load(text, yaml.BaseLoader)
    except OSError as error:
        raise DataError(f"split file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(f"split file {path} is not valid JSON or YAML in UTF-8: {error}") from error


def _parts(value: Any, names: Mapping[str, str], where: str) -> Parts:
    if not isinstance(value, dict):
        raise DataError(f"{where}: found {type(value).__name__}, expected a mapping with {', '.join(names)}")
    parts: dict[str, list[str]] = {}
    for key, ids in value.items():
        if key not in names:
            raise DataError(f"{where}: unknown part {key!r}; allowed: {', '.join(names)}")
        if names[key] in parts:
            raise DataError(f"{where}: `val` and `validation` are the same part; name it once")
        if not isinstance(ids, list) or not all(isinstance(identity, str) for identity in ids):
            raise DataError(f"{where}: {key} must be a list of case ids in quotes")
        parts[names[key]] = ids
    if "train" not in parts or len(parts) < 2:
        others = " or ".join(key for key in names if key != "train")
        raise DataError(f"{where}: found {', '.join(value) or 'nothing'}; expected train and {others}")
    return parts
