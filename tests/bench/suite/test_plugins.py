"""Python files that a suite names: loaded before its names are looked up, in force for this suite only."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import losses
from bench.suite import plugins
from bench.suite.loader import load
from bench.suite.problems import SuiteProblems
from bench.suite.schema import UNCHECKED_NAMES, Suite
from losses import LossError, target_maps

LOSS = """
import losses
from losses.library.cross_entropy import CrossEntropy


@losses.register("{name}")
class Mine(CrossEntropy):
    def __init__(self):
        super().__init__()

    def compute(self, logits, labels, maps, voxel_weight):
        return {factor} * super().compute(logits, labels, maps, voxel_weight)
"""
MAP = """
import numpy as np

from losses import target_maps


@target_maps.register("anywhere")
class Anywhere(target_maps.TargetMap):
    def values(self, lesions):
        return np.full(lesions.shape, 7.0, np.float32)
"""
METHODS = [{"id": "mine", "loss": {"name": "mine"}}]


@pytest.fixture
def file(workshop):
    """Write a plug-in file into the suite's folder."""

    def write(text: str = LOSS, name: str = "mine.py", **words: object) -> Path:
        path = workshop.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**{"name": "mine", "factor": 2.0, **words}) if text == LOSS else text)
        return path

    return write


def refusal(suite: Path) -> list[str]:
    with pytest.raises(SuiteProblems) as caught:
        load(suite, Suite)
    return str(caught.value).splitlines()


def place(suite: Path, word: str) -> str:
    """`file:line:column` of a word of the suite."""
    for number, line in enumerate(suite.read_text().splitlines(), 1):
        if word in line:
            return f"{suite}:{number}:{line.index(word) + 1}: "
    raise AssertionError(word)


def factor() -> float:
    """What the plug-in in force multiplies the cross entropy by."""
    import torch

    given = torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)
    return float(losses.create("mine")(*given) / losses.create("cross_entropy")(*given))


def test_a_suite_may_use_what_its_file_registers_whatever_the_working_directory(workshop, file, monkeypatch):
    path = file(name="formulas/mine.py")
    (workshop.folder / "elsewhere").mkdir()
    monkeypatch.chdir(workshop.folder / "elsewhere")
    loaded = load(workshop.suite(plugins=["formulas/mine.py"], methods=METHODS), Suite)
    assert loaded.settings.plugins == (path,)
    assert factor() == 2
    assert plugins.in_force() == {path: ["loss mine"]}
    assert str(path) in losses.describe("mine").where


def test_a_suite_without_the_file_does_not_know_the_name_even_after_one_with_it(workshop, file):
    file()
    load(workshop.suite(plugins=["mine.py"], methods=METHODS), Suite)
    (message,) = refusal(workshop.suite("other.yaml", methods=METHODS))
    assert "unknown loss 'mine'" in message
    with pytest.raises(LossError, match="unknown loss 'mine'"):
        losses.create("mine")
    load(workshop.suite(plugins=["mine.py"], methods=METHODS), Suite)
    assert factor() == 2


def test_a_misspelt_name_of_a_plugin_is_suggested(workshop, file):
    file(name="spine.py")
    file(LOSS.replace("{name}", "spiny_tversky").replace("{factor}", "1"))
    suite = workshop.suite(plugins=["mine.py"], methods=[{"id": "a", "loss": {"name": "spiny_tverski"}}])
    (message,) = refusal(suite)
    assert message.startswith(place(suite, "spiny_tverski"))
    assert "Did you mean 'spiny_tversky'?" in message


def test_an_edited_file_is_executed_anew_and_what_it_no_longer_registers_is_unknown(workshop, file):
    suite = workshop.suite(plugins=["mine.py"], methods=METHODS)
    path = file()
    load(suite, Suite)
    before, time = plugins.checksums(), path.stat().st_mtime_ns
    file(factor=3.0)
    os.utime(path, ns=(time, time))
    load(suite, Suite)
    assert factor() == 3
    assert plugins.checksums().keys() == before.keys()
    assert plugins.checksums() != before
    file(name="mine.py", text=LOSS.replace("{name}", "yours").replace("{factor}", "1"))
    assert "unknown loss 'mine'. Known: " in refusal(suite)[0]


