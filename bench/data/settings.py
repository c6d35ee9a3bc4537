"""What a suite says about its data: which labels are the target, how cases are split, how volumes are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from bench.settings import PositiveFloat, Settings, SuitePath

Label = Annotated[int, Field(ge=-32768, le=32767)]
TargetLabel = Annotated[int, Field(ge=1, le=32767)]
TargetLabels = Annotated[tuple[TargetLabel, ...], Field(min_length=1)]
ClassName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

PRETRAIN = "pretrain_on"
"""Name of the data set that regressors are pre-trained on, where it is another one."""

SINGLE_CLASS = "target"
"""Name of the foreground class when the suite gives label values only."""
MAX_CLASSES = 126
"""Classes are stored as int8, beside 0 (background) and −1 (ignored)."""


def _target_kind(value: Any) -> str:
    return "classes" if isinstance(value, Mapping) else "labels"


Target = Annotated[
    Annotated[TargetLabels, Tag("labels")]
    | Annotated[dict[ClassName, TargetLabels], Field(min_length=1, max_length=MAX_CLASSES), Tag("classes")],
    Discriminator(_target_kind),
]


class DatasetSettings(Settings):
    """What all formats share; a format adds where its files are, and narrows `format` to its own name."""

    format: str
    target: Target
    """Label values that form one foreground class (`[2]`), or class name → label values, in the order of channels."""
    roi: TargetLabels | None = None
    """Label values whose union is the region of interest, such as the organ with its lesions."""
    ignore_label: Label | None = None
    """Label value of voxels that no loss and no metric looks at."""
    on_bad_case: Literal["fail", "skip"] = "fail"
    """What a run does about cases in which `data check` finds an error: stop, or go on without and say so."""

    @property
    def class_labels(self) -> dict[str, tuple[int, ...]]:
        """Class name → label values; the first class is 1 inside the house."""
        return dict(self.target) if isinstance(self.target, Mapping) else {SINGLE_CLASS: self.target}

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the foreground classes 1..K."""
        return tuple(self.class_labels)

    def interpretation(self) -> dict[str, Any]:
        """What the label values mean, as plain values: the part of the settings that changes a prepared case."""
        return {
            "classes": [[name, sorted(values)] for name, values in self.class_labels.items()],
            "roi": sorted(self.roi or ()),
            "ignore_label": self.ignore_label,
        }

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> DatasetSettings:
        owner: dict[int, str] = {}
        for name, values in self.class_labels.items():
            for value in values:
                if value in owner:
                    raise ValueError(f"label {value} is given twice (for {owner[value]} and {name})")
                owner[value] = name
        if "background" in self.class_labels:
            raise ValueError("target: 'background' is every voxel outside the target and cannot be a class of it")
        if self.ignore_label is not None and self.ignore_label in {*owner, *(self.roi or ())}:
            raise ValueError(f"ignore_label {self.ignore_label} is also a label of the target or of the roi")
        return self


Part = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, le=1)]
DEFAULT_SHARE = 0.2


class SplitSettings(Settings):
    """Which patients train, select and test.

    A whole number is a count of patients, a number with a decimal point a fraction of them.
    """

    train: Part | None = None
    """Default: everyone who is in no other part."""
    validation: Part | None = None
    """Default 0.2 of the patients (in a two-set protocol with folds: the fold)."""
    test: Part | None = None
    """Default 0.2 of the patients; the fold where there are folds; the validation cases in a two-set protocol."""
    seed: int = 0
    file: SuitePath | None = None
    """JSON or YAML: `{train: […], validation: […], test: […]}` of case ids, or nnU-Net's list of `{train, val}`."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Cross-validation: every patient is tested in exactly one fold."""
    test_is_validation: bool = False
    """Two-set protocol, such as 118/13 on LiTS: the validation cases are also the reported ones, and tables say so."""

    @property
    def selected_on_reported(self) -> bool:
        """Whether the checkpoint is chosen on the cases that are reported."""
        return self.test_is_validation

    @model_validator(mode="after")
    def _is_one_rule(self) -> SplitSettings:
        if self.file is not None:
            self._refuse("file", "train", "test", "folds")
        if self.folds is not None:
            self._refuse("folds", "train", "test")
        if self.test_is_validation:
            self._refuse("test_is_validation", "test")
        if self.test_is_validation and (self.folds is not None or self.file is not None):
            self._refuse("test_is_validation with folds or a file", "validation")
        shares = [p for p in (self.train, self.validation, self.test) if isinstance(p, float)]
        if sum(shares) > 1 + 1e-9:
            raise ValueError(f"the fractions {shares} add up to {sum(shares):g}, more than 1")
        return self

    def _refuse(self, because: str, *fields: str) -> None:
        given = [field for field in fields if getattr(self, field) is not None]
        if given:
            raise ValueError(f"{' and '.join(given)} cannot be given together with {because}, which decides it")


