"""The protocol in words: what was the same for every method of a run. Printed under every table."""

from __future__ import annotations

from typing import Any

from bench.suite.schema import Suite
from bench.training.settings import PlateauSchedule, TrainingSettings


def protocol_lines(suite: Suite) -> list[str]:
    """One line per aspect, from the settings in force."""
    sampling, training = suite.sampling, suite.training
    size = "×".join(map(str, sampling.patch_size))
    augmentation = sampling.augmentation if isinstance(sampling.augmentation, str) else sampling.augmentation.protocol()
    backbone = ", ".join(
        f"{key} {_word(value)}" for key, value in suite.backbone.specification().items() if key != "name"
    )
    lines = [
        f"Network: {suite.backbone.name}{f' ({backbone})' if backbone else ''}, the same initial weights for every "
        "method of a seed.",
        f"Patches: {size} voxels, batches of {sampling.batch_size}, {sampling.foreground_patches} of them within "
        f"{sampling.jitter_voxels} voxels of a target voxel, the others anywhere in the region of interest; "
        f"augmentation: {augmentation}.",
        f"Training: {training.steps} steps of Adam at {training.learning_rate:g}, {_decay(training)}, never an early "
        f"stop; {training.precision}, {_threads(training.threads_per_cell)} a cell.",
        *_starts(suite),
        f"Selection: full-volume validation every {training.validate_every} steps; the checkpoint of best mean "
        "validation DC over cases with target.",
        f"Inference: sliding windows of {size}, overlap {suite.evaluation.window_overlap:g}, Gaussian blending; "
        "metrics on the native grid.",
        *_preparation(suite),
    ]
    if training.protocol != "fixed" and not isinstance(training.decay, PlateauSchedule):
        lines.append(
            "Deviation from the paper's protocol: polynomial decay in place of the plateau rule, for which this budget "
            "has too few validations."
        )
    if suite.dataset.format == "phantom":
        lines.append(
            "Generated data: the phantom was tuned until methods could be told apart on other generator seeds. The "
            "order of methods on it is not a finding."
        )
    return lines


def _starts(suite: Suite) -> list[str]:
    """One line for rows that begin with the weights of others, at their own learning rates."""
    starts = [method.start for method in suite.methods if method.start is not None]
    if not starts:
        return []
    rates = dict.fromkeys(f"{start.rate(suite.training):g}" for start in starts)
    return [
        "Warm starts: rows that a remark names begin with the best weights of another row, at "
        f"{' or '.join(rates)}, and take as many steps again."
    ]


def _decay(training: TrainingSettings) -> str:
    decay = training.decay
    if isinstance(decay, PlateauSchedule):
        return f"× {decay.factor:g} after {decay.patience} validations without a better validation DC"
    return f"polynomial decay with exponent {decay.exponent:g}"


def _word(value: Any) -> str:
    """A setting in a sentence, without brackets: `8/16/32` for a list, `true` as in YAML."""
    if isinstance(value, list | tuple):
        return "/".join("×".join(map(_word, item)) if isinstance(item, list | tuple) else _word(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _threads(count: int) -> str:
    return "1 CPU thread" if count == 1 else f"{count} CPU threads"


def _preparation(suite: Suite) -> list[str]:
    preparation = suite.preprocessing
    steps = []
    if preparation.spacing_mm is not None:
        spacing = " × ".join(f"{s:g}" for s in preparation.spacing_mm)
        steps.append(f"resampled to {spacing} mm (image {preparation.interpolation}, labels nearest)")
    if preparation.crop is not None:
        crop = preparation.crop
        margin = f"{crop.margin_mm:g} mm" if crop.margin_mm is not None else f"{crop.margin_voxels} voxels"
        steps.append(f"cropped along {', '.join(crop.axes)} to the region of interest ± {margin}")
    if preparation.window is not None:
        steps.append("intensities from {:g} to {:g} mapped to 0 to 1, clipped".format(*preparation.window))
    if preparation.normalise != "none":
        steps.append(preparation.normalise)
    if preparation.mask_outside_roi:
        steps.append("0 outside the region of interest")
    if preparation.image_dtype != "float32":
        steps.append(f"stored as {preparation.image_dtype}")
    return [f"Preparation: {'; '.join(steps) or 'none'}."]
