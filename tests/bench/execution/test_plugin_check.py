"""Losses and regressors that are not built in are tried before training, and refused with the promise they break."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bench
import losses
from bench.errors import RunError, SuiteError
from bench.execution.context import RunContext
from bench.execution.planning import Request, plan_request
from bench.execution.worker import work
from bench.suite import plugins
from losses.library.cross_entropy import CrossEntropy

BASE = """
import torch
import torch.nn.functional as F

import losses
from losses.library.cross_entropy import CrossEntropy


@losses.register("mine")
class Mine({base}):
    def __init__(self{parameters}):
        super().__init__()
        {init}

    def compute(self, logits, labels, maps, voxel_weight):
        {compute}
"""
GOOD = "return 2 * super().compute(logits, labels, maps, voxel_weight)"
DICE = {"id": "dice", "loss": {"name": "dice"}}
MINE = {"id": "mine", "loss": {"name": "mine"}}


@pytest.fixture
def suite(workshop):
    """A suite whose second row is the loss of a plug-in file."""

    def write(
        compute: str = GOOD, *, base: str = "CrossEntropy", parameters: str = "", init: str = "pass", **changes: object
    ) -> Path:
        text = BASE.format(base=base, compute=compute, parameters=parameters, init=init)
        (workshop.folder / "mine.py").write_text(text)
        return workshop.suite(**{"plugins": ["mine.py"], "methods": [DICE, MINE], **changes})

    return write


def test_a_loss_that_keeps_the_contract_is_planned(workshop, suite):
    planned = workshop.plan(suite())
    assert (
        planned.plan.plugins
        == plugins.checksums()
        == {str(workshop.folder / "mine.py"): plugins.checksums().popitem()[1]}
    )


@pytest.mark.parametrize(
    ("compute", "promise"),
    [
        ("return " + GOOD.removeprefix("return ") + "[None]", "a loss returns one scalar"),
        ("return super().compute(logits, labels, maps, voxel_weight) * 0 / 0", "a loss has a finite value (a mixed"),
        (
            "value = 1 - logits.softmax(1)[:, 1:].float()\n"
            "        return super().compute(logits, labels, maps, voxel_weight) + (value.log() * 0).mean()",
            "a loss has a finite value (",
        ),
        ("return F.cross_entropy(logits.float(), labels.clamp(min=0).long())", "(every label −1, 2 classes, 3D)"),
        (
            "return F.cross_entropy(logits.float(), labels.clamp(min=0).long()) * (labels >= 0).any()",
            "a loss has a zero gradient at label −1 (",
        ),
    ],
    ids=["shape", "nan", "nan at the truth", "ignores nothing", "ignores too little"],
)
def test_a_broken_promise_is_named_with_the_place_of_the_method(suite, compute, promise, refusal):
    path = suite(compute)
    message = refusal(path)
    line = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "name: mine" in line)
    assert message.startswith(
        f"{path}:{line}:5: found the loss 'mine', which is not trained with: Mine: contract broken"
    )
    assert promise in message
    assert not (path.parent / "run").exists()


def test_nothing_is_tried_for_the_built_in_or_by_validate(suite):
    path = suite("return " + GOOD.removeprefix("return ") + "[None]")
    assert plan_request(Request(path), read_data=False).plan is not None
    plan_request(Request(path, overrides=["methods=[{id: dice, loss: {name: dice}}]"]), read_data=True)


def test_the_contract_is_that_of_the_classes_and_dimensions_of_the_suite(suite):
    only = "assert logits.shape[1] == 2 and logits.ndim == 5, logits.shape\n        " + GOOD
    assert plan_request(Request(suite(only)), read_data=True).plan is not None


def test_a_loss_inside_another_is_tried_too(suite, refusal):
    broken = "return " + GOOD.removeprefix("return ") + "[None]"
    for loss in (
        {"name": "sum", "terms": [{"name": "dice"}, {"name": "mine"}]},
        {"name": "inverse_weighting", "of": {"name": "mine"}},
    ):
        path = suite(broken, methods=[{"id": "outer", "loss": loss}])
        assert f"found the loss {loss['name']!r}, which " in refusal(path)


def test_an_exception_is_a_reason_with_the_line_of_the_file(suite, refusal):
    message = refusal(suite("return logits.no_such_method()"))
    assert "found the loss 'mine', which fails on a patch of a few voxels: mine.py:16: AttributeError: " in message


def test_a_loss_that_cannot_be_made_is_refused_by_validate_too(suite, refusal):
    message = refusal(suite(init="raise OSError('no weights')"), read_data=False)
    assert message.endswith("found the loss 'mine', which cannot be made: mine.py:13: OSError: no weights")


def test_parameters_of_a_loss_are_checked_by_its_signature(suite, refusal):
    path = suite(parameters=", *, sharpness", methods=[MINE])
    assert "loss 'mine' needs the parameter 'sharpness'" in refusal(path, read_data=False)
    with pytest.raises(SuiteError, match=r"loss 'mine' has no parameter 'sharpnes'. Did you mean 'sharpness'\?"):
        plan_request(Request(path, overrides=["methods.mine.loss.sharpnes=2"]), read_data=False)


def test_something_that_is_no_loss_is_refused(suite, refusal):
    message = refusal(suite(base="torch.nn.Module"), read_data=False)
    assert "found the loss 'mine', which is Mine; expected a class below losses.Loss" in message


def test_a_loss_of_this_process_is_refused_because_workers_could_not_know_it(workshop):
    @losses.register("mine")
    class Here(CrossEntropy):
        pass

    suite = workshop.suite(methods=[DICE, MINE])
    try:
        losses.create("mine")
        with pytest.raises(SuiteError) as caught:
            bench.run(suite, out=workshop.folder / "run", device="cpu")
    finally:
        losses.LOSSES.withdraw("mine")
    assert "found the loss 'mine', which is registered in this process only, by " in str(caught.value)
    assert f"Here ({__file__})" in str(caught.value)
    assert "name that under `plugins:`" in str(caught.value)
    assert not (workshop.folder / "run").exists()


def test_an_edited_formula_is_a_new_cell_and_all_others_stay(workshop, suite):
    before = {cell.method: cell for cell in workshop.plan(suite()).plan.cells}
    after = {cell.method: cell for cell in workshop.plan(suite(GOOD.replace("2", "3"))).plan.cells}
    assert before["dice"].id == after["dice"].id
    assert before["mine"].id != after["mine"].id
    assert before["mine"].comparison == after["mine"].comparison
    (path,) = plugins.checksums()
    assert after["mine"].identity["plugins"] == {"loss mine": f"sha256 {plugins.checksums()[path]}"}


def test_the_place_of_the_file_is_not_part_of_any_identity(workshop, suite):
    before = workshop.plan(suite()).plan.cells
    (workshop.folder / "other").mkdir()
    (workshop.folder / "mine.py").rename(workshop.folder / "other" / "formula.py")
    after = workshop.plan(workshop.suite(plugins=["other/formula.py"], methods=[DICE, MINE])).plan.cells
    assert [cell.id for cell in before] == [cell.id for cell in after]


def test_a_worker_loads_the_files_of_the_run_once_they_are_trusted(workshop, suite):
    run = workshop.begin(suite())
    plugins.withdraw()
    with pytest.raises(RunError, match=rf"names plug-ins, .*: {workshop.folder / 'mine.py'}; .* --trust-plugins"):
        RunContext.read(run)
    assert plugins.in_force() == {}
    context = RunContext.read(run, trust_plugins=True)
    assert context.suite.methods[1].loss.name == "mine"
    assert plugins.in_force() == {workshop.folder / "mine.py": ["loss mine"]}


def test_a_worker_refuses_a_file_that_changed_since_the_run_was_planned(workshop, suite):
    run = workshop.begin(suite())
    plugins.withdraw()
    suite(GOOD.replace("2", "3"))
    with pytest.raises(
        RunError, match=r"mine\.py, whose content is another one than when the run was planned; run the"
    ):
        RunContext.read(run, trust_plugins=True)
    (workshop.folder / "mine.py").unlink()
    with pytest.raises(RunError, match=r"mine\.py, but there is no such file"):
        RunContext.read(run, trust_plugins=True)


MAP = """
import numpy as np

