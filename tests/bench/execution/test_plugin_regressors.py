"""Regressors of plug-ins are tried before training, and refused with the promise that they break."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import models
from bench.execution.worker import work
from bench.suite import plugins

DICE = {"id": "dice", "loss": {"name": "dice"}}
REGRESSOR = """
from torch import nn

import models
from models.heads import HEADS
from models.regressor import Regressed, Regressor


@models.register_regressor("mine")
class Mine({base}):
    def __init__(self, *, alpha: float = 1.0):
        super().__init__(name="mine", map="norm_inverse", head=None, alpha=alpha, reduction="mean")

    def attach(self, backbone, classes, spatial_dims):
        self.layer = {{2: nn.Conv2d, 3: nn.Conv3d}}[spatial_dims](classes, classes - 1, 3, padding=1)

    def forward(self, backbone, image):
        logits = backbone(image).logits
        values = HEADS[self.head](self.layer({seen}))
        return Regressed(logits, {given})
"""
WITH_REGRESSOR = [DICE, {**DICE, "id": "regressed", "regressor": {"name": "mine"}}]


@pytest.fixture
def with_regressor(workshop):
    """A suite whose second row has the regressor of a plug-in file."""

    def write(base: str = "Regressor", seen: str = "logits", given: str = "values", **changes: object) -> Path:
        text = REGRESSOR.format(base=base, seen=seen, given=given)
        (workshop.folder / "mine.py").write_text(text)
        return workshop.suite(**{"plugins": ["mine.py"], "methods": WITH_REGRESSOR, **changes})

    return write


def test_a_regressor_of_a_file_is_trained_with_and_its_content_is_part_of_the_identity(workshop, with_regressor):
    run = workshop.begin(with_regressor(training={"steps": 2}))
    (cell,) = [cell for cell in run.read_run()["plan"]["cells"] if cell["method"] == "regressed"]
    (checksum,) = plugins.checksums().values()
    assert cell["identity"]["plugins"] == {"regressor mine": f"sha256 {checksum}"}
    plugins.withdraw()
    work(run, "cpu", trust_plugins=True)
    (record,) = run.path.glob("cells/regressed-*/cell.json")
    assert json.loads(record.read_text())["status"] == "finished"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seen": "logits.detach()"}, "which is not trained with: .*passes its error on to the backbone"),
        ({"given": "-1 - values"}, r"which is not trained with: .*gives values in 0\.\.inf"),
        ({"given": "values[0, 0, 0, 0].item()"}, "which fails on a patch of a few voxels: mine.py:"),
        (
            {"base": "nn.Identity"},
            "which cannot be made|which is Mine; expected a class below models.regressor.Regressor",
        ),
    ],
    ids=["detached", "out of range", "raises", "no regressor"],
)
def test_a_regressor_that_breaks_the_contract_is_refused_at_its_place(with_regressor, changes, says, refusal):
    message = refusal(with_regressor(**changes))
    assert re.search(rf"tiny\.yaml:\d+:\d+: found the regressor 'mine', ({says})", message), message


def test_a_regressor_of_this_process_is_refused_because_workers_could_not_know_it(workshop, refusal):
    text = REGRESSOR.format(base="Regressor", seen="logits", given="values")
    exec(text, {"__name__": __name__})
    try:
        message = refusal(workshop.suite(methods=WITH_REGRESSOR), read_data=False)
    finally:
        models.REGRESSORS.withdraw("mine")
    assert "found the regressor 'mine', which is registered in this process only, by " in message
