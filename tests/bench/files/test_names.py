"""A name is one component of a path and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.files.names import is_plain


@pytest.mark.parametrize("name", ["a", "volume-12", "肝-1", "a.b", "s0+f1", "x" * 150])
def test_names_of_cases_and_jobs_are_plain(name):
    assert is_plain(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "/tmp/x", "a/b", "a\\b", "../x", "a\n", "a\0", "-x", "~", "x" * 151, None, 7]
)
def test_what_leads_elsewhere_hides_or_is_no_text_is_not(name):
    assert not is_plain(name)


@given(st.text())
def test_a_plain_name_stays_in_its_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    if is_plain(name):
        assert (folder / name).resolve().parent == folder.resolve()
