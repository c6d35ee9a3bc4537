"""Devices: taken at their word or refused in words, repeatable, described."""

from __future__ import annotations

import pytest
import torch

from bench.errors import BenchError
from bench.training.device import cpu_name, device_facts, is_usable, make_repeatable, resolve_device

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == CPU


def test_an_unknown_device_is_refused():
    with pytest.raises(BenchError, match="device 'gpu' is not known; use auto, cpu, cuda or cuda:N"):
        resolve_device("gpu")


def test_a_gpu_is_never_replaced_by_the_cpu_in_silence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BenchError, match=r"device 'cuda:1' was asked for, but torch .* sees no GPU; use --device auto"):
        resolve_device("cuda:1")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    assert resolve_device("cuda") == torch.device("cuda")
    with pytest.raises(BenchError, match=r"device 'cuda:2' was asked for, but torch sees 2 GPU\(s\) only"):
        resolve_device("cuda:2")


def test_a_gpu_that_answers_with_an_error_is_of_no_use(monkeypatch):
    def lost(device: torch.device) -> None:
        raise RuntimeError(f"{device}: CUDA error: device-side assert triggered")

    monkeypatch.setattr(torch.cuda, "synchronize", lost)
    assert not is_usable(torch.device("cuda", 0))
    assert is_usable(CPU)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    assert is_usable(torch.device("cuda", 0))


def test_an_operation_that_cannot_be_repeated_is_refused_by_name():
    make_repeatable(1, CPU)
    with pytest.raises(RuntimeError, match="put_ does not have a deterministic implementation"):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2))


def test_threads_are_those_of_the_settings():
    make_repeatable(2, CPU)
    assert torch.get_num_threads() == 2


def test_facts_say_where_numbers_came_from():
    facts = device_facts(CPU)
    assert facts["device"] == "cpu"
    assert facts["device_name"] == cpu_name() != ""
    assert facts["torch"] == torch.__version__
    assert facts["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
