"""Evaluation: windows to probabilities, masks to scores per case and per lesion. Importing the room loads nothing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.evaluation.inference import predict_probabilities as predict_probabilities
    from bench.evaluation.lesions import lesion_records as lesion_records
    from bench.evaluation.scoring import score as score

_HOMES = {
    "lesion_records": "bench.evaluation.lesions",
    "predict_probabilities": "bench.evaluation.inference",
    "score": "bench.evaluation.scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
