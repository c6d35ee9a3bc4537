"""FAULTS.md lists every fault once, and names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAULTS = 56
LATER = {"clusters", "tuning", "statistics", "boards"}

TEXT = (ROOT / "tests" / "FAULTS.md").read_text(encoding="utf-8")
ENTRIES = {
    int(number): " ".join(entry.split())
    for number, entry in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
}


@cache
def names(path: str) -> set[str]:
    """The tests that a file defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def proofs(entry: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/\S+\.py)::(\w+)`", entry)


def later(entry: str) -> set[str]:
    return {word for words in re.findall(r"Later: ([a-z, ]+)\.", entry) for word in words.split(", ")}


def test_every_fault_is_there_once_and_in_order():
    numbers = re.findall(r"^(\d+)\. ", TEXT, re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(1, FAULTS + 1))


@pytest.mark.parametrize("number", range(1, FAULTS + 1))
def test_a_fault_has_tests_that_exist_or_is_named_as_later_work(number):
    entry = ENTRIES[number]
    assert proofs(entry) or later(entry)
    assert later(entry) <= LATER
    assert entry.count("::") == len(proofs(entry)), "a test whose name cannot be read"
    for path, name in proofs(entry):
        assert (ROOT / path).is_file(), path
        assert name in names(path), f"{path} has no {name}"
