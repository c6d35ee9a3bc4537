"""The generic registry, on real packages and real distributions in a temporary folder."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from losses.registry import Description, Registry, nearest

GROUP = "registry_test.shapes"


class ShapeError(ValueError):
    pass


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `shapes_of_<test>` with a registry and the built-in entry `circle`; returns a writer of more files."""
    name = f"shapes_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / name
    (folder / "library").mkdir(parents=True)
    (folder / "library" / "__init__.py").touch()
    write(
        folder / "__init__.py",
        f"""
        from losses.registry import Registry
        class ShapeError(ValueError):
            pass
        shapes = Registry("shape", package="{name}.library", group="{GROUP}", error=ShapeError, supplied=("canvas",))
        """,
    )
    write(
        folder / "library" / "circle.py",
        f"""
        from {name} import shapes
        @shapes.register("circle")
        class Circle:
            '''A round shape.

            More about it.
            '''
            example = {{"radius": 2.0}}
            def __init__(self, *, radius: float, filled: bool = True, scale: float = 1.0, canvas: str = "none"):
                self.radius, self.filled, self.scale, self.canvas = radius, filled, scale, canvas
        """,
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield folder
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def shapes(package):
    return importlib.import_module(package.name).shapes


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    importlib.invalidate_caches()


def install(folder: Path, distribution: str, entry: str, module: str, source: str) -> None:
    """Lay down what an installed distribution is: a module and a dist-info with its entry points."""
    write(folder / f"{module}.py", source)
    info = folder / f"{distribution}-1.2.dist-info"
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    write(info / "entry_points.txt", f"[{GROUP}]\n{entry}\n")


def test_names_are_known_without_importing_an_entry(shapes, package):
    write(package / "library" / "explosive.py", "raise RuntimeError('imported')")
    assert shapes.names() == ("circle", "explosive")


def test_files_that_start_with_an_underscore_are_not_entries(shapes, package):
    write(package / "library" / "_helpers.py", "")
    assert shapes.names() == ("circle",)


def test_a_new_file_is_a_new_entry_with_no_edit_elsewhere(shapes, package):
    write(
        package / "library" / "square.py",
        f"from {package.name} import shapes\n@shapes.register('square')\ndef square(*, side=1):\n    return side",
    )
    assert shapes.create("square", side=3) == 3


def test_create_passes_parameters_and_defaults(shapes):
    circle = shapes.create("circle", radius=2.0, canvas="blue")
    assert (circle.radius, circle.filled, circle.canvas) == (2.0, True, "blue")


def test_an_unknown_name_suggests_the_nearest_and_lists_all(shapes):
    with pytest.raises(ValueError, match=r"unknown shape 'cirle'\. Did you mean 'circle'\? Known: circle"):
        shapes.get("cirle")


def test_an_unknown_parameter_suggests_the_nearest_and_lists_those_allowed(shapes):
    with pytest.raises(
        ValueError,
        match=r"'circle' has no parameter 'radios'\. Did you mean 'radius'\? Allowed: radius, filled, scale$",
    ):
        shapes.create("circle", radios=1)


def test_a_missing_parameter_is_named(shapes):
    with pytest.raises(ValueError, match=r"shape 'circle' needs the parameter 'radius'\. Allowed: radius, filled"):
        shapes.create("circle")


def test_a_supplied_parameter_is_not_the_users_to_set(shapes):
    assert "canvas" not in shapes.parameters("circle")
    with pytest.raises(ValueError, match=r"no parameter 'canvas'\. It is set for you"):
        shapes.resolve("circle", {"radius": 1.0, "canvas": "red"})


def test_parameters_carry_their_defaults(shapes):
    parameters = shapes.parameters("circle")
    assert list(parameters) == ["radius", "filled", "scale"]
    assert parameters["radius"].default is inspect.Parameter.empty
    assert parameters["scale"].default == 1.0


def test_resolve_fills_in_defaults_and_makes_whole_numbers_floats(shapes):
    resolved = shapes.resolve("circle", {"radius": 2, "scale": 3})
    assert resolved == {"radius": 2, "filled": True, "scale": 3.0}
    assert isinstance(resolved["scale"], float)
    assert isinstance(resolved["filled"], bool)


def test_describe_gives_the_summary_the_example_and_the_file(shapes, package):
    description = shapes.describe("circle")
    assert description.summary == "A round shape."
    assert description.example == {"radius": 2.0}
    assert str(package / "library" / "circle.py") in description.where


def test_a_file_that_registers_another_name_is_refused(shapes, package):
    write(
        package / "library" / "oval.py",
        f"from {package.name} import shapes\n@shapes.register('ellipse')\ndef ellipse():\n    return 0",
    )
    with pytest.raises(ValueError, match=r"oval\.py registers no shape named 'oval'"):
        shapes.get("oval")


def test_a_name_that_yaml_or_python_would_stumble_over_is_refused(shapes):
    for name in ("Circle", "2d", "a-b", "", "a b"):
        with pytest.raises(ValueError, match="lower-case letters, digits and underscores"):
            shapes.register(name)


def test_registering_a_taken_name_names_both_places(shapes, package):
    with pytest.raises(ValueError, match=r"'circle' is defined twice: by .*circle\.py and .*test_registry\.py"):

        @shapes.register("circle")
        class Other:
            pass

    @shapes.register("star")
    class Star:
        pass

    with pytest.raises(ValueError, match=r"'star' is defined twice: by .*Star .*test_registry\.py.* and .*Nova"):

        @shapes.register("star")
        class Nova:
            pass


def test_defining_the_same_class_again_replaces_it(shapes):
    def define(value):
        class Star:
            def __init__(self):
                self.value = value

        return shapes.register("star")(Star)

    define(1)
    define(2)
    assert shapes.create("star").value == 2


def test_an_entry_point_of_another_distribution_is_an_entry(shapes, tmp_path):
    install(
        tmp_path, "more-shapes", "hexagon = more_shapes_a:Hexagon", "more_shapes_a", "class Hexagon:\n    sides = 6\n"
    )
    assert shapes.names() == ("circle", "hexagon")
    assert "more_shapes_a" not in sys.modules
    assert shapes.create("hexagon").sides == 6


def test_an_entry_point_may_also_register_itself(shapes, package, tmp_path):
    source = f"""
    from {package.name} import shapes
    @shapes.register("hexagon")
    class Hexagon:
        sides = 6
    """
    install(tmp_path, "more-shapes", "hexagon = more_shapes_b:Hexagon", "more_shapes_b", source)
    assert shapes.create("hexagon").sides == 6


def test_a_registry_tells_where_a_name_comes_from_without_importing_it(shapes, tmp_path):
    install(tmp_path, "more-shapes", "hexagon = more_shapes_c:Hexagon", "more_shapes_c", "class Hexagon:\n    pass\n")
    assert [shapes.is_built_in(name) for name in ("circle", "hexagon", "nothing")] == [True, False, False]
    assert [shapes.distribution(name) for name in ("circle", "hexagon", "nothing")] == [None, "more-shapes 1.2", None]
    assert shapes.registered() == {}
    assert "more_shapes_c" not in sys.modules


def test_a_name_that_was_withdrawn_may_be_taken_by_another(shapes):
    shapes.register("star")(dict)
    assert shapes.registered() == {"star": dict}
    shapes.withdraw("star")
    assert "star" not in shapes.names()
    shapes.register("star")(list)
    assert shapes.create("star") == []


def test_an_entry_point_that_takes_a_built_in_name_names_both(shapes, tmp_path):
    install(tmp_path, "rival", "circle = rival_shapes:Circle", "rival_shapes", "class Circle:\n    pass\n")
    with pytest.raises(
        ValueError, match=r"'circle' is defined twice: by .*rival_shapes\.py.*rival 1\.2 and .*circle\.py"
    ):
        shapes.get("circle")
    assert shapes.names() == ("circle",)


def test_a_broken_entry_point_names_its_distribution_and_the_cause(shapes, tmp_path):
    install(tmp_path, "broken", "knot = broken_shapes:Knot", "broken_shapes", "import no_such_module_anywhere\n")
    with pytest.raises(
        ValueError, match=r"'knot' = 'broken_shapes:Knot' of broken 1\.2 cannot be loaded: .*no_such_module_anywhere"
    ):
        shapes.get("knot")


def test_an_entry_point_that_is_not_callable_is_refused(shapes, tmp_path):
    install(tmp_path, "constant", "pi = constant_shapes:PI", "constant_shapes", "PI = 3.14\n")
    with pytest.raises(ValueError, match=r"'pi'.* is 3\.14; expected a class or a function"):
        shapes.get("pi")


def test_an_entry_that_takes_any_parameter_still_refuses_those_that_are_supplied():
    registry = Registry[dict]("bag", package="losses.library", group="none", error=ShapeError, supplied=("size",))

    @registry.register("bag")
    def bag(*, size: int, **content: int) -> dict:
        return {"size": size, **content}

    assert registry.create("bag", size=1, apples=2) == {"size": 1, "apples": 2}
    with pytest.raises(ShapeError, match="It is set for you"):
        registry.resolve("bag", {"size": 1})


def test_nearest_is_silent_where_nothing_is_near():
    assert nearest("zzz", ["dice"]) == ""


def test_the_names_of_losses_and_backbones_need_no_torch():
    program = (
        "import sys, losses, models; print(losses.available(), models.available_backbones());"
        "heavy = {'torch', 'monai', 'numpy', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("dice", "cross_entropy", "tversky", "sum", "residual_unet", "monai"):
        assert repr(name) in done.stdout


def test_a_description_finds_formula_source_and_deviations_in_the_documentation():
    text = inspect.cleandoc(
        """Loss: one line.

        L = a
            + b

        logits and labels.

        Source: Someone 2017, equation 2
        and 3. Deviation from it: smoothing.
        More of it.

        The end."""
    )
    told = Description("loss", "Loss: one line.", text, {}, {}, "here")
    assert told.formula == "L = a\n    + b"
    assert told.source == "Someone 2017, equation 2\nand 3."
    assert told.deviations == "smoothing.\nMore of it."


def test_a_description_without_such_paragraphs_has_none():
    told = Description("loss", "Loss.", "Loss.", {}, {}, "here")
    assert (told.formula, told.source, told.deviations) == ("", "", "")