def test_a_file_that_did_not_change_is_executed_once(workshop, file):
    path = file(
        LOSS.format(name="mine", factor=1) + f"\nopen({str(workshop.folder / 'log')!r}, 'a').write('executed ')\n"
    )
    profiles = {"small": {"seeds": [4]}, "large": {"seeds": [5]}}
    suite = workshop.suite(plugins=["mine.py", str(path)], methods=METHODS, profiles=profiles)
    load(suite, Suite)
    load(suite, Suite, profile="large")
    assert (workshop.folder / "log").read_text() == "executed "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import losses\nlosses.register('mine')(nothing)\n", r"mine.py:2: NameError: name 'nothing' is not defined"),
        ("import losses\ndef f(:\n", r"mine.py:2: SyntaxError: invalid syntax"),
        (
            "import no_such_module_anywhere\n",
            r"mine.py:1: ModuleNotFoundError: No module named 'no_such_module_anywhere'",
        ),
        ("import sys\nsys.exit(3)\n", r"mine.py:2: RuntimeError: the file ends the program (SystemExit(3))"),
        (
            "import losses\n@losses.register('half')\nclass Half: pass\nraise KeyError(5)\n",
            "mine.py:4: KeyError: 5",
        ),
        ("x = 1\n", 'registers nothing; expected a class below @losses.register("name")'),
    ],
    ids=["name", "syntax", "import", "exit", "half way", "nothing"],
)
def test_a_file_that_fails_is_refused_with_the_last_line_of_its_traceback_and_leaves_nothing(
    workshop, file, text, words
):
    file(text)
    known = losses.available()
    suite = workshop.suite(plugins=["mine.py"])
    (message,) = refusal(suite)
    assert message.startswith(place(suite, "mine.py") + f"found the plug-in {workshop.folder / 'mine.py'}, ")
    assert message.endswith(words)
    assert losses.available() == known
    assert plugins.in_force() == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.py", "but there is no such file (paths are relative to the suite file that they stand in)"),
        ("folder.py", "which cannot be read (Is a directory)"),
        ("mine.txt", "expected a Python file, whose name ends in .py"),
        ("${NO_SUCH_VARIABLE}/mine.py", "whose variable is not set; set it, or write the path here"),
    ],
)
def test_a_file_that_is_not_there_or_no_python_file_is_refused_at_its_place(workshop, file, name, words):
    file(name="mine.py")
    (workshop.folder / "folder.py").mkdir()
    (workshop.folder / "mine.txt").touch()
    suite = workshop.suite(plugins=["mine.py", name], methods=METHODS)
    (message,) = refusal(suite)
    assert message.startswith(place(suite, name))
    assert message.endswith(words)


def test_every_file_that_fails_is_named_at_once(workshop):
    assert len(refusal(workshop.suite(plugins=["a.py", "b.py"]))) == 2


def test_something_that_is_no_list_of_paths_is_left_to_the_settings(workshop):
    (message,) = refusal(workshop.suite(plugins="mine.py"))
    assert "found the text 'mine.py' under 'plugins'" in message
    assert "found the number 3 in 'plugins'; expected a path" in refusal(workshop.suite(plugins=[3]))[0]


def test_a_built_in_name_is_refused_with_both_places(workshop, file):
    path = file(name="dice.py", text=LOSS.format(name="dice", factor=1))
    (message,) = refusal(workshop.suite(plugins=["dice.py"]))
    own, theirs = (re.escape(str(p)) for p in (Path(losses.__file__).parent / "library" / "dice.py", path))
    words = rf"dice\.py:6: \S*LossError: loss 'dice' is defined twice: by .*{own}.* and \S+\.Mine \({theirs}\)"
    assert re.search(words, message)


def test_two_files_with_one_name_are_refused_with_both_places(workshop, file):
    first, second = file(name="a/mine.py"), file(name="b/mine.py")
    suite = workshop.suite(plugins=["a/mine.py", "b/mine.py"], methods=METHODS)
    for _ in range(2):
        (message,) = refusal(suite)
        assert message.startswith(place(suite, "b/mine.py"))
        assert re.search(rf"defined twice: by \S+\.Mine \({first}\) and \S+\.Mine \({second}\)", message)
    load(workshop.suite(plugins=["b/mine.py"], methods=METHODS), Suite)


