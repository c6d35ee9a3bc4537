"""How mistakes reach the user: no traceback, the place, and an exit code that scripts can tell apart."""

from __future__ import annotations

import pytest

COMMANDS = ("run", "validate", "report", "status", "predict", "score", "schema", "work", "data")


def test_help_lists_every_command(program):
    answer = program("--help")
    assert answer.code == 0
    assert all(f" {command} " in answer.out for command in COMMANDS)


def test_a_mistake_in_a_suite_ends_with_2_and_stands_on_stderr_with_its_place(program, workshop):
    suite = workshop.suite(training={"stepz": 5})
    answer = program("validate", suite.name)
    assert answer.code == 2
    assert answer.out == ""
    (line,) = answer.err.splitlines()
    place, _, words = line.removeprefix("error: ").partition(": ")
    file, number, column = place.split(":")
    assert file == "tiny.yaml"
    assert suite.read_text().splitlines()[int(number) - 1][int(column) - 1 :] == "stepz: 5"
    assert "unknown key 'stepz'; did you mean 'steps'?" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "nowhere"), "nowhere is not a run directory: there is no such folder"),
        (("report", "nowhere"), "nowhere is not a run directory"),
        (("work", "nowhere"), "nowhere is not a run directory"),
        (("predict", "nowhere/cells/x", "a.nii.gz", "b.nii.gz"), "nowhere/cells/x is no finished cell"),
        (("score", "--reference", "nowhere", "--prediction", "nowhere"), "nowhere"),
        (("run", "tiny.yaml", "--device", "gpu7"), "device 'gpu7' is not known; use auto, cpu, cuda or cuda:N"),
        (("run", "tiny.yaml", "--out", "tiny.yaml"), "tiny.yaml is a file, expected a folder for the run"),
        (("run", "tiny.yaml", "--out", "tiny.yaml/run"), "tiny.yaml is a file, expected a folder for the run"),
        (("run", "tiny.yaml", "--out", "x" * 300), "cannot be written (File name too long)"),
    ],
    ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, tuple) else "",
)
def test_any_other_refusal_ends_with_1_and_one_message(program, workshop, arguments, words):
    workshop.suite()
    answer = program(*arguments)
    assert answer.code == 1
    assert answer.err.startswith("error: ")
    assert words in answer.err
    assert "Traceback" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("validate", "nowhere.yaml"), "nowhere.yaml"),
        (("validate", "."), "."),
        (("validate", "loop.yaml"), "loop.yaml"),
        (("validate", "tiny.yaml", "--methods", "dicee"), "Did you mean 'dice'?"),
        (("validate", "tiny.yaml", "--folds", "4"), "there is no fold 4"),
        (("validate", "tiny.yaml", "--seeds", "1;2"), "'1;2': expected whole numbers"),
        (("validate", "tiny.yaml", "--set", "training.steps"), "expected a dotted path"),
        (("predict", "cell", "image.nii.gz"), "give the image first, then the file to write"),
        (("run",), "Missing argument"),
        (("trian", "tiny.yaml"), "No such command"),
    ],
    ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, tuple) else "",
)
def test_wrong_arguments_end_with_2(program, workshop, arguments, words):
    workshop.suite()
    (workshop.folder / "loop.yaml").symlink_to("loop.yaml")
    answer = program(*arguments)
    assert answer.code == 2
    assert words in answer.err
    assert "Traceback" not in answer.out + answer.err


def test_a_read_only_folder_is_refused_at_once(program, workshop, tmp_path):
    """Files below /proc can be made by nobody, root included."""
    workshop.suite()
    answer = program("run", "tiny.yaml", "--out", "/proc/here")
    assert answer.code == 1
    assert "error: /proc/here cannot be written" in answer.err
    assert "give another folder with --out" in answer.err


def test_paths_with_spaces_and_any_script_work(program, workshop):
    folder = workshop.folder / "Läsionen 肝臓"
    folder.mkdir()
    workshop.suite().rename(folder / "meine Suite.yaml")
    answer = program("validate", folder / "meine Suite.yaml", "--out", folder / "Lauf 1")
    assert answer.code == 0
    assert f"{folder / 'Lauf 1'}" in answer.out
