"""Direction cosines: not orthonormal, flipped or rotated against the canonical frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import Inspection
from bench.data.checks.registry import rules
from bench.data.orientation import Orientation, orientation_of

OBLIQUE_DEGREES = 1.0


@rules.register("orientation")
def orientation(inspection: Inspection) -> Iterator[Finding]:
    """Warnings `not_orthonormal`, `orientation` (axes turned or flipped) and `oblique` (axes beside the patient's)."""
    for examined in inspection.readable():
        for path, file in examined.named_files():
            if file.shear:
                text = (
                    f"{path}: direction cosines are off orthonormal by {file.shear:.2g}; SimpleITK refuses them, so "
                    f"the file is read with nibabel and the nearest orthonormal ones are used"
                )
                yield examined.finding("not_orthonormal", "warning", text)
        file = examined.facts.files[0]
        found = orientation_of(file.direction)
        if not found.canonical:
            yield examined.finding("orientation", "warning", f"stored {_words(found)}; {HANDLED}")
        cosines = np.abs(np.reshape(file.direction, (len(file.shape), -1))).max(axis=0)
        degrees = float(np.degrees(np.arccos(np.clip(cosines.min(), 0, 1))))
        if degrees > OBLIQUE_DEGREES:
            text = f"axes are {degrees:.1f} degrees off the patient's; they are not resampled for it"
            yield examined.finding("oblique", "warning", text)


HANDLED = "turned to the canonical frame on reading, and predictions back"


def _words(found: Orientation) -> str:
    """`with axes (y, z, x) for (z, y, x), y and x reversed`."""
    names = "zyx"[-len(found.axes) :]
    order = "".join(names[axis] for axis in found.axes)
    turned = [name for name, flipped in zip(names, found.flipped, strict=True) if flipped]
    parts = [] if order == names else [f"with axes {order} where {names} is usual"]
    parts += [f"{' and '.join(turned)} reversed"] if turned else []
    return ", ".join(parts)
