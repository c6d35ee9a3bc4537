"""The same number of channels in every case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.data.checks.finding import Finding
from bench.data.checks.inspection import MAIN, Inspection
from bench.data.checks.registry import rules


@rules.register("channels")
def channels(inspection: Inspection) -> Iterator[Finding]:
    """An error: one network reads all images. The number is the declared one, or the commonest of the main data set."""
    counts: dict[tuple[str, str], int] = {}
    with_images = [examined for examined in inspection.readable() if examined.facts.images]
    for examined in with_images:
        counts[examined.dataset, examined.case.id] = sum(file.channels for file in examined.facts.images)
    declared = [inspection.datasets[name].channels() for name, _ in counts]
    main = Counter(count for (name, _), count in counts.items() if name == MAIN)
    expected = next(filter(None, declared), None) or (main.most_common(1)[0][0] if main else None)
    for examined in with_images:
        found = counts[examined.dataset, examined.case.id]
        if found != expected:
            yield examined.finding("channels", "error", f"{found} channels, expected {expected}")
