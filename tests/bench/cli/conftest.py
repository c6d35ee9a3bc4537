"""The program in this process: fast, and with everything that a user sees."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def program(monkeypatch, capsys, workshop) -> Callable[..., Answer]:
    """Call `imbalance-bench ARGUMENTS` in the workshop's folder."""
    from bench.cli.app import run_app

    monkeypatch.chdir(workshop.folder)

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["imbalance-bench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            run_app()
        said = capsys.readouterr()
        return Answer(int(ending.value.code or 0), said.out, said.err)

    return call
