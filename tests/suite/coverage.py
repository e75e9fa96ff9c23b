"""Run the tests with coverage, the server processes that they start included, and report what none reached."""

from __future__ import annotations

from dataclasses import replace

from tests.suite.commands import python
from tests.suite.steps import SCRATCH, Step, run

DATA = {"COVERAGE_FILE": str(SCRATCH / "coverage")}


def measured(step: Step) -> Step:
    """Return the step run under coverage; each of its processes leaves a file of its own."""
    interpreter, *arguments = step.command
    command = [interpreter, "-m", "coverage", "run", *arguments]
    return replace(step, command=command, environment={**step.environment, **DATA})


def report() -> None:
    """Combine what all processes left, and print the lines that no test reached; more in ``htmlcov/``."""
    coverage = python("-m", "coverage")
    data = f"--data-file={DATA['COVERAGE_FILE']}"
    run([*coverage, "combine", "--quiet", data])
    run([*coverage, "html", "--quiet", data, "--directory=htmlcov"])
    run([*coverage, "report", data])
