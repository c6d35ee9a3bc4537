"""`dataset.json`, in which the Medical Segmentation Decathlon and nnU-Net say what their files hold."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.settings import DatasetSettings
from bench.errors import DataError

NAME = "dataset.json"


@dataclass(frozen=True)
class DatasetJson:
    """The parts of the file that decide how cases are read.

    path      of the file.
    content   all of it.
    channels  names of the image channels in order (`channel_names` of nnU-Net v2, `modality` before).
    labels    label value → name; None where nothing is said of labels.
    """

    path: Path
    content: Mapping[str, Any]
    channels: tuple[str, ...]
    labels: Mapping[int, str] | None

    def file(self, text: str, within: Path) -> Path:
        """The file that a path in the file means, which is relative to it. Looks at names only, not behind links.

        Raises:
            DataError: the path leads out of `within`: whoever wrote this file is not to choose among all files here.
        """
        path = Path(os.path.normpath(self.path.parent / text))
        if not path.is_relative_to(os.path.normpath(within)):
            raise DataError(f"{self.path}: names {text!r}, which lies outside {within}; expected a path inside it")
        return path

    def refuse_unknown_labels(self, settings: DatasetSettings) -> None:
        """Compare the label values that a suite names with those that the file knows.

        Raises:
            DataError: the suite names a value that the file does not.
        """
        if self.labels is None:
            return
        named = [v for values in settings.class_labels.values() for v in values] + list(settings.roi or ())
        unknown = sorted(set(named) - set(self.labels))
        if unknown:
            known = ", ".join(f"{value} {name}" for value, name in sorted(self.labels.items()))
            raise DataError(f"{self.path}: the suite names the label {unknown[0]}, the file knows {known}")


def read_dataset_json(folder: Path) -> DatasetJson:
    """Read the file of a folder.

    Raises:
        DataError: it is missing, no JSON, or lacks the channels.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: found {type(content).__name__}, expected an object with channel_names or modality")
    return DatasetJson(path, content, _channels(path, content), _labels(path, content.get("labels")))


def _channels(path: Path, content: Mapping[str, Any]) -> tuple[str, ...]:
    key = "channel_names" if "channel_names" in content else "modality"
    value = content.get(key)
    expected = [str(index) for index in range(len(value))] if isinstance(value, dict) else []
    if not isinstance(value, dict) or not value or sorted(value, key=str) != sorted(expected):
        raise DataError(
            f'{path}: {key} is {value!r}; expected the channels by their numbers from 0 on, such as {{"0": "CT"}}'
        )
    return tuple(str(value[index]) for index in expected)


def _labels(path: Path, value: Any) -> dict[int, str] | None:
    """From `{"1": "liver"}` (decathlon) or `{"liver": 1, "whole": [1, 2]}` (nnU-Net v2)."""
    if value is None:
        return None
    found: dict[int, str] = {}
    for key, item in value.items() if isinstance(value, dict) else ():
        if isinstance(key, str) and key.lstrip("-").isdecimal() and isinstance(item, str):
            found[int(key)] = item
        elif isinstance(item, int):
            found[item] = str(key)
        elif isinstance(item, list) and all(isinstance(part, int) for part in item):
            for part in item:  # a region: its parts have other names, or this one
                found.setdefault(part, str(key))
        else:
            raise DataError(f"{path}: label {key!r}: {item!r}; expected a value with a name")
    if not found:
        raise DataError(f"{path}: labels is {value!r}; expected values with names")
    return found
