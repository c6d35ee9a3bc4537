"""The snippets of plugins.md are as short as promised and learn something."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import AsDiscrete

import losses

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")


def block(heading: str) -> str:
    """The first Python block below a heading."""
    return PAGE.split(f"## {heading}\n")[1].split("```python\n")[1].split("```")[0]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_a_formula_takes_one_file_of_at_most_thirty_lines():
    assert len(block("From a formula to a row").splitlines()) <= 30


@pytest.mark.parametrize("heading", ["Our losses in plain PyTorch", "Our losses in a MONAI training"])
def test_the_snippets_for_other_trainings_have_ten_lines_beside_imports_and_lower_the_loss(heading):
    text = block(heading)
    assert len([line for line in lines(text) if not line.startswith(("import", "from"))]) <= 10
    torch.manual_seed(0)
    found: list[float] = []
    exec(text.replace("value.backward()", "found.append(value.item()); value.backward()"), {"found": found})
    assert len(found) >= 10
    assert found[-1] < 0.9 * found[0]


def test_labels_and_logits_of_monai_give_the_value_of_plain_tensors():
    image = torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    logits, labels = torch.cat([-image, image], 1), (image[:, 0] > 1).long()
    cases = [{"label": MetaTensor((one > 1).float())} for one in image]
    one_hot = [{"label": AsDiscrete(to_onehot=2)(case["label"])} for case in cases]
    (batch,), (hot,) = (list(DataLoader(Dataset(kind), batch_size=2)) for kind in (cases, one_hot))
    assert isinstance(batch["label"], MetaTensor)
    for name in ("dice", "tversky", "focal", "cross_entropy", "generalized_dice"):
        loss = losses.create(name)
        expected = loss(logits, labels)
        assert torch.equal(loss(MetaTensor(logits), batch["label"].squeeze(1).long()).as_tensor(), expected)
        assert torch.equal(torch.as_tensor(loss(logits, hot["label"].argmax(1))), expected)


@pytest.mark.slow
def test_the_formula_becomes_a_row_and_an_edited_one_another_cell(workshop, scans):
    formula, name = block("From a formula to a row"), "log_cosh_dice"
    methods = [{"id": "dice", "loss": {"name": "dice"}}, {"id": "mine", "loss": {"name": name, "smooth": 1.0}}]
    suite = workshop.suite(dataset=scans, plugins=["mine.py"], methods=methods)
    found = []
    for text in (formula, formula.replace(".cosh().log()", "")):
        (workshop.folder / "mine.py").write_text(text)
        workshop.command("run", suite, "--out", "run", "--workers", 1)
        table = (workshop.folder / "run" / "tables" / "scores.md").read_text()
        row, *_ = [line for line in table.splitlines() if line.startswith("| mine")]
        assert row.split("|")[2].strip() == "1/1"
        found.append({path.parent.name for path in workshop.folder.glob("run/cells/*/cell.json")})
    before, after = found
    assert before < after
    assert [cell.partition("-")[0] for cell in sorted(after)] == ["dice", "mine", "mine"]
    (workshop.folder / "mine.py").unlink()
    (cell,) = after - before
    image, roi = "scans/volume-0.nii.gz", "scans/segmentation-0.nii.gz"
    workshop.command("predict", f"run/cells/{cell}", image, "out.nii.gz", "--roi", roi)
    assert (workshop.folder / "out.nii.gz").is_file()
