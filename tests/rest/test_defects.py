"""What nobody foresaw is answered in the error shape, logged with its traceback, and raised for whoever develops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.test import Client

from chat.models import Profile
from chat.policy import Policy
from tests.rest.conftest import Api, refused

pytestmark = pytest.mark.django_db

GROUP = {"title": "Boats"}


class Broken(Policy):
    """A host's, with a defect."""

    def may_create_group(self, person: Profile) -> bool:
        raise ZeroDivisionError("a secret of the house")


@pytest.fixture(autouse=True)
def _broken(configured: Callable[..., None]) -> None:
    configured(POLICY=Broken)


def test_a_defect_has_the_error_shape_and_tells_nothing(
    api: Api, ann: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(ann)
    client.raise_request_exception = False
    heard: list[Any] = []

    def hear(**told: Any) -> None:
        heard.append(told["request"].path)

    got_request_exception.connect(hear)
    try:
        with caplog.at_level(logging.ERROR):
            answer = client.post("/api/groups/", GROUP)
    finally:
        got_request_exception.disconnect(hear)
    assert "application/json" in answer["Content-Type"]
    assert "secret" not in answer.content.decode()
    assert refused(answer, 500, "unavailable")["detail"] == "Something went wrong here."
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == (
        "django.request",
        "Internal Server Error: /api/groups/",
    )
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    assert heard == ["/api/groups/"]


def test_the_test_client_raises_it(api: Api, ann: Profile) -> None:
    with pytest.raises(ZeroDivisionError):
        api(ann).post("/api/groups/", GROUP)


def test_a_developer_sees_the_page_of_django(client: Client, ann: Profile, settings: Any) -> None:
    settings.DEBUG = True
    client.force_login(ann.user)
    client.raise_request_exception = False
    answer = client.post("/api/groups/", GROUP)
    assert answer.status_code == 500
    assert "Traceback" in answer.content.decode()
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(ZeroDivisionError):
        client.post("/api/groups/", GROUP)


def test_a_page_of_a_defect_opens_too(client: Client, ann: Profile) -> None:
    client.force_login(ann.user)
    client.raise_request_exception = False
    answer = client.post("/api/groups/", GROUP, HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong here." in answer.content.decode()
