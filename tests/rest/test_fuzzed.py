"""What the document allows, and what it does not, in any mixture: answered as the document says, and never by a 500."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chat.actions.devices import open_device
from chat.actions.messages import pin_message
from chat.models import Profile, Room
from chat.rest.auth.tokens import issue
from tests.documents import REST
from tests.scene import say, undone
from tests.thorough import examples

pytestmark = pytest.mark.django_db

# Cases for each operation, by who asks: ann is in the rooms, cat is not.
EXAMPLES = {"nobody": examples(2, 12), "ann": examples(8, 50), "cat": examples(6, 40)}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
API = schemathesis.openapi.from_dict(deepcopy(REST))
API.app = get_wsgi_application()
OPERATIONS = {one.ok().label: one.ok() for one in API.get_all_operations()}
# Which names, in a path or a body, are of which of the things that are there.
KINDS = {"reply_to": "message", "members": "user", "id": "message"}


@pytest.fixture
def there(ann: Profile, bob: Profile, group: Room, den: Room, pair: Room) -> dict[str, list[str]]:
    """Ids of what ann has; bob is in it too, or was."""
    said = [say(one, room) for room in (group, den, pair) for one in (ann, bob)]
    pin_message(ann, said[0].pk)
    device = open_device(ann, ann.user, name="phone", refresh_jti="x", sid=uuid4())
    found = {
        "room": [group, den, pair],
        "message": said,
        "user": [ann, bob],
        "device": [device],
    }
    return {kind: [str(one.pk) for one in things] for kind, things in found.items()}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection that the test's transaction is in, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def token(person: Profile) -> str:
    """An access token of a new device."""
    sid = uuid4()
    pair = issue(sid)
    open_device(person, person.user, name="fuzz", refresh_jti=pair.refresh_jti, sid=sid)
    return pair.access


def at_something(case: Any, data: st.DataObject, there: dict[str, list[str]]) -> None:
    """Mostly put ids of what is there in the place of made-up ones."""
    for part in (case.path_parameters, case.body):
        if not isinstance(part, dict):
            continue
        for name, value in part.items():
            kind = KINDS.get(name, name)
            if kind in there and data.draw(st.integers(0, 4)):
                chosen = data.draw(st.sampled_from(there[kind]))
                part[name] = [chosen] if isinstance(value, list) else chosen


@pytest.mark.parametrize("who", EXAMPLES)
@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_asked_is_answered_as_documented(
    request: pytest.FixtureRequest,
    configured: Callable[..., None],
    there: dict[str, list[str]],
    label: str,
    who: str,
) -> None:
    configured(LIMIT_ADDRESS="100000/second", LIMIT_ACCOUNT="100000/second")
    configured(LIMIT_REFRESH="100000/second")
    person = None if who == "nobody" else request.getfixturevalue(who)
    headers = {"Authorization": f"Bearer {token(person)}"} if person else {}
    operation = OPERATIONS[label]
    cases = st.one_of(operation.as_strategy(), operation.as_strategy(GenerationMode.NEGATIVE))

    @hypothesis_settings(
        max_examples=EXAMPLES[who],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        at_something(case, data, there)
        case.headers = {**(case.headers or {}), **headers}
        with undone():
            answer = case.call(base_url="http://testserver")
        case.validate_response(answer, checks=CHECKS)

    ask()
