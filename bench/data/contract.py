"""What a dataset format owes the rest of the house, checked on a dataset that is there; plug-ins may call it too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np

from bench.data.dataset import Dataset, checked_cases, formats
from bench.data.fingerprints import FingerprintMemory
from bench.data.settings import DatasetSettings
from bench.data.volume import Volume


def violations(dataset: Dataset) -> list[str]:
    """One sentence for each promise of `Dataset` that is broken; empty for a good format.

    Reads the first and the last case twice.
    """
    return [*_registration(dataset), *_listing(dataset), *_content(dataset)]


def _registration(dataset: Dataset) -> Iterator[str]:
    kind, name = type(dataset), dataset.settings.format
    if name not in formats.names() or formats.get(name) is not kind:
        yield f"{kind.__qualname__} is not what is registered as {name!r}"
    model = kind.settings_type
    if not issubclass(model, DatasetSettings) or get_args(model.model_fields["format"].annotation) != (name,):
        yield f"{model.__qualname__} does not narrow `format` to Literal[{name!r}]"


def _listing(dataset: Dataset) -> Iterator[str]:
    if dataset.absence() is not None:
        yield f"absence() says {dataset.absence()!r} although the data is there"
    cases = dataset.cases()
    if cases != dataset.cases():
        yield "two calls of cases() differ"
    if cases != checked_cases(cases, "cases()"):
        yield "cases() is not in natural order of the ids"


def _content(dataset: Dataset) -> Iterator[str]:
    cases = dataset.cases()
    with TemporaryDirectory() as folder:
        memory = FingerprintMemory(Path(folder, "memory.json"))
        prints = {case.id: dataset.fingerprint(case, memory) for case in cases}
    if len(set(prints.values())) < len(cases):
        yield "two cases have the same fingerprint"
    for case in dict.fromkeys((cases[0], cases[-1])):
        if dataset.fingerprint(case) != prints[case.id]:
            yield f"case {case.id}: its fingerprint depends on the memory"
        first, second = dataset.read(case), dataset.read(case)
        if _arrays(first) != _arrays(second) or first.geometry != second.geometry:
            yield f"case {case.id}: two readings differ"
        if first.image is not None and first.image.dtype != np.float32:
            yield f"case {case.id}: image of {first.image.dtype}, expected float32"
        if first.labels is not None and first.labels.dtype != np.int16:
            yield f"case {case.id}: labels of {first.labels.dtype}, expected int16"


def _arrays(volume: Volume) -> tuple[bytes | None, ...]:
    return tuple(None if array is None else array.tobytes() for array in (volume.image, volume.labels))
