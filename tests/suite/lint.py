"""The checks that start no server and run no test."""

from __future__ import annotations

from tests.suite.commands import python, tool
from tests.suite.steps import EMBEDDED, Step

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings", **EMBEDDED}


def lint() -> list[Step]:
    """Return every check, those that take longest first."""
    commands = {
        "mypy": tool("mypy"),
        "advisories": python("-m", "tests.lint.advisories"),
        "secrets": python("-m", "tests.lint.secrets"),
        "manage.py check": python("manage.py", "check", "--fail-level", "WARNING"),
        "migrations": python("manage.py", "makemigrations", "--check", "--dry-run"),
        "endpoints": python("-m", "tests.lint.endpoints"),
        "bandit": tool("bandit", "--quiet", "--ini", "setup.cfg", "--recursive", "chat", "project"),
        "source": python("-m", "tests.lint.source"),
        "requirements": python("-m", "tests.lint.requirements"),
        "ruff check": tool("ruff", "check", "."),
        "ruff format": tool("ruff", "format", "--check", "."),
    }
    return [Step(name, command, SETTINGS) for name, command in commands.items()]