def test_a_name_of_this_process_is_refused_with_both_places(workshop, file):
    path = file()

    @losses.register("mine")
    class Here(losses.Loss):
        pass

    try:
        (message,) = refusal(workshop.suite(plugins=["mine.py"], methods=METHODS))
        assert re.search(rf"defined twice: by \S+\.Here \({__file__}\) and \S+\.Mine \({path}\)", message)
        assert losses.LOSSES.get("mine") is Here
    finally:
        losses.LOSSES.withdraw("mine")


def test_a_suite_has_the_files_of_the_suite_that_it_extends_each_relative_to_its_own(workshop, file):
    file(name="base/mine.py")
    file(name="yours.py", text=LOSS.replace("{name}", "yours").replace("{factor}", "1"))
    workshop.suite("base/base.yaml", plugins=["mine.py"], methods=METHODS)
    child = workshop.folder / "child.yaml"
    child.write_text("extends: base/base.yaml\nplugins: [yours.py]\nmethods: [{id: yours, loss: {name: yours}}]\n")
    settings = load(child, Suite).settings
    assert settings.plugins == (workshop.folder / "base" / "mine.py", workshop.folder / "yours.py")
    assert [method.id for method in settings.methods] == ["mine", "yours"]


def test_a_profile_and_an_option_may_name_files(workshop, file, monkeypatch):
    file()
    suite = workshop.suite(profiles={"a": {"plugins": ["mine.py"], "methods": METHODS}, "b": {}})
    assert load(suite, Suite).settings.methods[-1].id == "mine"
    assert factor() == 2
    load(suite, Suite, profile="b")
    assert "mine" not in losses.available()
    monkeypatch.chdir(workshop.folder)
    load(suite, Suite, profile="b", overrides=["plugins=[mine.py]"])
    assert factor() == 2


def test_a_file_may_define_a_target_map(workshop, file):
    file(MAP)
    load(workshop.suite(plugins=["mine.py"]), Suite)
    assert plugins.in_force() == {workshop.folder / "mine.py": ["target map anywhere"]}
    assert (target_maps.compute("anywhere", np.eye(4, dtype=np.int8)) == 7).all()
    assert plugins.origin(target_maps.KINDS, "anywhere") == f"sha256 {next(iter(plugins.checksums().values()))}"
    plugins.withdraw()
    assert "anywhere" not in target_maps.available()


def test_built_in_losses_that_a_file_imports_stay_when_it_is_withdrawn(workshop, file):
    file(
        LOSS.format(name="mine", factor=1)
        .replace("CrossEntropy", "LogHausdorff")
        .replace(
            "losses.library.cross_entropy import LogHausdorff",
            "losses.library.hausdorff_dt import HausdorffDT as LogHausdorff",
        )
    )
    load(workshop.suite(plugins=["mine.py"]), Suite)
    plugins.withdraw()
    losses.create("hausdorff_dt")


def test_the_settings_of_a_suite_can_be_read_back_without_its_files(workshop, file):
    file()
    text = load(workshop.suite(plugins=["mine.py"], methods=METHODS), Suite).settings.model_dump_json()
    plugins.withdraw()
    with pytest.raises(ValueError, match="unknown loss 'mine'"):
        Suite.model_validate_json(text)
    assert Suite.model_validate_json(text, context=UNCHECKED_NAMES).methods[0].loss.name == "mine"
    assert plugins.in_force() == {}


def test_a_file_is_used_only_with_the_content_expected(file):
    path = file()
    with pytest.raises(
        plugins.PluginError, match=rf"^{path}, whose content is another one than when the run was planned"
    ):
        plugins.use(path, expected="0" * 64)
    assert plugins.in_force() == {}


def test_losses_are_found_wherever_a_specification_has_them():
    inner = {"name": "inverse_weighting", "of": {"name": "dice", "smooth": 1.0}}
    both = {"name": "sum", "terms": [inner, {"name": "focal", "weight": 2.0}]}
    assert list(plugins.losses_named(both)) == ["sum", "inverse_weighting", "dice", "focal"]
