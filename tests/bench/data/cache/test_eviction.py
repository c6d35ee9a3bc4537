"""What goes when there is no room, and what stays."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from bench.data.cache.arrays import open_arrays, write_arrays
from bench.data.cache.store import CaseCache
from bench.data.cache.uses import using
from bench.errors import DataError
from bench.files.checksum import seal_folder
from bench.files.lock import FileLock

SIZE = 3_000_000
USE = """
with using(cache, arguments):
    print("ready", flush=True)
    sys.stdin.readline()
"""
BUILD = """
with cache.lock(arguments[0]):
    write_arrays(cache.start(arguments[0]), {"image": np.zeros(int(arguments[1]), np.uint8)}, {})
    print("ready", flush=True)
    sys.stdin.readline()
"""


def names(cache: CaseCache) -> list[str]:
    return [entry.identity for entry in cache.entries()]


def test_the_least_recently_used_goes_first(cache, fill):
    for identity, used in (("a-1", 300.0), ("b-2", 100.0), ("c-3", 200.0)):
        fill(cache, identity, SIZE, used)
    fill(cache, "d-4", SIZE)
    assert names(cache) == ["a-1", "c-3", "d-4"]


def test_a_touched_entry_is_kept(cache, fill):
    for identity, used in (("a-1", 100.0), ("b-2", 200.0), ("c-3", 300.0)):
        fill(cache, identity, SIZE, used)
    cache.touch("a-1")
    fill(cache, "d-4", SIZE)
    assert names(cache) == ["a-1", "c-3", "d-4"]


def test_no_more_is_removed_than_needed(cache, fill):
    for second in range(9):
        fill(cache, f"small-{second}", SIZE // 3, float(second + 1))
    fill(cache, "large-1", SIZE // 2)
    assert names(cache) == ["large-1", *(f"small-{n}" for n in range(1, 9))]
    assert sum(entry.bytes for entry in cache.entries()) <= cache.limit_bytes


def test_what_a_living_process_uses_stays(cache, fill, start):
    for identity, used in (("a-1", 100.0), ("b-2", 200.0), ("c-3", 300.0)):
        fill(cache, identity, SIZE, used)
    other = start(USE, "a-1", "b-2")
    assert [entry.identity for entry in cache.entries() if entry.in_use] == ["a-1", "b-2"]
    fill(cache, "d-4", SIZE)
    assert names(cache) == ["a-1", "b-2", "d-4"]
    other.kill()
    other.wait()
    fill(cache, "e-5", SIZE)
    assert names(cache) == ["b-2", "d-4", "e-5"]


def test_when_nothing_can_go_the_error_says_why_and_nothing_went(cache, fill, start):
    fill(cache, "a-1", SIZE, 100.0)
    fill(cache, "b-2", SIZE, 200.0)
    fill(cache, "c-3", SIZE, 300.0)
    start(USE, "b-2", "c-3")
    with pytest.raises(DataError) as refused:
        fill(cache, "d-4", 2 * SIZE)
    text = str(refused.value)
    assert "d-4 needs 6.00 MB (6000" in text
    assert "the limit is 10.0 MB and entries in use (2) take 6.00 MB of it" in text
    assert "set IMBALANCE_BENCH_CACHE_LIMIT to at least 12.1 MB" in text
    assert str(cache.root) in text
    assert [entry.identity for entry in cache.entries() if entry.state == "whole"] == ["a-1", "b-2", "c-3"]
    raised = CaseCache(cache.root, 12_100_000)
    assert fill(raised, "d-4", 2 * SIZE).is_dir()


def test_the_advice_counts_what_is_still_to_be_built(cache, fill):
    identities = [f"case-{number}" for number in range(10)]
    with using(cache, identities):
        for identity in identities[:3]:
            fill(cache, identity, SIZE)
        with pytest.raises(DataError) as refused:
            fill(cache, identities[3], SIZE)
        text = str(refused.value)
        assert "to at least 12.1 MB, which is enough for this entry only; 6 more that are to be used" in text
        assert "the same mean size (3.00 MB), all together take about 30.3 MB; or wait" in text
        raised = CaseCache(cache.root, 30_300_000)
        for identity in identities[3:]:
            fill(raised, identity, SIZE)
    assert names(cache) == identities


@pytest.mark.parametrize("how", ["evicted", "asked for", "swept"])
def test_nobody_waits_for_his_turn_while_files_are_removed(cache, fill, monkeypatch, how):
    fill(cache, "a-1", SIZE)
    if how == "swept":
        (cache.root / "entries" / "a-1").rename(cache.root / ".tmp-0123")
    usual, waited = shutil.rmtree, []

    def look(folder):
        waited.append(FileLock(cache.place("locks") / ".turn").is_held())
        usual(folder)

    monkeypatch.setattr(shutil, "rmtree", look)
    if how == "asked for":
        cache.remove(cache.entries())
    else:
        fill(cache, "b-2", 9_000_000)
    assert waited == [False]
    assert not list(cache.root.glob(".tmp-*"))


def test_an_entry_larger_than_the_limit_is_refused(cache, fill):
    with pytest.raises(DataError, match=r"the limit is 10.0 MB and entries in use \(0\) take 0 B"):
        fill(cache, "a-1", 11_000_000)


def test_what_another_process_is_building_counts_and_stays(cache, fill, start):
    fill(cache, "a-1", SIZE)
    start(BUILD, "b-2", "5000000")
    fill(cache, "c-3", SIZE)
    found = {entry.identity: entry for entry in cache.entries()}
    assert sorted(found) == ["b-2", "c-3"]
    assert (found["b-2"].state, found["b-2"].in_use) == ("unfinished", True)
    with pytest.raises(DataError, match=r"entries in use \(1\) take 5.00 MB"):
        fill(cache, "d-4", 2 * SIZE)


def test_leftovers_go_before_whole_entries_however_long_unused(cache, fill, start):
    fill(cache, "a-1", SIZE, 1.0)
    fill(cache, "b-2", SIZE).rename(cache.root / "entries" / "b-2.damaged")
    other = start(BUILD, "c-3", str(SIZE))
    other.kill()
    other.wait()
    states = {entry.identity: (entry.state, entry.in_use) for entry in cache.entries()}
    assert states == {"a-1": ("whole", False), "b-2.damaged": ("damaged", False), "c-3": ("unfinished", False)}
    fill(cache, "d-4", 2 * SIZE)
    assert names(cache) == ["a-1", "d-4"]


def test_whoever_has_an_entry_mapped_reads_on_after_it_went(cache, fill):
    with cache.lock("a-1"):
        write_arrays(cache.start("a-1"), {"image": np.arange(10**6)}, {})
        seal_folder(cache.building("a-1"))
        folder = cache.publish("a-1")
    image = open_arrays(folder)["image"]
    fill(cache, "b-2", 9_000_000)
    assert names(cache) == ["b-2"]
    assert image[-1] == 10**6 - 1


def test_what_came_into_use_after_it_was_listed_is_not_removed(cache, fill):
    fill(cache, "a-1")
    fill(cache, "b-2")
    listed = cache.entries()
    with using(cache, ["a-1"]):
        assert [entry.identity for entry in cache.remove(listed)] == ["b-2"]
    assert names(cache) == ["a-1"]


def test_an_entry_whose_lock_is_held_is_not_removed(cache, fill):
    fill(cache, "a-1")
    with cache.lock("a-1"):
        assert cache.remove(cache.entries()) == ()
    assert names(cache) == ["a-1"]


def test_what_a_killed_removal_left_is_swept(cache, fill):
    fill(cache, "a-1").rename(cache.root / ".tmp-0123")
    fill(cache, "b-2")
    assert not (cache.root / ".tmp-0123").exists()
