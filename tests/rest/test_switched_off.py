"""docs/hosting.md, *What can be switched off*: its examples, word for word, refuse what it says and nothing else."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches, path
from rest_framework.test import APIClient

from chat.models import Profile, Room
from chat.policy import Policy
from project.urls import urlpatterns
from tests.live.processes import ROOT
from tests.rest.conftest import PASSWORD, Api, refused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

PAGE = (ROOT / "docs/hosting.md").read_text()
SECTION = PAGE.partition("## What can be switched off\n")[2].partition("\n## ")[0]
POLICY, SETTINGS, URLS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture
def support(configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the example, and its module where they name it."""
    module = ModuleType("mysite.policy")
    exec(POLICY, module.__dict__)
    monkeypatch.setitem(sys.modules, "mysite", ModuleType("mysite"))
    monkeypatch.setitem(sys.modules, "mysite.policy", module)
    chosen: dict[str, Any] = {}
    exec(SETTINGS, {"CHAT": chosen})
    configured(**chosen)


def test_every_predicate_that_is_named_is_one_of_the_policy() -> None:
    named = set(re.findall(r"`(may_\w+)`", SECTION))
    assert len(named) > 8
    assert named <= {name for name in vars(Policy) if name.startswith("may_")}


def test_direct_rooms_edits_and_registration_are_off(
    support: None, api: Api, ann: Profile, bob: Profile, den: Room
) -> None:
    person = {"username": "eve", "password": PASSWORD}
    refused(APIClient().post("/api/auth/register/", person), 403, "forbidden")
    refused(api(ann).post("/api/direct/", {"user": str(bob.pk)}), 403, "forbidden")
    said = api(ann).post(f"/api/rooms/{den.pk}/messages/", {"text": "Tea?"})
    assert said.status_code == 201
    message = f"/api/messages/{said.json()['id']}/"
    refused(api(ann).patch(message, {"text": "Coffee?"}), 403, "forbidden")
    # What the example does not name goes on.
    assert api(ann).delete(message).status_code in {200, 204}


def test_only_members_lose_pins(
    support: None, api: Api, ann: Profile, bob: Profile, den: Room
) -> None:
    said = api(bob).post(f"/api/rooms/{den.pk}/messages/", {"text": "Tea?"}).json()
    pin = f"/api/messages/{said['id']}/pin/"
    refused(api(bob).post(pin), 403, "forbidden")
    assert api(ann).post(pin).status_code == 200


def test_the_list_of_people_gives_way_to_a_path_above_it(
    settings: Any, dora: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("mysite_urls")

    module.__dict__.update(path=path, urlpatterns=list(urlpatterns))
    exec(URLS, module.__dict__)
    monkeypatch.setitem(sys.modules, "mysite_urls", module)
    settings.ROOT_URLCONF = "mysite_urls"
    client = Client()
    client.force_login(dora.user)
    for query in ("", "?search=dora"):
        answer = client.get(f"/api/users/{query}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert client.get("/api/users/me/").json()["username"] == "dora"


@pytest.fixture(autouse=True)
def _urls_as_they_were() -> Iterator[None]:
    yield
    clear_url_caches()


def test_without_outlets_a_client_catches_up_by_asking(
    configured: Callable[..., None], api: Api, ann: Profile, den: Room
) -> None:
    configured(OUTLETS=[])
    api(ann).post(f"/api/rooms/{den.pk}/messages/", {"text": "Tea?"})
    found = api(ann).post("/api/sync/", {"rooms": {str(den.pk): 0}}, format="json")
    assert found.status_code == 200
    assert "Tea?" in found.content.decode()
