"""A cache in a folder of its own, entries of any size, and other processes that work on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.data.cache.arrays import write_arrays
from bench.data.cache.store import CaseCache
from bench.files.checksum import seal_folder

LIMIT = 10_000_000
Fill = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def cache(tmp_path: Path) -> CaseCache:
    """Limited to 10 MB."""
    return CaseCache(tmp_path / "cases", LIMIT)


@pytest.fixture
def fill() -> Fill:
    """Build and publish an entry of so many bytes, last used at a given second."""

    def make(cache: CaseCache, identity: str, size: int = 1000, used: float | None = None) -> Path:
        with cache.lock(identity):
            building = cache.start(identity)
            write_arrays(building, {"image": np.zeros(size, np.uint8)}, {"made by": "test"})
            seal_folder(building)
            folder = cache.publish(identity)
        if used is not None:
            os.utime(folder, (used, used))
        return folder

    return make


@pytest.fixture
def start(cache: CaseCache) -> Iterator[Start]:
    """Another Python process, with `cache` and `arguments` at hand; it goes on when it has said its first line."""
    running = []

    def run(code: str, *arguments: str, wait: bool = True) -> subprocess.Popen[str]:
        begin = (
            "import sys, numpy as np\n"
            "from pathlib import Path\n"
            "from bench.data.cache.arrays import write_arrays\n"
            "from bench.data.cache.store import CaseCache\n"
            "from bench.data.cache.uses import using\n"
            "from bench.files.checksum import seal_folder\n"
            f"cache, arguments = CaseCache(Path({str(cache.root)!r}), {cache.limit_bytes}), sys.argv[1:]\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", begin + code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        if wait:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()
