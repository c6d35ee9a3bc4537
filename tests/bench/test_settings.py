"""What all settings have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.settings import Fraction, PositiveFloat, PositiveInt, Settings, SuitePath


class Example(Settings):
    count: PositiveInt = 1
    rate: PositiveFloat = 1.0
    share: Fraction = 0.5
    widths: tuple[int, ...] = (1,)
    path: SuitePath | None = None


class SuiteText(str):
    """Text that remembers the folder of the suite it was written in, as the suite's loader makes it."""

    folder: Path


def written_in(folder: Path, text: str) -> SuiteText:
    value = SuiteText(text)
    value.folder = folder
    return value


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Example(cuont=2)


def test_settings_cannot_be_changed_and_can_be_hashed():
    settings = Example(widths=(1, 2))
    with pytest.raises(ValidationError, match="frozen"):
        settings.count = 2
    assert hash(settings) == hash(Example(widths=(1, 2)))


@pytest.mark.parametrize(
    "given",
    [
        {"count": 0},
        {"count": True},
        {"count": 1.0},
        {"count": "1"},
        {"rate": 0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"rate": "1e-3"},
        {"share": 1.01},
        {"share": -0.01},
        {"share": float("nan")},
        {"share": True},
        {"widths": [1, 2]},
        {"path": 3},
        {"path": " "},
    ],
)
def test_a_loosely_typed_or_impossible_value_is_refused(given):
    with pytest.raises(ValidationError):
        Example(**given)


def test_a_whole_number_is_a_float_too():
    assert isinstance(Example(rate=2).rate, float)


def test_a_path_of_a_suite_is_relative_to_the_suite_and_not_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = Path("/data/suites")
    assert Example(path=written_in(suite, "../lits")).path == Path("/data/lits")
    assert Example(path=written_in(suite, "/elsewhere/lits")).path == Path("/elsewhere/lits")
    assert Example(path="lits").path == tmp_path / "lits"
    assert Example(path=Path("lits")).path == Path("lits")


def test_a_home_folder_is_resolved_and_an_unknown_one_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Example(path="~/lits").path == tmp_path / "lits"
    with pytest.raises(ValidationError, match="~no-such-user is nobody's home folder"):
        Example(path="~no-such-user/lits")
