"""The parts of ``tests/run.py``: commands, lint, test parts, the table."""
