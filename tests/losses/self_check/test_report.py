from __future__ import annotations

import json

import pytest

import losses
from losses.self_check.report import PROBES, check


def test_a_page_has_every_probe_and_is_json(subject):
    page = check("residual_moment", {"origin": "volume"})  # needs the reserved map `coordinates`
    assert list(page.findings) == list(PROBES)
    assert all(finding.probe == key and finding.says and finding.ran for key, finding in page.findings.items())
    read = json.loads(json.dumps(page.to_json(), allow_nan=False))
    assert read["parameters"]["origin"] == "volume"
    assert read["outcome"] == page.outcome != "broken"


def test_the_reserved_map_step_is_there(subject):
    terms = ({"name": "dice"}, {"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 10}})
    page = check("sum", {"terms": terms})
    assert page.outcome != "broken"


def test_a_plug_in_that_raises_gets_a_page_that_says_so(plugin, kinds):
    page = check(plugin(kinds["Raises"]))
    assert page.outcome == "broken"
    assert page.findings["descent"].says == ("The loss raised IndexError: no such channel",)


def test_the_same_check_twice_gives_the_same_page():
    assert check("cross_entropy").to_json() == check("cross_entropy").to_json()


def test_mistakes_of_the_caller_are_errors():
    with pytest.raises(losses.LossError, match="Did you mean 'dice'"):
        check("dyce")
    with pytest.raises(losses.LossError, match="smooth must be a number"):
        check("dice", {"smooth": -1})
