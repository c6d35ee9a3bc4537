"""Fill the tables of the docs from code and benchmark results, so that no page says anything else.

    python docs/generate.py

A block `<!-- generated: NAME -->` … `<!-- end -->` of a page holds what `BLOCKS[NAME]` returns.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import losses
import models
from bench.data.augmentation import AugmentationSettings
from bench.data.formats.decathlon import DecathlonSettings
from bench.data.formats.lits import LitsSettings
from bench.data.formats.masks import MasksSettings
from bench.data.formats.nnunet import NnunetSettings
from bench.data.formats.pairs import PairsSettings
from bench.data.phantom.settings import PhantomSettings
from bench.data.sampler import SamplingSettings
from bench.data.settings import CropSettings, DatasetSettings, PreprocessingSettings, SplitSettings
from bench.evaluation.empties import Value
from bench.evaluation.metrics import EMPTY_POLICY, METRICS
from bench.evaluation.settings import EvaluationSettings
from bench.report.markdown import table
from bench.suite.reported import ReportedSettings
from bench.suite.schema import MethodSettings, StartSettings, Suite
from bench.training.settings import PlateauSchedule, PolynomialSchedule, TrainingSettings

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "benchmarks" / "results"

# What a key means to somebody who writes a suite, where its field's docstring does not say it.
WORDS = {
    (Suite, "title"): "Heading of the tables.",
    (Suite, "dataset"): "The data; see [dataset](#dataset).",
    (Suite, "split"): "Who trains, selects and tests; see [split](#split).",
    (Suite, "preprocessing"): "From the file to the network; see [preprocessing](#preprocessing).",
    (Suite, "sampling"): "Patches of a batch; see [sampling](#sampling).",
    (Suite, "backbone"): "The network; see [backbones](#backbones).",
    (Suite, "training"): "The budget; see [training](#training).",
    (Suite, "evaluation"): "How volumes are segmented and scored; see [evaluation](#evaluation).",
    (Suite, "methods"): "The rows of the table; see [methods](#methods).",
    (Suite, "primary"): "Key of the metric that the comparison is about: named below the tables, its spread on screen.",
    (Suite, "baseline"): "Id of the row to compare with: named below the tables; nothing is computed from it yet.",
    (DatasetSettings, "format"): "Name of the format; see [data.md](data.md).",
    (PairsSettings, "csv"): "The list of files: columns `image` and `label`, optionally `case` and `patient`.",
    (MasksSettings, "csv"): "The list of files: column `label`, optionally `case` and `patient`.",
    (PhantomSettings, "cases"): "How many cases to generate.",
    (PhantomSettings, "seed"): "Seed of the generator.",
    (PhantomSettings, "roi"): "Liver with everything in it.",
    (SplitSettings, "seed"): "Seed of the draw; it has nothing to do with the training seeds.",
    (PreprocessingSettings, "crop"): "Cut to the region of interest; see [crop](#crop).",
    (CropSettings, "margin_mm"): "Margin in millimetres; give exactly one of the two margins.",
    (CropSettings, "margin_voxels"): "Margin in voxels of the prepared grid.",
    (SamplingSettings, "batch_size"): "Patches per step.",
    (
        SamplingSettings,
        "augmentation",
    ): "Random changes, see [augmentation](#augmentation), or `none`.",
    (TrainingSettings, "memory_format"): "How tensors lie in memory.",
    (PlateauSchedule, "name"): "Chooses this schedule.",
    (PlateauSchedule, "factor"): "What the learning rate is multiplied by.",
    (PlateauSchedule, "patience"): "Validations in a row without a better validation DC before that.",
    (PolynomialSchedule, "name"): "Chooses this schedule.",
    (PolynomialSchedule, "exponent"): "learning_rate · (1 − step/steps) ^ exponent.",
    (
        EvaluationSettings,
        "tolerance_mm",
    ): "Surface Dice counts a voxel this close to the other surface as right.",
    (
        EvaluationSettings,
        "window_overlap",
    ): "Share of a window that the next one covers again, on each axis.",
    (EvaluationSettings, "window_batch"): "Windows per forward pass.",
    (MethodSettings, "id"): "Name of the row in files and options; letters, digits, `_`, `.` and `-`.",
    (MethodSettings, "loss"): "`{name: …}` and its parameters; see [losses](#losses); not needed with a regressor.",
}


def keys(model: type[BaseModel], without: type[BaseModel] | None = None) -> list[str]:
    """One row per key of a settings model, those of `without` left out unless their default differs.

    Raises:
        ValueError: a key has neither a docstring nor an entry in WORDS.
    """
    schema = model.model_json_schema()
    rows = []
    for name, field in model.model_fields.items():
        inherited = None if without is None else without.model_fields.get(name)
        if inherited is not None and (inherited.default == field.default or name == "format"):
            continue
        meaning = WORDS.get((model, name)) or field.description
        if not meaning:
            raise ValueError(f"{model.__name__}.{name}: no docstring, and nothing in WORDS of {__file__}")
        kind = _kind(schema["properties"][field.alias or name], schema.get("$defs", {}))
        if "pathlib.Path" in repr(field.annotation):
            kind = "[path, …]" if kind.startswith("[") else "path"
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        rows.append([f"`{field.alias or name}`", kind, default, meaning.replace("\n", " ")])
    return _table(["key", "value", "default", "meaning"], rows)


def metrics() -> list[str]:
    """One row per metric, with what it is worth where a mask is empty."""
    rows = [
        [
            metric.label,
            f"`{metric.key}`",
            metric.unit or "1",
            {"higher": "↑", "lower": "↓", "closest_to_zero": "→ 0"}[metric.better],
            *((["pooled"] * 3) if metric.pooled else map(_value, vars(metric.empties).values())),
        ]
        for metric in METRICS.values()
    ]
    header = ["column", "key", "unit", "better", "both empty", "only prediction empty", "only reference empty"]
    return _table(header, rows)


def loss_table() -> list[str]:
    """One row per loss with its parameters and defaults, and the maps that it needs with these."""
    rows = []
    for name in losses.available():
        known = losses.describe(name)
        made = losses.create(name, **known.example)
        parameters = (
            f"`{key}`" if parameter.default is parameter.empty else f"`{key}={_yaml(parameter.default)}`"
            for key, parameter in known.parameters.items()
        )
        maps = ", ".join(f"`{key}`" for key in made.required_maps)
        rows.append([f"`{name}`", ", ".join(parameters) or "–", maps or "–", known.summary])
    return _table(["name", "parameters and defaults", "maps", "what it is"], rows)


def loss_speed() -> list[str]:
    """One row per loss: its time and memory beside MONAI's Dice, plain and compiled, as last measured."""
    times = json.loads((RESULTS / "loss_speed.json").read_text(encoding="utf-8"))
    copies = json.loads((RESULTS / "loss_memory.json").read_text(encoding="utf-8"))
    memory = copies["test_extra_memory"]["extra"]["copies of the logits"]
    two, four = (times[f"test_region_losses[{classes}]"]["contenders"] for classes in (2, 4))
    rows = []
    for name in sorted(two, key=lambda name: two[name]["median_ratio_to_MONAI Dice"]):
        if name.endswith(", compiled"):
            continue
        pairs = ((measured, f"{name}{kind}") for measured in (two, four) for kind in ("", ", compiled"))
        ratios = (measured.get(key, {}).get("median_ratio_to_MONAI Dice") for measured, key in pairs)
        label = {"copy": "copy of the logits", "MONAI Dice": "MONAI `DiceLoss`"}.get(name, f"`{name}`")
        shown = ("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios)
        rows.append([label, *shown, f"{memory[name]:.2f}" if name in memory else "–"])
    header = ["", "2 classes", "2, compiled", "4 classes", "4, compiled", "extra memory (× logits, 2 classes)"]
    return _table(header, rows)


def regressor_table() -> list[str]:
    """One row per regressor with its parameters and defaults."""
    rows = []
    for name in models.available_regressors():
        known = models.describe_regressor(name)
        parameters = (f"`{key}={_yaml(parameter.default)}`" for key, parameter in known.parameters.items())
        rows.append([f"`{name}`", ", ".join(parameters), known.summary])
    return _table(["name", "parameters and defaults", "what it is"], rows)


def regressor_speed() -> list[str]:
    """One row per patch and memory format: a step of the paper's M-Net, and what LR-Net adds, as last measured."""
    results = json.loads((RESULTS / "regressor_speed.json").read_text(encoding="utf-8"))
    rows = []
    for name, measured in results.items():
        place = re.fullmatch(r"test_step\[\((\d+), (\d+), (\d+)\)-(\w+)\]", name)
        if place is None:
            continue
        *size, memory = place.groups()
        contenders = measured["contenders"]
        ratios = (contenders[kind]["median_ratio_to_M-Net"] for kind in ("with LR-Net", "with uLR-Net"))
        added = (f"+{100 * (ratio - 1):.0f} %" for ratio in ratios)
        step = f"{contenders['M-Net']['median_seconds']:.2f} s"
        rows.append([" × ".join(size), memory.replace("_", " "), step, *added])
    return _table(["patch", "memory", "without", "LR-Net, frozen", "LR-Net, trained along"], rows)


BLOCKS: dict[str, Callable[[], list[str]]] = {
    "suite": partial(keys, Suite),
    "dataset": partial(keys, DatasetSettings),
    "dataset lits": partial(keys, LitsSettings, DatasetSettings),
    "dataset decathlon": partial(keys, DecathlonSettings, DatasetSettings),
    "dataset nnunet": partial(keys, NnunetSettings, DatasetSettings),
    "dataset masks": partial(keys, MasksSettings, DatasetSettings),
    "dataset pairs": partial(keys, PairsSettings, DatasetSettings),
    "dataset phantom": partial(keys, PhantomSettings, DatasetSettings),
    "split": partial(keys, SplitSettings),
    "preprocessing": partial(keys, PreprocessingSettings),
    "crop": partial(keys, CropSettings),
    "sampling": partial(keys, SamplingSettings),
    "augmentation": partial(keys, AugmentationSettings),
    "training": partial(keys, TrainingSettings),
    "schedule polynomial": partial(keys, PolynomialSchedule),
    "schedule plateau": partial(keys, PlateauSchedule),
    "evaluation": partial(keys, EvaluationSettings),
    "methods": partial(keys, MethodSettings),
    "start": partial(keys, StartSettings),
    "reported": partial(keys, ReportedSettings),
    "losses": loss_table,
    "regressors": regressor_table,
    "regressor speed": regressor_speed,
    "loss speed": loss_speed,
    "metrics": metrics,
    "empty policy": lambda: [f"> {EMPTY_POLICY}"],
}


def filled(page: str) -> str:
    """The text of a page with its generated blocks written anew."""

    def block(match: re.Match[str]) -> str:
        return "\n".join([match[1], "", *BLOCKS[match[2]](), "", "<!-- end -->"])

    return re.sub(r"(<!-- generated: ([a-z ]+) -->).*?<!-- end -->", block, page, flags=re.DOTALL)


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return table(header, [[cell.replace("|", "\\|") for cell in row] for row in rows], left=len(header))


def _kind(node: dict[str, Any], known: dict[str, Any]) -> str:
    """A JSON Schema node in words."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return "settings" if name.endswith(("Settings", "Choice", "Schedule")) else _kind(known[name], known)
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    if "anyOf" in node or "oneOf" in node:
        kinds = (_kind(one, known) for one in node.get("anyOf") or node["oneOf"] if one.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if node["type"] == "array":
        return "[" + ", ".join(_items(node, known)) + "]"
    words = {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "mapping"}
    return words.get(node["type"], node["type"]) + _limits(node)


def _items(node: dict[str, Any], known: dict[str, Any]) -> Iterator[str]:
    if "prefixItems" not in node:
        yield from (_kind(node["items"], known), "…")
        return
    kinds = [_kind(item, known) for item in node["prefixItems"]]
    yield f"{len(kinds)} × {kinds[0]}" if len(kinds) > 2 and len(set(kinds)) == 1 else ", ".join(kinds)


def _limits(node: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {node[key]:g}" for key, sign in signs.items() if key in node and abs(node[key]) < 2**15 - 1]
    return f" {' and '.join(limits)}" if limits else ""


def _default(value: Any) -> str:
    if value is None or value == () or value == {}:
        return "–"
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{_yaml(value)}`" if value != "" else "–"


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    return str(value)


def _value(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "undefined" if value != value else f"{value:g}".replace("-", "−")


def main() -> int:
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
