"""How much room a folder takes."""

from __future__ import annotations

from bench.files.sizes import folder_bytes


def test_plain_files_at_any_depth_count_and_links_do_not(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "deep" / "er" / "b").write_bytes(bytes(5))
    (tmp_path / "deep" / "link").symlink_to(tmp_path / "a")
    assert folder_bytes(tmp_path) == 15


def test_what_is_not_there_takes_none(tmp_path):
    assert folder_bytes(tmp_path / "gone") == 0
