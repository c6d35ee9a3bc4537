"""Where the user's cache lies."""

from __future__ import annotations

import pytest

from bench.errors import StorageError
from bench.files.user_cache import VARIABLE, user_cache


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_it_lies_in_the_home_folder_and_is_made(home):
    assert user_cache() == home / ".cache" / "imbalance-bench"
    assert user_cache().is_dir()


def test_the_desktop_standard_is_followed(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert user_cache() == home / "xdg" / "imbalance-bench"


def test_its_own_variable_comes_first(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    monkeypatch.setenv(VARIABLE, str(home / "mine" / "deep"))
    assert user_cache() == home / "mine" / "deep"
    assert user_cache().is_dir()


def test_a_place_where_no_folder_can_be_is_named_with_the_variable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(
        StorageError, match=rf"the cache .*cache cannot be made .*; name another folder in \${VARIABLE}"
    ):
        user_cache()
