"""Faults done to a running service of its own, and a checker of what its clients saw; ``make faults``."""
