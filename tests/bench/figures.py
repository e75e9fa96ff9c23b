"""Small sums: percentiles, medians of ratios."""

from collections.abc import Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def ratio(figures: Sequence[float], yardsticks: Sequence[float]) -> float:
    """Return the median of the ratios of pairs that were measured one after the other."""
    return median(one / other for one, other in zip(figures, yardsticks, strict=True))
