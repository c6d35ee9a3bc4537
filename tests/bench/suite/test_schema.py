"""What a suite as a whole may say; its parts are tested where they live."""

from __future__ import annotations

import pytest

from bench.errors import SuiteError
from bench.suite.loader import load
from bench.suite.schema import Suite

OTHER = {"format": "phantom", "cases": 2}


def refusal(workshop, **changes) -> str:
    with pytest.raises(SuiteError) as caught:
        load(workshop.suite(**changes), Suite)
    return str(caught.value)


def place_of(workshop, text: str, **changes) -> str:
    """`file:line:column` of the first line of the suite that ends with a text, at that text."""
    suite = workshop.suite(**changes)
    for number, line in enumerate(suite.read_text().splitlines(), 1):
        if line.endswith(text):
            return f"{suite}:{number}:{len(line) - len(text) + 1}: "
    raise AssertionError(text)


def test_a_suite_needs_little(workshop):
    changes = {"preprocessing": None, "split": None, "seeds": None, "title": "Least"}
    suite = load(workshop.suite(**changes), Suite).settings
    assert (suite.seeds, suite.primary, suite.baseline) == ((0,), "dice", None)
    assert list(suite.datasets()) == ["main"]


@pytest.mark.parametrize("other", ["Dice", "DICE"])
def test_method_ids_that_some_file_systems_take_for_one_are_refused_at_the_second(workshop, other):
    methods = [{"id": "dice", "loss": {"name": "dice"}}, {"id": other, "loss": {"name": "cross_entropy"}}]
    message = refusal(workshop, methods=methods)
    assert f"the method id {other!r} is taken (by 'dice'); each row needs its own" in message
    line = int(message.removeprefix(str(workshop.folder / "tiny.yaml")).split(":")[1])
    assert workshop.suite(methods=methods).read_text().splitlines()[line - 1].strip() == f"- id: {other}"


def test_a_seed_given_twice_is_refused_at_the_second(workshop):
    place = place_of(workshop, "7", seeds=[5, 7])
    message = refusal(workshop, seeds=[5, 7, 5])
    assert "the seed 5 is given twice" in message
    assert int(message.split(":")[1]) == int(place.split(":")[1]) + 1


@pytest.mark.parametrize("name", ["main", "Main", "pretrain_on", "train", "test", "validation"])
def test_a_further_data_set_must_not_take_the_name_of_the_suite_s_own(workshop, name):
    assert f"the name {name!r} is taken" in refusal(workshop, evaluate_on={name: OTHER})


def test_further_data_sets_need_names_of_their_own_and_the_same_classes(workshop):
    assert "the name 'CLINIC' is taken (by 'clinic')" in refusal(
        workshop, evaluate_on={"clinic": OTHER, "CLINIC": OTHER}
    )
    message = refusal(workshop, evaluate_on={"clinic": {**OTHER, "target": {"tumour": [2]}}})
    assert "has the target classes ['tumour'], the suite's dataset ['target']; they must be the same" in message


def test_the_baseline_must_be_a_method(workshop):
    message = refusal(workshop, baseline="dicee")
    assert message.startswith(place_of(workshop, "dicee", baseline="dicee"))
    assert "'dicee' is no method's id. Did you mean 'dice'?" in message


def test_threshold_baselines_need_a_region_of_interest(workshop):
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    files = {"format": "lits", "root": "lits", "target": [2], **nothing}
    message = refusal(workshop, dataset=files, preprocessing=None, threshold_baselines=True)
    assert "looks inside the region of interest; name its labels in dataset.roi" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"primary": "dicee"}, "unknown metric 'dicee'. Did you mean 'dice'?"),
        ({"backbone": {"name": "unet"}}, "unknown backbone 'unet'."),
        ({"methods": [{"id": "a", "loss": {"name": "dise"}}]}, "unknown loss 'dise'. Did you mean 'dice'?"),
        ({"methods": [{"id": "a b", "loss": {"name": "dice"}}]}, "id"),
        ({"methods": [{"id": "x" * 65, "loss": {"name": "dice"}}]}, "id"),
        ({"methods": []}, "methods"),
        ({"seeds": []}, "seeds"),
        ({"dataset": {"format": "lit"}}, "lits"),
        ({"preprocessing": {"crop": {"margin_voxels": 2}, "roi_from": "reference"}, "dataset": {"roi": None}}, ""),
    ],
)
def test_names_and_ranges_are_refused_with_what_is_allowed(workshop, changes, words):
    if not words:
        assert load(workshop.suite(**changes), Suite).settings.dataset.roi == (1, 2)
        return
    message = refusal(workshop, **changes)
    assert words in message
    assert message.startswith(str(workshop.folder / "tiny.yaml:"))


def test_terms_of_a_sum_are_checked_like_losses(workshop):
    terms = [{"name": "dice"}, {"name": "cross_entrpy", "weight": 2.0}]
    methods = [{"id": "a", "loss": {"name": "sum", "terms": terms}}]
    message = refusal(workshop, methods=methods)
    assert message.startswith(place_of(workshop, "cross_entrpy", methods=methods))
    assert "Did you mean 'cross_entropy'?" in message


def test_specifications_are_plain_values(workshop):
    terms = [{"name": "dice"}, {"name": "cross_entropy", "weight": 2.0}]
    suite = load(workshop.suite(methods=[{"id": "a", "loss": {"name": "sum", "terms": terms}}]), Suite).settings
    assert suite.methods[0].loss.specification() == {"name": "sum", "terms": terms}
    assert suite.backbone.specification()["widths"] == [2, 4]
    assert type(suite.backbone.specification()["name"]) is str


def test_only_pretrainings_can_do_without_images(workshop, tmp_path):
    (tmp_path / "masks.csv").write_text("label\n")
    masks = {"format": "masks", "csv": "masks.csv", "target": [2], "roi": [1, 2]}
    place = place_of(workshop, "evaluate_on:", evaluate_on={"clinic": masks}).split(":")[1]
    message = refusal(workshop, evaluate_on={"clinic": masks})
    assert "'masks' has no images; it can only stand in pretrain_on" in message
    assert int(message.split(":")[1]) == int(place) + 2, "the settings of `clinic`"
    suite = load(workshop.suite(pretrain_on=masks), Suite).settings
    assert list(suite.datasets()) == ["main", "pretrain_on"]
    assert "has the target classes ['lesion']" in refusal(workshop, pretrain_on={**masks, "target": {"lesion": [2]}})
