"""Decide how many examples the tests make up: few on every run, many with ``THOROUGH=1``."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("THOROUGH") == "1"


def examples(usual: int, thorough: int) -> int:
    """Return the number of examples of this run."""
    return thorough if THOROUGH else usual
