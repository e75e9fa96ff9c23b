"""Every operation has a text of its own, and the documents and the browsable API show the same one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from chat.models import Profile, Room
from tests.documents import REST
from tests.scene import say

pytestmark = pytest.mark.once

OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in REST["paths"].items()
    for method, operation in methods.items()
}
# The verbs that operations begin with. A new verb is added here once it is known to be one.
VERBS = {
    "Add",
    "Ban",
    "Change",
    "Create",
    "Delete",
    "Edit",
    "Exchange",
    "Find",
    "Join",
    "Leave",
    "Lift",
    "List",
    "Make",
    "Mark",
    "Open",
    "Pin",
    "Remove",
    "Return",
    "Send",
    "Set",
    "Sign",
    "Unpin",
}
WORDS_MAX = 25


def test_no_two_operations_share_a_text() -> None:
    for key in ("summary", "description", "operationId"):
        texts = [operation[key] for operation in OPERATIONS.values()]
        assert sorted({text for text in texts if texts.count(text) > 1}) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_description_is_plain_and_begins_with_a_verb(name: str) -> None:
    operation = OPERATIONS[name]
    description = operation["description"]
    assert description.split()[0] in VERBS
    assert description.startswith(operation["summary"].split(",")[0])
    for sentence in re.split(r"(?<=[.:])\s+", description):
        assert len(sentence.split()) <= WORDS_MAX, sentence
        assert sentence[-1] in ".:", sentence


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described(name: str) -> None:
    parameters = OPERATIONS[name].get("parameters", ())
    assert [one["name"] for one in parameters if not one.get("description")] == []


@pytest.fixture
def names(ann: Profile, bob: Profile, group: Room) -> dict[str, Any]:
    return {"room": group.pk, "user": bob.pk, "message": say(ann, group).pk, "device": ann.pk}


# Documents have no pages: they are JSON alone.
PAGES = sorted(path for path in REST["paths"] if path not in {"/api/schema/", "/api/asyncapi/"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_shows_the_text_of_each_operation(
    client: Client, ann: Profile, names: dict[str, Any], path: str
) -> None:
    client.force_login(ann.user)
    page = client.get(path.format(**names), headers={"accept": "text/html"}).content.decode()
    shown = _plain(strip_tags(page))
    for operation in REST["paths"][path].values():
        for paragraph in operation["description"].replace("`", "").split("\n\n"):
            assert _plain(paragraph) in shown


def _plain(text: str) -> str:
    return " ".join(text.replace("&#x27;", "'").replace("&quot;", '"').split())


@pytest.mark.django_db
def test_every_page_has_a_heading_of_its_own(
    client: Client, ann: Profile, names: dict[str, Any]
) -> None:
    client.force_login(ann.user)
    headings = []
    for path in PAGES:
        page = client.get(path.format(**names), headers={"accept": "text/html"}).content.decode()
        headings += re.findall("<h1>(.*?)</h1>", page)
    assert len(headings) == len(PAGES)
    assert len(set(headings)) == len(PAGES), sorted(headings)
    assert "Parley" not in headings
