"""Tables of the docs say what the code says."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from bench.evaluation.metrics import EMPTY_POLICY, METRICS
from bench.suite.schema import Named, Suite

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_as_the_code_has_them(page, generate):
    text = page.read_text(encoding="utf-8")
    assert generate.filled(text) == text, "write the tables anew with: python docs/generate.py"


def test_every_block_that_can_be_generated_is_on_a_page(generate):
    shown = re.findall(r"<!-- generated: (.*?) -->", "".join(page.read_text(encoding="utf-8") for page in PAGES))
    assert sorted(shown) == sorted(generate.BLOCKS)


def test_every_key_of_a_suite_is_documented():
    page = (DOCS / "suite.md").read_text(encoding="utf-8")
    for model in models_below(Suite):
        for key in (field.alias or name for name, field in model.model_fields.items()):
            assert re.search(rf"^\| `{key}` +\|", page, re.MULTILINE), f"{model.__name__}.{key}"


def models_below(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A settings model and all that its fields hold; losses and networks are documented by name, not by key."""
    found = {model}
    for field in model.model_fields.values():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel) and not issubclass(part, Named):
                found |= models_below(part)
    return found


def parts(annotation: object) -> list[object]:
    return [annotation, *(inner for part in get_args(annotation) for inner in parts(part))]


def test_the_empty_policy_is_that_of_the_tables():
    assert f"\n> {EMPTY_POLICY}\n" in (DOCS / "metrics.md").read_text(encoding="utf-8")


def test_every_metric_is_defined():
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    for metric in METRICS.values():
        assert f"**{metric.label}**" in page, metric.key


def test_every_column_of_the_table_is_explained_in_the_readme():
    rows = [line.split("|")[1] for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    explained = {label.strip() for row in rows for label in row.split(",")}
    assert {metric.label for metric in METRICS.values()} <= explained


def test_the_order_of_rooms_is_the_one_that_lint_enforces():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][1]["layers"]
    rooms = [layer.replace("bench.", "").split(" | ") for layer in reversed(layers)]
    order = " < ".join(", ".join(f"`{room}`" for room in sorted(group, reverse=True)) for group in rooms)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert order in " ".join(text.split())
