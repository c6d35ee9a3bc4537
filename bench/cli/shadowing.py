"""Refuse to start when another folder's `losses` or `models` stands before ours on the import path.

`python -m` puts the working directory first, and these two names are common.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bench.errors import BenchError
from bench.files.home import HOME

NEIGHBOURS = ("losses", "models")


def check_shadowing() -> None:
    """Compare where our neighbour packages would be imported from with where this package lies.

    Raises:
        BenchError: names the shadowing folder and the way out.
    """
    for name in NEIGHBOURS:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin != HOME / name / "__init__.py":
            places = [*(spec.submodule_search_locations or ())] if spec else []
            found = origin.parent if origin else next(iter(places), "nowhere")
            raise BenchError(
                f"the package {name!r} would be imported from {found}, expected {HOME / name}: a folder named {name} "
                "in the working directory hides it. Use the console script `imbalance-bench`, which ignores the "
                "working directory, or start from another folder"
            )
