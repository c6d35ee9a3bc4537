"""`clean` says what it would remove, asks, and removes that."""

from __future__ import annotations

import shutil

import pytest

from bench.files.lock import FileLock


@pytest.fixture
def littered(finished):
    (cell,) = finished.glob("cells/ce-*")
    shutil.copytree(cell, finished / "cells" / "ce-s9-f0-0123456789ab")
    shutil.copytree(cell, finished / "cells" / f"{cell.name}.failed")
    return finished


@pytest.fixture
def answers(monkeypatch):
    """What the user types, and the questions that were asked."""
    questions = []

    def prepare(answer: bool) -> list[str]:
        def confirm(question: str, abort: bool) -> None:
            questions.append(question)
            if abort and not answer:
                import typer

                raise typer.Abort

        monkeypatch.setattr("typer.confirm", confirm)
        return questions

    return prepare


def names(run) -> list[str]:
    return sorted(path.name.partition("-")[0] + path.name.partition(".")[2] for path in (run / "cells").iterdir())


def test_it_lists_asks_and_removes_and_the_table_stays(program, workshop, littered, answers):
    questions, scores = answers(True), workshop.scores(littered)
    answer = program("clean", littered)
    assert answer.code == 0
    listed = [line.split("  ") for line in answer.out.splitlines()[:-1]]
    assert [(one[0].partition("-s")[0], one[2]) for one in listed] == [
        ("cells/ce", "set aside as failed"),
        ("cells/ce", "not in the plan"),
    ]
    assert len(questions) == 1
    assert questions[0].startswith("Remove these 2 folders, ")
    assert "removed 2 folders" in answer.out.splitlines()[-1]
    assert names(littered) == ["ce", "dice"]
    program("report", littered)
    kept = {name: content for name, content in scores.items() if "s9" not in name and "failed" not in name}
    assert workshop.scores(littered) == kept
    assert program("clean", littered).out == f"{littered}: nothing to remove\n"


def test_without_consent_nothing_is_removed(program, littered, answers):
    answers(False)
    answer = program("clean", littered)
    assert answer.code == 1
    assert "removed" not in answer.out
    assert names(littered) == ["ce", "ce", "cefailed", "dice"]


def test_with_yes_it_does_not_ask(program, littered, answers):
    questions = answers(False)
    assert program("clean", littered, "--yes").code == 0
    assert questions == []
    assert names(littered) == ["ce", "dice"]


def test_it_refuses_while_somebody_works_there(program, littered):
    lock = FileLock(littered / "run.lock")
    lock.acquire()
    answer = program("clean", littered, "--yes")
    lock.release()
    assert answer.code == 1
    assert "in use by process" in answer.err
    assert names(littered) == ["ce", "ce", "cefailed", "dice"]
