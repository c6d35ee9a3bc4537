"""Identities: of content and nothing else, fit for a folder's name."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suite.identity import DIGITS, digest, identify

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.text(max_size=5), plain, max_size=4)


def turned(value):
    """The same content with the keys of every mapping in the other order, and tuples for lists."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(list(value))}
    return tuple(map(turned, value)) if isinstance(value, list) else value


@given(mappings)
def test_the_order_of_keys_and_the_kind_of_sequence_do_not_matter(content):
    assert digest(content) == digest(turned(content))


@pytest.mark.parametrize("pair", [(1, 1.0), (1, True), (0.1, 0.10000000000000002), ("1", 1), ([], {}), (None, 0)])
def test_values_that_a_suite_tells_apart_are_told_apart(pair):
    assert digest({"x": pair[0]}) != digest({"x": pair[1]})


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        digest({"x": float("nan")})


@given(st.text(max_size=300))
def test_an_identity_can_name_a_folder_anywhere(slug):
    name = identify(slug, {"a": 1})
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name)
    assert len(name.encode()) <= 120
    assert name.endswith(f"-{digest({'a': 1})[:DIGITS]}")


def test_a_digest_is_that_of_compact_sorted_json():
    """Folders of earlier runs are found by it, so it must not change."""
    canonical = '{"a":null,"b":[1,2.5,"ü"]}'
    assert digest({"b": (1, 2.5, "ü"), "a": None}) == hashlib.sha256(canonical.encode()).hexdigest()
