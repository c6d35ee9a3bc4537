"""What tests of jobs and plans look for in a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.errors import SuiteError
from bench.execution.planning import Request, plan_request
from bench.results.run_directory import SET_ASIDE


def _records(run) -> dict[str, dict]:
    """The record of every cell by its method."""
    found = [json.loads(path.read_text()) for path in sorted(run.path.glob("cells/*/cell.json")) if _whole(path)]
    return {record["method"]: record for record in found}


def _whole(path) -> bool:
    """Whether a file is in no folder that was set aside."""
    return not SET_ASIDE.search(path.parent.name)


def _pretrained(run) -> list:
    """The folders of pre-trained regressors that are whole."""
    return [path.parent for path in sorted(run.path.glob("pretrained/*/seal.json")) if _whole(path)]


def _refusal(suite: Path, read_data: bool = True) -> str:
    with pytest.raises(SuiteError) as caught:
        plan_request(Request(suite, out=suite.parent / "run"), read_data=read_data)
    return str(caught.value)


@pytest.fixture
def records():
    return _records


@pytest.fixture
def pretrained():
    return _pretrained


@pytest.fixture
def refusal():
    return _refusal
