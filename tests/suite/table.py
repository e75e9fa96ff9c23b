"""Print the results: one table, and boxes for what must not be overlooked."""

from __future__ import annotations

from collections.abc import Sequence

from tests.suite.steps import Count, Outcome


def box(*lines: str) -> None:
    """Print lines in a frame."""
    width = max(map(len, lines))
    edge = "#" * (width + 4)
    print("", edge, *(f"# {line:<{width}} #" for line in lines), edge, sep="\n", flush=True)


def table(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Print every step with its verdict and times, then the sum of the tests alone on its line."""
    width = max(len(outcome.name) for outcome in outcomes) + 2
    print(f"\n{'step':<{width}}{'verdict':<9}{'seconds':>8}{'cpu':>8}  tests")
    for outcome in outcomes:
        tests = outcome.count if outcome.tests else ""
        print(
            f"{outcome.name:<{width}}{outcome.verdict:<9}{outcome.seconds:>8.1f}{outcome.cpu:>8.1f}  {tests}"
        )
    cpu = sum(outcome.cpu for outcome in outcomes)
    print(f"{'all':<{width}}{'':<9}{seconds:>8.1f}{cpu:>8.1f}")
    skipped = [outcome.name for outcome in outcomes if outcome.verdict == "SKIPPED"]
    if skipped:
        box("SKIPPED, and so not verified:", *skipped)
    if any(outcome.tests for outcome in outcomes):
        print(sum((outcome.count for outcome in outcomes), Count()), flush=True)
