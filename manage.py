#!/usr/bin/env python
"""Runs Django's commands with the settings of this project."""

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError


def main() -> None:
    """Run the command; what is wrong with the environment is one line, unless --traceback asks for more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    # The pool logs each try to connect; the line below says why they fail.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        fault = str(error) if isinstance(error, ImproperlyConfigured) else fault_of_database()
        if fault is None or "--traceback" in sys.argv:
            raise
        sys.exit(f"Not run: {fault}")


def fault_of_database() -> str | None:
    """Return why the database cannot be used, or None where it can."""
    # Needs settings, which an OperationalError shows to be right.
    from project.startup import database_fault  # noqa: PLC0415

    return database_fault()


if __name__ == "__main__":
    main()