from losses import target_maps


@target_maps.register("checkers")
class Checkers(target_maps.TargetMap):
    value_range = (0.0, 1.0)

    def values(self, lesions):
        return ((np.indices(lesions.shape).sum(0) % 2) * {value}).astype(np.float32)
"""
WITH_MAP = [DICE, {"id": "mapped", "loss": {"name": "map_dice", "penalty_map": "checkers"}}]


def test_a_target_map_of_a_file_is_planned_with_its_content_as_part_of_the_identity(workshop):
    found = []
    for value in (1.0, 0.5):
        (workshop.folder / "map.py").write_text(MAP.format(value=value))
        plan = workshop.plan(workshop.suite(plugins=["map.py"], methods=WITH_MAP)).plan
        (checksum,) = plan.plugins.values()
        dice, mapped = plan.cells
        assert mapped.identity["plugins"] == {"target map checkers": f"sha256 {checksum}"}
        assert mapped.maps["checkers"]
        found.append((dice.id, mapped.id, mapped.maps["checkers"]))
    before, after = found
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert not set(before[2]) & set(after[2])


def test_a_target_map_of_a_file_is_trained_with(workshop):
    (workshop.folder / "map.py").write_text(MAP.format(value=1.0))
    run = workshop.begin(workshop.suite(plugins=["map.py"], methods=WITH_MAP, training={"steps": 2}))
    plugins.withdraw()
    work(run, "cpu", trust_plugins=True)
    (record,) = run.path.glob("cells/mapped-*/cell.json")
    assert json.loads(record.read_text())["status"] == "finished"


def test_a_target_map_of_this_process_is_refused_because_workers_could_not_know_it(workshop, refusal):
    exec(MAP.format(value=1.0), {"__name__": __name__})
    try:
        message = refusal(workshop.suite(methods=WITH_MAP), read_data=False)
    finally:
        losses.target_maps.KINDS.withdraw("checkers")
    assert "found the target map 'checkers', which is registered in this process only, by " in message
