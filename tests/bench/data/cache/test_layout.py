from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.cache.layout import check_identity
from bench.data.cache.store import CaseCache
from bench.errors import DataError
from bench.suite.identity import identify


@given(st.text(max_size=150))
def test_every_identity_of_a_plan_is_accepted(case):
    identity = identify(f"case-{case}", {"case": case})
    assert check_identity(identity) == identity
    assert check_identity(f"{identity}.norm_inverse-0123456789ab")


@pytest.mark.parametrize(
    "identity",
    [
        "",
        ".",
        "..",
        "a/b",
        "/etc",
        "../up",
        ".hidden",
        "a b",
        "a\n",
        "a\0",
        "x" * 256,
        "a\\b",
        "case.damaged",
        "a.damaged-2",
    ],
)
def test_an_identity_that_is_no_plain_name_of_a_folder_is_refused(cache, identity):
    for ask in (cache.folder, cache.building, cache.lock, cache.holds, cache.touch, cache.start, cache.publish):
        with pytest.raises(DataError, match=re.escape(repr(identity))):
            ask(identity)


def test_an_identity_of_another_type_is_refused(cache):
    with pytest.raises(DataError, match="3 is no identity"):
        cache.folder(3)


@pytest.mark.parametrize("name", ["entries", "building", "locks", "uses"])
def test_a_link_in_the_place_of_a_folder_is_refused_and_nothing_behind_it_is_touched(tmp_path, name):
    """Else cleaning a cache that came from elsewhere would clean what the link points at."""
    precious = tmp_path / "home" / "precious"
    precious.mkdir(parents=True)
    (precious / "file").write_text("thesis")
    cache = CaseCache(tmp_path / "cases", 1000)
    cache.root.mkdir()
    (cache.root / name).symlink_to(precious.parent)
    with pytest.raises(DataError, match=f"{name} is a link"):
        cache.remove(cache.entries())
    assert (precious / "file").read_text() == "thesis"


def test_the_whole_cache_may_lie_behind_a_link(tmp_path, fill):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "cases").symlink_to(tmp_path / "large disk")
    cache = CaseCache(tmp_path / "cases", 10_000)
    fill(cache, "a-1")
    assert [entry.identity for entry in cache.entries()] == ["a-1"]
    assert (tmp_path / "large disk/entries/a-1/seal.json").is_file()
