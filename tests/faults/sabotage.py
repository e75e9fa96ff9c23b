"""Gets into a server under test by its settings: it dies, its clock is off, or it has a bug."""

from __future__ import annotations

import os

from django.apps import AppConfig

from tests.faults import bugs, points


class SabotageConfig(AppConfig):
    """Does what the environment asks for: FAULTS_DIE, FAULTS_CLOCK, FAULTS_BUG."""

    name = "tests.faults.sabotage"
    label = "sabotage"

    def ready(self) -> None:
        if point := os.environ.get("FAULTS_DIE"):
            where, _, after = point.partition(":")
            points.POINTS[where](int(after))
        if seconds := os.environ.get("FAULTS_CLOCK"):
            points.shift_clock(float(seconds))
        if bug := os.environ.get("FAULTS_BUG"):
            bugs.BUGS[bug]()