AxisName = Literal["z", "y", "x"]
Margin = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CropSettings(Settings):
    """Keep the bounding box of the region of interest, widened by a margin on both sides of each axis."""

    margin_mm: Margin | None = None
    margin_voxels: Annotated[int, Field(ge=0)] | None = None
    """Voxels of the prepared grid."""
    axes: Annotated[tuple[AxisName, ...], Field(min_length=1)] = ("z", "y", "x")
    """Axes that are cropped; the others keep their whole extent."""

    @model_validator(mode="after")
    def _has_one_margin(self) -> CropSettings:
        if (self.margin_mm is None) == (self.margin_voxels is None):
            raise ValueError("give exactly one of margin_mm and margin_voxels (0 for the tight box)")
        return self


class PreprocessingSettings(Settings):
    """From the volume as read to what the network sees; steps in the order of the fields."""

    spacing_mm: Annotated[tuple[PositiveFloat, ...], Field(min_length=2, max_length=3)] | None = None
    """Resample to this spacing, (z, y, x) or (y, x); default: as in the file."""
    interpolation: Literal["linear", "cubic"] = "linear"
    """Of the image (cubic = cubic B-spline); labels are always taken from the nearest voxel."""
    window: tuple[float, float] | None = None
    """Intensities that become 0 and 1; what lies outside is clipped. Same unit as the image (CT: HU)."""
    normalise: Literal["none", "zscore", "percentiles"] = "none"
    """Per channel. `zscore`: zero mean, unit variance. `percentiles`: the 0.5th and 99.5th become 0 and 1, clipped."""
    roi_from: Literal["reference"] | None = None
    """Where the region of interest comes from. `reference`: from the true labels, which tables then say."""
    crop: CropSettings | None = None
    mask_outside_roi: bool = False
    """Set the image to 0 outside the region of interest, after all other steps."""
    image_dtype: Literal["float32", "float16"] = "float32"
    """How prepared images are stored. `float16` takes half the room and keeps three decimal digits; patches, validation
    and prediction all see the rounded values, as float32."""

    def identity(self) -> dict[str, Any]:
        """The part of a prepared case's identity; a setting that came later is left out where it changes nothing."""
        content = self.model_dump(mode="json")
        if self.image_dtype == "float32":
            del content["image_dtype"]
        return content

    @model_validator(mode="after")
    def _is_consistent(self) -> PreprocessingSettings:
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"window {list(self.window)}: expected the lower value first")
        if self.window is not None and self.normalise == "percentiles":
            raise ValueError("window and normalise: percentiles both set the range; choose one")
        if self.roi_from is None and (self.crop is not None or self.mask_outside_roi):
            raise ValueError(
                "crop and mask_outside_roi need to be told where the region of interest comes from: "
                "add roi_from: reference (the only source so far, and every table will say so)"
            )
        return self


def check_together(dataset: DatasetSettings, preprocessing: PreprocessingSettings) -> str | None:
    """What the two settings contradict each other in, as one sentence, or None."""
    if preprocessing.roi_from is not None and dataset.roi is None:
        return "preprocessing.roi_from needs dataset.roi: name the label values of the region of interest"
    return None
