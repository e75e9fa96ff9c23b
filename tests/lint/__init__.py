"""Static checks of this project's own; each prints its findings and ends with an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def end_with(findings: Iterable[str]) -> None:
    """Print the findings, and exit with 1 if there are any."""
    said = [print(one) for one in findings]
    sys.exit(int(bool(said)))
