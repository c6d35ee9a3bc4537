"""Other work on the machine is seen."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch

from bench.cost import load

CPU = torch.device("cpu")


def compute(seconds: float) -> None:
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        sum(range(1000))


@pytest.mark.skipif(load.machine_seconds() is None, reason="the kernel has no /proc/stat")
def test_what_another_process_computes_is_seen():
    """Not how much: on a machine that is full the other one gets only a part of a CPU."""
    watch = load.LoadWatch()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        time.sleep(2)
        other.kill()
    record = watch.record(CPU)
    assert record.other_cpus > 0.2
    assert record.cpu_share < 0.5


def test_own_work_is_a_share_of_the_threads_and_no_other_process():
    torch.set_num_threads(1)
    watch = load.LoadWatch()
    compute(0.5)
    assert watch.record(CPU).cpu_share > 0.05


def test_a_gpus_work_is_not_judged_by_cpu_time():
    assert load.LoadWatch().record(torch.device("cuda")).cpu_share is None


def test_where_the_kernel_does_not_say_others_are_unknown(monkeypatch):
    monkeypatch.setattr(load, "machine_seconds", lambda: None)
    assert load.LoadWatch().record(CPU).other_cpus is None
