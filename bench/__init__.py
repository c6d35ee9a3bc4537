"""imbalance-bench: which loss is better on imbalanced segmentation data, by how much, how sure, at what cost.

`bench.run("suite.yaml")` runs a suite, `bench.load("runs/…")` reads its records as DataFrames
(`.cases`, `.cells`, `.lesions`, `.history`); `bench.evaluation.score` scores any pair of masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import load, run

__all__ = ["load", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from bench import api

        return getattr(api, name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
