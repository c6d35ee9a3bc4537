"""Read a case once and note what the rules need; unchanged cases are not read again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from bench.data.checks.facts import CaseFacts, FileFacts, image_facts, label_facts
from bench.data.dataset import Dataset
from bench.data.opening import Opened, UnusableFileError, open_image
from bench.data.volume import Case
from bench.errors import DataError
from bench.files.atomic import write_text

FACTS_VERSION = 2
"""Raise it when facts of the same files would be others."""


class Examiner:
    """Facts of cases, remembered in a folder by the fingerprint of the files; one small file each."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def facts(self, dataset: Dataset, case: Case, fingerprint: str | None) -> CaseFacts:
        """What is remembered, or what is in the files now.

        Args:
            fingerprint: of the case; None where it cannot be told, so that nothing is remembered.
        """
        path = self._path(dataset, case, fingerprint)
        known = None if path is None else _remembered(path)
        if known is not None:
            return known
        found = examine(dataset, case)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, found.model_dump_json())
        return found

    def _path(self, dataset: Dataset, case: Case, fingerprint: str | None) -> Path | None:
        if self._folder is None or fingerprint is None:
            return None
        origin = [FACTS_VERSION, dataset.settings.format, fingerprint, len(case.files), dataset.channels()]
        return self._folder / f"{hashlib.sha256(json.dumps(origin).encode()).hexdigest()}.json"


def examine(dataset: Dataset, case: Case) -> CaseFacts:
    """Look into the files of a case, or have its format read it where they are no plain images."""
    if not dataset.plain_files:
        return _read(dataset, case)
    channels = dataset.channels() if len(case.files) == 2 else None
    images = [_file(path, label=False, channels=channels) for path in case.files[:-1]]
    return CaseFacts(images=tuple(images), label=_file(case.files[-1], label=True, channels=None))


def _file(path: Path, *, label: bool, channels: int | None) -> FileFacts:
    try:
        opened = open_image(path, channels)
    except UnusableFileError as error:
        return FileFacts(problem=str(error), rule=error.rule)
    return label_facts(opened) if label else image_facts(opened)


def _read(dataset: Dataset, case: Case) -> CaseFacts:
    try:
        volume = dataset.read(case)
    except DataError as error:
        return CaseFacts(problem=str(error))
    images = () if volume.image is None else (image_facts(Opened(volume.image, volume.geometry)),)
    labels = None if volume.labels is None else label_facts(Opened(volume.labels[None], volume.geometry))
    return CaseFacts(images=images, label=labels)


def _remembered(path: Path) -> CaseFacts | None:
    """What an earlier check wrote; a damaged file costs reading the case again and nothing else."""
    try:
        return CaseFacts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
