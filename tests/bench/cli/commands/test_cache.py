"""`cache list` and `cache clean` on a cache with entries of every state."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from bench.data.cache.arrays import write_arrays
from bench.data.cache.store import CaseCache
from bench.data.cache.uses import using
from bench.files.checksum import seal_folder

DAY = 86_400


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Two whole entries of 1 MB, a damaged and a half-written one of 2 MB."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE_LIMIT", "20 MB")
    cache = CaseCache.of_user()
    for identity, size, days in (("new-1", 1, 1), ("old-2", 1, 40), ("broken-3", 2, 0)):
        with cache.lock(identity):
            write_arrays(cache.start(identity), {"image": np.zeros(size * 10**6, np.uint8)}, {})
            seal_folder(cache.building(identity))
            folder = cache.publish(identity)
        last = time.time() - days * DAY
        os.utime(folder, (last, last))
    cache.folder("broken-3").rename(cache.root / "entries/broken-3.damaged")
    write_arrays(cache.start("left-4"), {"image": np.zeros(2 * 10**6, np.uint8)}, {})
    return cache


def left(cache):
    return [entry.identity for entry in cache.entries()]


def test_list_shows_size_last_use_and_state_of_every_entry(program, cache):
    with using(cache, ["new-1"]):
        answer = program("cache", "list")
    *lines, last = answer.out.splitlines()
    rows = [line.split(maxsplit=5) for line in lines]
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 40 * DAY))
    assert answer.code == 0
    assert rows[0] == ["entry", "size", "last", "used", "state"]
    assert [[row[0], row[1], row[2], row[5]] for row in rows[1:]] == [
        ["broken-3.damaged", "2.00", "MB", "damaged, set aside"],
        ["left-4", "2.00", "MB", "half-written, left by a killed process"],
        ["new-1", "1.00", "MB", "whole, in use"],
        ["old-2", "1.00", "MB", "whole"],
    ]
    assert rows[4][3] == day
    assert last == f"{cache.root}: 4 entries, 6.00 MB of 20.0 MB"


def test_an_empty_cache_is_no_error(program, tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "empty"))
    assert program("cache", "list").out == f"{tmp_path / 'empty' / 'cases'}: 0 entries, 0 B of 100 GB\n"
    answer = program("cache", "clean", "--all")
    assert (answer.code, answer.out) == (0, f"{tmp_path / 'empty' / 'cases'}: nothing to remove\n")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ([], ["new-1", "old-2"]),
        (["--older-than", "30"], ["new-1"]),
        (["--to", "1.5MB"], ["new-1"]),
        (["--to", "10 MB"], ["new-1", "old-2"]),
        (["--all"], []),
    ],
)
def test_clean_removes_leftovers_and_what_was_asked_for(program, cache, options, kept):
    answer = program("cache", "clean", *options, "--yes")
    assert answer.code == 0
    assert left(cache) == kept
    assert f"removed {4 - len(kept)} entries" in answer.out


@pytest.mark.parametrize(("reply", "code", "kept"), [("y\n", 0, []), ("n\n", 1, 4), ("", 1, 4)])
def test_clean_says_what_goes_and_asks_first(program, cache, monkeypatch, reply, code, kept):
    monkeypatch.setattr(sys, "stdin", io.StringIO(reply))
    answer = program("cache", "clean", "--all")
    assert answer.code == code
    assert all(identity in answer.out for identity in ("new-1", "old-2", "broken-3.damaged", "left-4"))
    assert "Remove these 4 entries, 6.00 MB?" in answer.out
    assert len(left(cache)) == (kept or 0)


def test_clean_never_removes_what_is_in_use(program, cache):
    with using(cache, ["old-2"]), cache.lock("left-4"):
        answer = program("cache", "clean", "--all", "--yes")
        assert "in use by running programs: 2 entries, which stay" in answer.out
    assert left(cache) == ["left-4", "old-2"]


@pytest.mark.parametrize("arguments", [["--to", "little"], ["--older-than", "-1"], ["--older-than", "long"]])
def test_a_wish_that_makes_no_sense_is_refused_and_nothing_goes(program, cache, arguments):
    answer = program("cache", "clean", *arguments, "--yes")
    assert answer.code == 2
    assert arguments[0] in answer.err
    assert len(left(cache)) == 4


def test_a_limit_that_is_no_amount_is_an_error_in_one_line(program, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE_LIMIT", "100")
    answer = program("cache", "list")
    assert answer.code == 1
    assert answer.err.startswith("error: the environment variable IMBALANCE_BENCH_CACHE_LIMIT: '100' is no amount")
    assert answer.err.count("\n") == 1


def test_looking_at_the_cache_imports_nothing_heavy(cache):
    code = (
        "import sys; sys.argv = ['imbalance-bench', 'cache', 'list']\n"
        "from bench.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ending: assert not ending.code\n"
        "print([name for name in ('torch', 'numpy', 'SimpleITK', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "4 entries" in done.stdout
