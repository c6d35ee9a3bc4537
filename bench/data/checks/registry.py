"""The rules by name. Each file of `bench/data/checks/rules/` is one rule, or a family of rules about one thing."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.errors import DataError
from losses.registry import Registry

rules: Registry[Iterator[Finding]] = Registry(
    "data check", package="bench.data.checks.rules", group="imbalance_bench.data_checks", error=DataError
)
"""A rule is a function `rule(inspection: Inspection) -> Iterator[Finding]` that reads no file."""
