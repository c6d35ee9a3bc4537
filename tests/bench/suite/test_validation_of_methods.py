"""Mistakes in regressors and warm starts are found before anything runs, each at its place in the suite."""

from __future__ import annotations

import pytest

from bench.errors import SuiteError

DICE = "- {id: dice, loss: {name: dice}}"

# the methods, then line (1 is the first method) and column of the complaint, and its words
MISTAKES: dict[str, tuple[str, int, int, str]] = {
    "unknown regressor": (
        "- {id: dice, loss: {name: dice}, regressor: {name: lrnet}}",
        1,
        52,
        "unknown regressor 'lrnet'. Did you mean 'lr_net'? Known: cascaded, lr_net, multi_branch",
    ),
    "no name": (
        "- {id: dice, regressor: {map: inverse}}",
        1,
        25,
        "the key 'name' is missing in 'regressor'; add 'name: …'",
    ),
    "unknown parameter": (
        "- {id: dice, regressor: {name: lr_net, aplha: 1.0}}",
        1,
        25,
        "regressor 'lr_net' has no parameter 'aplha'. Did you mean 'alpha'?",
    ),
    "parameter outside its domain": (
        f"{DICE}\n- {{id: m, regressor: {{name: cascaded, truncation_mm: 0}}}}",
        2,
        22,
        "truncation_mm",
    ),
    "head that does not fit": (
        "- {id: dice, regressor: {name: lr_net, map: norm_inverse, head: tanh}}",
        1,
        25,
        "lr_net: head 'tanh' cannot give the values of 'norm_inverse', which lie in 0..1; use relu or sigmoid",
    ),
    "map that is no target": (
        "- {id: dice, regressor: {name: lr_net, map: lesion_id}}",
        1,
        25,
        "lr_net: the map 'lesion_id' is nothing to regress; use one of distance, inverse, norm_inverse",
    ),
    "neither loss nor regressor": (
        f"{DICE}\n- {{id: bare, label: Bare}}",
        2,
        3,
        "the method 'bare' has neither a loss nor a regressor; give it one of them or both",
    ),
    "start from nobody": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{from: dicee}}}}",
        2,
        48,
        "'dicee' is no method's id. Did you mean 'dice'?",
    ),
    "start from a started row": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{from: dice}}}}\n"
        "- {id: later, loss: {name: dice}, start: {from: warm}}",
        3,
        49,
        "'warm' is started from 'dice' itself; start from that one",
    ),
    "start from itself": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{from: warm}}}}",
        2,
        48,
        "'warm' is started from 'warm' itself; start from that one",
    ),
    "start without a method": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{learning_rate: 0.1}}}}",
        2,
        41,
        "the key 'from' is missing in 'start'; add 'from: …'",
    ),
    "learning rate of nothing": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{from: dice, learning_rate: 0}}}}",
        2,
        69,
        "found the number 0 under 'learning_rate'; expected more than 0",
    ),
    "unknown key of a start": (
        f"{DICE}\n- {{id: warm, loss: {{name: dice}}, start: {{form: dice}}}}",
        2,
        42,
        "found the unknown key 'form'; did you mean 'from'?",
    ),
}


@pytest.fixture
def refusal(workshop):
    """What is said of the tiny suite with such methods, and the line of the first of them."""

    def refusal(methods: str, **changes) -> tuple[str, int]:
        path = workshop.suite(**{"methods": None, **changes})
        head = path.read_text()
        path.write_text(f"{head}methods:\n{methods}\n")
        with pytest.raises(SuiteError) as caught:
            workshop.plan(path)
        return str(caught.value).removeprefix(str(path)), len(head.splitlines()) + 2

    return refusal


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_explained_at_its_place(refusal, mistake):
    methods, line, column, words = MISTAKES[mistake]
    found, first = refusal(methods)
    complaint = next(text for text in found.splitlines() if words in text)
    place = complaint[complaint.index(":") :]
    assert place.startswith(f":{first + line - 1}:{column}: "), found


@pytest.mark.parametrize("name", ["multi_branch", "cascaded"])
def test_a_regressor_that_needs_parts_of_the_network_is_refused_for_a_network_that_hides_them(refusal, name):
    nothing = dict.fromkeys(("widths", "encoder_blocks", "decoder_blocks"))
    backbone = {"name": "monai", "class": "UNet", **nothing, "channels": [4, 8], "strides": [2]}
    found, first = refusal(f"{DICE}\n- {{id: m, loss: {{name: dice}}, regressor: {{name: {name}}}}}", backbone=backbone)
    assert found.startswith(f":{first + 1}:42: {name}: needs a backbone that shows its encoder, decoder and head")
    assert "'monai UNet'; use residual_unet, or the regressor lr_net, which stands behind any backbone" in found


def test_lr_net_stands_behind_any_network(workshop):
    nothing = dict.fromkeys(("widths", "encoder_blocks", "decoder_blocks"))
    backbone = {"name": "monai", "class": "UNet", **nothing, "channels": [4, 8], "strides": [2]}
    method = {"id": "m", "loss": {"name": "dice"}, "regressor": {"name": "lr_net"}}
    assert workshop.plan(workshop.suite(methods=[method], backbone=backbone)).plan.pretrain
