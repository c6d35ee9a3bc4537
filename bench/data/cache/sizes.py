"""Amounts of data as people write them: 200GB, 1.5 TiB."""

from __future__ import annotations

import re

UNITS = {
    **{unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)},
}
EXPECTED = f"a positive number with one of {', '.join(UNITS)}, such as 200GB"

_FORM = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]+)\s*", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes of a text such as `200GB` or `500 MB`; capitals do not matter, GB are 10⁹ bytes and GiB are 2³⁰.

    Raises:
        ValueError: the text has another form, or means no byte at all.
    """
    units = {unit.lower(): factor for unit, factor in UNITS.items()}
    found = _FORM.fullmatch(text)
    if found is None or found[2].lower() not in units:
        raise ValueError(f"{text!r} is no amount of data; expected {EXPECTED}")
    size = int(float(found[1]) * units[found[2].lower()])
    if size < 1:
        raise ValueError(f"{text!r} is less than a byte; expected {EXPECTED}")
    return size


def as_text(size: int) -> str:
    """Three digits and a decimal unit: `1.23 GB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    digits = 0 if unit == "B" or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"
