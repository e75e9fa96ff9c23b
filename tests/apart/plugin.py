"""Lets every test at both databases; they were written for one and do not say."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        said = item.get_closest_marker("django_db")
        named = {**(said.kwargs if said else {}), "databases": "__all__"}
        item.add_marker(pytest.mark.django_db(**named), append=False)
