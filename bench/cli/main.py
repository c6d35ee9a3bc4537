"""Entry of the program: nothing of `losses` or `models` is imported before it is sure whose they are."""

from __future__ import annotations

import sys

from bench.cli.shadowing import check_shadowing
from bench.errors import BenchError


def main() -> None:
    """Run `imbalance-bench`."""
    try:
        check_shadowing()
    except BenchError as error:
        sys.exit(f"error: {error}")
    from bench.cli.app import run_app

    run_app()
