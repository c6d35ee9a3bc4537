"""What is said beside a row: where it started, and what did nothing in it."""

from __future__ import annotations

import json

import pytest

from bench.files.checksum import seal_folder
from bench.results.aggregates import View, aggregate
from bench.results.load import load
from bench.results.stages import stage_remarks

LR_NET = {"name": "lr_net", "map": "norm_inverse"}
START = {"from": "dice", "learning_rate": None}
SLOW = {"from": "dice", "learning_rate": 0.0001}
RATE = 0.001
"""Of a start that names none."""
WARM_TEXT = (
    "warm start from the best weights of Soft Dice at a learning rate of {rate}, so 300 + 200 steps in all; it "
    "compares with {row}, and with no row that was trained from scratch"
)


def warm(row: str, rate: float = RATE) -> str:
    return WARM_TEXT.format(row=row, rate=rate)


def row(name: str, loss: str = "dice", **content) -> dict:
    return {"id": name, "label": {"dice": "Soft Dice"}.get(name, ""), "loss": {"name": loss}, **content}


def remarks(run, method: str) -> tuple[str, ...]:
    run = load(run)
    return stage_remarks(run, run.cells[run.cells["method"] == method])


@pytest.fixture
def written_with(builder):
    """A run with these rows, those with a start started from the cell of `dice`."""

    def write(*methods: dict, **changes):
        first = {method["id"]: method for method in methods}
        builder.methods = dict.fromkeys(first, 0.8)
        builder.suite = {"methods": list(methods), "baseline": "dice"}

        def record(name: str, seed: int, fold: int) -> dict:
            if not first[name].get("start"):
                return {}
            cell = f"{first[name]['start']['from']}-s{seed}-f{fold}-abc"
            return {"started_from": {"cell": cell, "step": 150, "steps": 300}, "steps": 200}

        def identity(name: str, seed: int, fold: int) -> dict:
            """As a plan has it: defaults spelled out, the start a cell of the same seed."""
            content = {key: {"smooth": 1, **first[name][key]} for key in ("loss", "regressor") if key in first[name]}
            if start := first[name].get("start"):
                cell = f"{start['from']}-s{seed}-f{fold}-abc"
                content["start"] = {"cell": cell, "learning_rate": start["learning_rate"] or RATE}
            return content

        builder.cell, builder.identity = record, identity
        for name, value in changes.items():
            setattr(builder, name, value)
        return builder.write()

    return write


@pytest.fixture
def curves(rewrite):
    """Give the cells of a method a training curve: its records by seed."""

    def change(run, method: str, *by_seed: list[dict]) -> None:
        for seed, entries in enumerate(by_seed):
            text = "".join(json.dumps({"objective": 1.0, **entry}) + "\n" for entry in entries)
            rewrite(run.cell(f"{method}-s{seed}-f0-abc") / "history.jsonl", lambda _, text=text: text)

    return change


def curve(reach: list[float], regression: float = 0.5, segmentation: float = 0.5) -> list[dict]:
    """One record every 10 steps."""
    shares = {"regression_gradient_share": regression, "segmentation_gradient_share": segmentation}
    return [{"step": 10 * (i + 1), "regression_reach": value, **shares} for i, value in enumerate(reach)]


def test_of_a_plain_row_nothing_is_said(written):
    for method in ("dice", "ce", "tversky"):
        assert remarks(written, method) == ()


def test_of_a_plain_row_beside_started_ones_nothing_is_said(written_with):
    run = written_with(row("dice"), row("warm", "ce", start=START), row("dice-continued", start=START))
    assert remarks(run, "dice") == ()


def test_a_warm_start_names_its_start_all_steps_and_the_row_that_it_compares_with_once_for_all_seeds(written_with):
    control = {**row("dice-continued", start=START), "label": "Soft Dice, continued (ours: control)"}
    run = written_with(row("dice"), row("warm", "ce", start=START), control)
    assert remarks(run, "warm") == (warm("Soft Dice, continued (ours: control)"),)


def test_the_control_itself_compares_with_what_was_started_alike(written_with):
    run = written_with(row("dice"), row("warm", "ce", start=START), row("dice-continued", start=START))
    assert remarks(run, "dice-continued") == (warm("what was started alike"),)


@pytest.mark.parametrize("order", [("slow", "plain"), ("plain", "slow")])
def test_every_learning_rate_has_its_own_control(written_with, order):
    controls = {"plain": row("continued", start=START), "slow": row("continued-slowly", start=SLOW)}
    started = [row("warm", "ce", start=START), row("warm-slow", "ce", start=SLOW)]
    run = written_with(row("dice"), *(controls[name] for name in order), *started)
    assert remarks(run, "warm") == (warm("continued"),)
    assert remarks(run, "warm-slow") == (warm("continued-slowly", 0.0001),)
    assert remarks(run, "continued") == (warm("what was started alike"),)
    assert remarks(run, "continued-slowly") == (warm("what was started alike", 0.0001),)


def test_a_control_is_known_with_its_defaults_written_out_or_not(written_with):
    control = {**row("continued", start={"from": "dice", "learning_rate": RATE}), "loss": {"name": "dice", "smooth": 1}}
    run = written_with(row("dice"), row("warm", "ce", start=START), control)
    assert remarks(run, "warm") == (warm("continued"),)


