"""What Parley costs, beside yardsticks measured in the same run: ``make bench``, ``python -m tests.bench p1``."""
