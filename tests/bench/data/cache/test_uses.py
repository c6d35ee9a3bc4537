"""Uses between real processes."""

from __future__ import annotations

import pytest

from bench.data.cache.uses import used, using
from bench.errors import DataError

USE = """
with using(cache, arguments):
    print("ready", flush=True)
    sys.stdin.readline()
print("over", flush=True)
sys.stdin.readline()
"""


def test_a_use_lasts_as_long_as_its_context(cache):
    with using(cache, ["a-1", "b-2", "a-1"]):
        assert used(cache) == {"a-1", "b-2"}
        with using(cache, ["c-3"]):
            assert used(cache) == {"a-1", "b-2", "c-3"}
        assert used(cache) == {"a-1", "b-2"}
    assert used(cache) == frozenset()
    assert not list(cache.place("uses").iterdir())


def test_a_use_of_another_process_is_seen_until_it_ends(cache, start):
    other = start(USE, "a-1")
    assert used(cache) == {"a-1"}
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "over\n"
    assert used(cache) == frozenset()


def test_the_use_of_a_killed_process_ends_with_it_and_its_files_are_swept(cache, fill, start):
    other = start(USE, "a-1")
    other.kill()
    other.wait()
    assert used(cache) == frozenset()
    assert list(cache.place("uses").iterdir())
    fill(cache, "b-2")
    assert not list(cache.place("uses").iterdir())


def test_sweeping_leaves_living_uses_alone(cache, fill, start):
    start(USE, "a-1")
    with using(cache, ["b-2"]):
        fill(cache, "c-3")
        assert used(cache) == {"a-1", "b-2"}


def test_a_use_file_that_nobody_holds_is_not_even_read(cache, fill):
    (cache.place("uses") / "1-0.json").write_text("{hostile")
    assert used(cache) == frozenset()
    fill(cache, "a-1")
    assert not list(cache.place("uses").iterdir())


def test_only_identities_can_be_used(cache):
    with pytest.raises(DataError, match="is no identity"), using(cache, ["../a"]):
        pass
