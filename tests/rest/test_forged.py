"""Every body there is, with fields that are nobody's to set, and with texts that no database takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from chat.conf import chat_settings
from chat.serializers.names import known_names
from tests import access_table as table
from tests.access_scene import Scene, stored
from tests.access_table import Row
from tests.documents import REST, found
from tests.scene import undone
from tests.test_access_matrix import filled, operation

pytestmark = pytest.mark.django_db

NOWHERE = "00000000-0000-7000-8000-000000000000"

# Mass assignment. What is nobody's to say, in every body there is.

FORGED: dict[str, Any] = {
    "id": NOWHERE,
    "pk": NOWHERE,
    "sender": NOWHERE,
    "sender_id": NOWHERE,
    "user_id": NOWHERE,
    "room_id": NOWHERE,
    "room": NOWHERE,
    "user": NOWHERE,
    "created_by": NOWHERE,
    "created_by_id": NOWHERE,
    "seq": 1,
    "head": 0,
    "version": 9_000,
    "kind": "system",
    "key": "self:x",
    "digest": "x",
    "members_count": 9_000,
    "history_floor": 9_000,
    "history_from": 9_000,
    "read_seq": 9_000,
    "role": "owner",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "username": "root",
    "email": "root@example.org",
    "password": "x",
    "auth_hash": "x",
    "edited_at": "1999-01-01T00:00:00Z",
    "edited_by": NOWHERE,
    "deleted_at": "1999-01-01T00:00:00Z",
    "created_at": "1999-01-01T00:00:00Z",
    "active_at": "1999-01-01T00:00:00Z",
    "joined_at": "1999-01-01T00:00:00Z",
    "pinned_at": "1999-01-01T00:00:00Z",
    "sent_at": "1999-01-01T00:00:00Z",
    "source_key": "irc:x",
    "frozen": True,
    "reactions": ["x"],
    "mentions": [NOWHERE],
    "thread": NOWHERE,
}
# One row of each operation that reads a body, which its owner may do.
WRITTEN = {
    operation(row): row
    for row in table.REST
    if row.body and row.cells("public" if row.public else "anywhere")["owner"] < 300
}
# What is different each time: moments, the ids of new rows, the hash of a password.
MOMENT = re.compile(r"datetime\.datetime\(20[^)]*\)\)?|20\d\d-\d\d-\d\dT[\d:.]+Z")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
HASH = re.compile(r"md5\$[^']*")


def fields_of(name: str) -> dict[str, Any]:
    """The fields that an operation reads, by the document."""
    method, path = name.split(" ")
    body = REST["paths"][path][method.lower()]["requestBody"]
    schema = found(body["content"]["application/json"]["schema"], REST)
    fields: dict[str, Any] = schema["properties"]
    return fields


def settled(known: str) -> list[str]:
    """All that is stored, but for what is different each time."""
    rows = [f"{name} {lasting(row)}" for name, every in stored().items() for row in every]
    plain = (HASH.sub("hash", MOMENT.sub("moment", row)) for row in rows)
    return sorted(ID.sub(lambda one: one[0] if one[0] in known else "new", row) for row in plain)


def lasting(row: dict[str, Any]) -> dict[str, Any]:
    """A row without digests, and without numbers that a sequence gives out."""
    return {
        name: value
        for name, value in row.items()
        if not isinstance(value, (bytes, memoryview))
        and not (name.endswith("id") and isinstance(value, int))
    }


@pytest.mark.parametrize("name", WRITTEN)
def test_a_field_that_is_nobodys_to_set_sets_nothing(house: tuple[Scene, Any], name: str) -> None:
    row, (scene, before) = WRITTEN[name], house
    ask = asking(scene, row)
    forged = {field: value for field, value in FORGED.items() if field not in known_names()}
    assert len(forged) > 10
    after = []
    for more in ({}, forged):
        with undone():
            status = ask({**more, **row.body})
            assert status < 300
            after.append(settled(str(before) + NOWHERE))
    assert set(after[0]) ^ set(after[1]) == set()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_field_of_other_requests_is_refused(house: tuple[Scene, Any], name: str) -> None:
    row, (scene, _) = WRITTEN[name], house
    ask = asking(scene, row)
    before = stored()
    for field in FORGED.keys() & known_names() - fields_of(name).keys():
        assert ask({field: FORGED[field], **row.body}) == 400, field
    assert stored() == before


def asking(scene: Scene, row: Row) -> Any:
    """What the owner is answered to a body; with names in the place of what stands in braces."""
    names = scene.names("owner", "public" if row.public else "anywhere")
    client = APIClient()
    client.force_authenticate(scene.people["owner"].user)
    method, path = filled(row.operation, names).split(" ")

    def ask(body: Any) -> int:
        text = json.dumps(filled(body, names))
        return int(client.generic(method, path, text, "application/json").status_code)

    return ask


# Every text of every body: what no database takes, and the unit that lengths are counted in.


def texts() -> Iterator[tuple[Row, str, int | None]]:
    for name, row in WRITTEN.items():
        for field, schema in fields_of(name).items():
            if "string" in schema.get("type", ()) and not {"format", "enum"} & schema.keys():
                yield row, field, schema.get("maxLength")


@pytest.mark.parametrize(
    ("row", "name", "most"), list(texts()), ids=lambda one: getattr(one, "operation", str(one))
)
def test_every_text_is_storable_and_counted_in_characters(
    house: tuple[Scene, Any], row: Row, name: str, most: int | None
) -> None:
    ask = asking(house[0], row)

    def said(text: str) -> int:
        with undone():
            return int(ask({**row.body, name: text}))

    for unstorable in ("\x00", "a\x00b", "\ud800", "\udfff\ud800"):
        assert said(unstorable) == 400, repr(unstorable)
    if name in {"username", "password", "email", "role"}:
        # Their letters are the host's to choose.
        return
    longest = most or chat_settings.TEXT_MAX
    assert said("\U0001f600" * longest) < 300
    assert said("\U0001f600" * longest + "x") == 400
