"""A run goes on where it was started; elsewhere only when asked to, and then it is noted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.errors import RunError
from bench.execution.environment import (
    environment_here,
    note_passage,
    note_start,
    passed_through,
    refuse_elsewhere,
    started_in,
)
from bench.results.run_directory import RunDirectory

HERE = {"device": "cpu", "torch": "2.13.0", "cpu_capability": "AVX2"}
THERE = HERE | {"cpu_capability": "AVX512"}


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path)


def test_an_environment_is_device_class_torch_and_the_instructions_that_torch_uses(monkeypatch):
    import torch

    here = environment_here("cpu")
    assert here == {
        "device": "cpu",
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    code = "from bench.execution.environment import environment_here; print(environment_here('cpu')['cpu_capability'])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "DEFAULT\n"


def test_the_first_start_is_remembered(run):
    assert started_in(run) is None
    refuse_elsewhere(run, HERE)
    note_start(run, HERE)
    note_start(run, THERE)
    assert started_in(run) == HERE


@pytest.mark.parametrize("fact", HERE)
def test_another_device_torch_or_instruction_set_is_refused_and_both_are_named(run, fact):
    note_start(run, HERE)
    refuse_elsewhere(run, dict(HERE))
    with pytest.raises(RunError) as caught:
        refuse_elsewhere(run, HERE | {fact: "another"})
    message = str(caught.value)
    assert "started on device cpu, torch 2.13.0, CPU instructions AVX2; here is device " in message
    assert "another" in message
    assert "--other-environment" in message


NUMBER = '{"device": 1, "torch": "", "cpu_capability": ""}'


@pytest.mark.parametrize("content", ["{", "[]", '{"device": "cpu"}', NUMBER])
def test_a_note_that_is_none_is_refused_by_its_path(run, content):
    run.environment.write_text(content)
    with pytest.raises(RunError, match=r"environment\.json cannot be read \(.*remove it"):
        refuse_elsewhere(run, HERE)
    (run.path / "environments.json").write_text(content)
    if content != "[]":
        with pytest.raises(RunError, match=r"environments\.json cannot be read"):
            passed_through(run.path)


@pytest.mark.parametrize("progress", ["resume/step-00000003-0123456789abcdef.pt", "scores/best/main/case.json"])
def test_a_job_that_goes_on_elsewhere_has_passed_through_both(tmp_path, progress):
    assert passed_through(tmp_path) == []
    note_passage(tmp_path, HERE)
    note_passage(tmp_path, HERE)
    assert passed_through(tmp_path) == [HERE]
    (tmp_path / progress).parent.mkdir(parents=True)
    (tmp_path / progress).touch()
    for here in (HERE, THERE, THERE, HERE):
        note_passage(tmp_path, here)
    assert passed_through(tmp_path) == [HERE, THERE, HERE]


def test_where_nothing_was_left_to_go_on_from_does_not_count(tmp_path):
    note_passage(tmp_path, HERE)
    note_passage(tmp_path, THERE)
    assert json.loads((tmp_path / "environments.json").read_text()) == [THERE]
