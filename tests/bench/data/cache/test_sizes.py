from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.cache.sizes import as_text, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("200GB", 200 * 10**9),
        ("500 MB", 500 * 10**6),
        ("1.5 TiB", 3 * 2**39),
        ("12 kb", 12_000),
        (" .5GB ", 500_000_000),
        ("7 B", 7),
    ],
)
def test_amounts_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "200", "GB", "-1 GB", "1 GB GB", "1,5 GB", "1e3 MB", "many", "0 GB", "0.1 B", "٣ GB"]
)
def test_what_is_no_amount_is_refused_with_the_expected_form(text):
    with pytest.raises(ValueError, match="expected a positive number with one of B, kB, MB, GB, TB"):
        parse_size(text)


@given(st.integers(1, 10**15))
def test_written_amounts_are_true_to_three_digits(size):
    assert parse_size(as_text(size)) == pytest.approx(size, rel=0.0051)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (12_340_000, "12.3 MB"),
        (999_600_000, "1.00 GB"),
        (10**11, "100 GB"),
    ],
)
def test_the_unit_fits_the_amount(size, text):
    assert as_text(size) == text