def test_without_a_control_a_row_compares_with_none(written_with):
    run = written_with(row("dice"), row("warm", "ce", start=START))
    assert remarks(run, "warm") == (warm("no row here"),)


def test_a_start_with_a_regressor_has_a_control_with_that_regressor(written_with):
    first = row("dice", regressor=LR_NET)
    control = row("dice-continued", regressor=LR_NET, start=START)
    without = row("without", start=START)
    run = written_with(first, without, control)
    assert remarks(run, "without") == (warm("dice-continued"),)
    assert remarks(run, "dice-continued") == (warm("what was started alike"),)


def test_cells_without_scores_say_nothing_of_their_start(written_with):
    methods = (row("dice"), row("warm", "ce", start=START), row("dice-continued", start=START))
    run = written_with(*methods, ended={("warm", seed): ("diverged", "nan") for seed in (0, 1)})
    assert remarks(run, "warm") == ()


@pytest.mark.parametrize(
    ("shares", "name"), [({"regression": 0.009}, "the regression"), ({"segmentation": 0.0}, "the loss")]
)
def test_a_term_that_never_had_a_share_of_the_gradient_is_idle(written_with, curves, shares, name):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET))
    curves(run, "tandem", curve([0.5] * 3, **shares), curve([0.5] * 3, **shares))
    assert remarks(run, "tandem") == (f"idle term: {name} had less than 1 % of the gradient at the backbone all along",)
    assert remarks(run, "dice") == ()


def test_a_term_that_pulled_once_or_in_one_seed_is_not_idle(written_with, curves):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET))
    once = [*curve([0.5] * 3, regression=0.0), {**curve([0.5], regression=0.01)[0], "step": 40}]
    curves(run, "tandem", once, curve([0.5] * 3, regression=0.0))
    assert remarks(run, "tandem") == ()


def test_a_row_without_a_loss_has_no_idle_loss(written_with, curves):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET), {"id": "alone", "regressor": LR_NET})
    alone = [{key: value for key, value in entry.items() if "segmentation" not in key} for entry in curve([0.5] * 2)]
    curves(run, "alone", alone, alone)
    curves(run, "tandem", curve([0.5] * 2), curve([0.5] * 2))
    assert remarks(run, "alone") == ()


@pytest.mark.parametrize(
    ("reach", "steps"),
    [
        (([0.5, 0.2, 0.0, 0.0], [0.5] * 4), "30"),
        (([0.0] * 4, [0.5] * 4), "10"),
        (([0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]), "40, 10"),
    ],
    ids=["later", "from the start", "both seeds"],
)
def test_a_head_through_which_nothing_came_to_the_end_is_dead(written_with, curves, reach, steps):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET))
    curves(run, "tandem", *(curve(values) for values in reach))
    assert remarks(run, "tandem") == (f"dead head: from step {steps} on the regression had no gradient at any voxel",)


def test_a_head_that_came_back_is_not_dead(written_with, curves):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET))
    curves(run, "tandem", curve([0.0, 0.0, 1e-6]), curve([0.5] * 3))
    assert remarks(run, "tandem") == ()


def quality(dice: float, error: float) -> dict:
    return {"all": {"dice": dice, "error": error, "constant_dice": 0.1, "constant_error": 0.2}}


@pytest.mark.parametrize(
    ("reached", "says"),
    [
        (
            quality(0.1, 0.1),
            ("its regressor (seed 0, 1) was frozen before it had learned where lesions are: Dice 0.100 with",),
        ),
        (
            quality(0.2, 0.2),
            ("its regressor (seed 0, 1) was frozen before it had learned how deep lesions are: error 0.200 inside",),
        ),
        (quality(0.2, 0.1), ()),
        ({"status": "died"}, ()),
    ],
    ids=["nowhere", "not how deep", "both", "no weights"],
)
def test_a_frozen_regressor_that_knows_no_more_than_a_constant_is_remarked(written_with, reached, says):
    run = written_with(row("dice"), row("tandem", regressor=LR_NET))
    description = run.read_run()
    description["plan"]["pretrain"] = [{"id": "teacher"}]
    run.write_run(description)
    folder = run.pretrained("teacher")
    folder.mkdir(parents=True)
    (folder / "quality.json").write_text(json.dumps(reached))
    seal_folder(folder)
    loaded = load(run)
    cells = loaded.cells[loaded.cells["method"] == "tandem"].assign(pretrained="teacher")
    found = stage_remarks(loaded, cells)
    assert len(found) == len(says)
    one = stage_remarks(loaded, cells[cells["seed"] == 0])
    assert [text.startswith("its regressor was frozen") for text in one] == [True] * len(says)
    assert all(text.startswith(begin) for text, begin in zip(found, says, strict=True))


def test_remarks_stand_beside_the_row_in_its_table(written_with, curves):
    run = written_with(row("dice"), row("warm", "ce", regressor=LR_NET, start=START), row("continued", start=START))
    curves(run, "warm", curve([0.0] * 3), curve([0.5] * 3))
    (table,) = aggregate(load(run), [View(target="target")])
    (started,) = [one for one in table.rows if one.method == "warm"]
    text = " ".join(started.remarks)
    assert warm("continued") in text
    assert "dead head: from step 10 on" in text
