from __future__ import annotations

import math

import pytest

from bench.suite.scalars import AmbiguousScalarError, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("-2.5e+2", -250.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.0", 1.0),
        ("01.5", 1.5),
    ],
)
def test_every_way_to_write_a_float_gives_a_float(text, value):
    found = resolve(text)
    assert isinstance(found, float)
    assert found == value


@pytest.mark.parametrize("text", ["0", "-7", "+3", "1234567890123456789012"])
def test_whole_numbers_are_ints(text):
    found = resolve(text)
    assert type(found) is int
    assert found == int(text)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False), ("FALSE", False)])
def test_only_true_and_false_are_truth_values(text, value):
    assert resolve(text) is value


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null_has_the_spellings_of_yaml(text):
    assert resolve(text) is None


def test_infinities_and_nan_are_written_with_a_dot():
    assert resolve(".inf") == math.inf
    assert resolve("-.inf") == -math.inf
    assert math.isnan(resolve(".nan"))
    assert resolve("inf") == "inf"


@pytest.mark.parametrize(
    "text", ["dice", "2024-01-01", "1.2.3", "0b12", "0xzz", "nothing", "yesterday", "12:75", "-", "+.", "1_", "y", "n"]
)
def test_everything_else_is_text(text):
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("no", 'write false, or "no" for text'),
        ("Yes", 'write true, or "Yes" for text'),
        ("ON", 'write true, or "ON" for text'),
        ("off", 'write false, or "off" for text'),
        ("None", 'write null for nothing, or "None" for text'),
        ("010", 'write 10 or 8 for the number, or "010" for text'),
        ("-010", 'write -10 or -8 for the number, or "-010" for text'),
        ("089", 'write 89 for the number, or "089" for text'),
        ("0o17", 'write 15 for the number, or "0o17" for text'),
        ("0x1F", 'write 31 for the number, or "0x1F" for text'),
        ("0b11", 'write 3 for the number, or "0b11" for text'),
        ("12:30", 'write 750 for the number, or "12:30" for text'),
        ("-1:02:03", 'write -3723 for the number, or "-1:02:03" for text'),
        ("1_000", 'write 1000 for the number, or "1_000" for text'),
        ("1_0.5", 'write 10.5 for the number, or "1_0.5" for text'),
        ("1e400", 'write .inf, or "1e400" for text'),
        ("<<", "share settings through `extends:`"),
        ("9" * 5000, "write fewer digits"),
    ],
)
def test_words_that_yaml_readers_disagree_about_say_what_to_write(text, advice):
    with pytest.raises(AmbiguousScalarError) as caught:
        resolve(text)
    assert advice in str(caught.value)
