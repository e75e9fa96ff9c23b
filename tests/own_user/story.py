"""Run by test_own_user_model.py in a process of its own: the same house on another user model; prints what it saw."""

from __future__ import annotations

import json
import sys

import django
from django.core.management import call_command

PASSWORD = "a long walk home"
ADDRESS = "dora.day@secret.example.org"


def refusal(**fields: str) -> str:
    from chat.actions.people import register_person
    from chat.errors import Conflict, Invalid

    try:
        register_person(password=PASSWORD, **fields)
    except (Conflict, Invalid) as error:
        return f"{error.code}: {', '.join(error.fields or {})}"
    return "none"


def story() -> dict[str, object]:
    from django.contrib.auth import get_user_model

    from chat.actions.people import profile_for, register_person
    from chat.actions.rooms import create_group, open_direct
    from chat.actions.sending import Draft, send_message
    from chat.models import Message, Profile
    from chat.queries.grounds import auth_hash_of
    from chat.queries.people import person_of_account
    from chat.queries.rooms import inbox, views
    from chat.serializers.rooms import room_shape

    accounts = get_user_model().objects
    dora = register_person(username="dora", password=PASSWORD, email="dora@example.org")
    seen = profile_for(accounts.create_user(ADDRESS, PASSWORD))
    room, _ = create_group(dora, title="Group", visibility="public", members=[seen.pk])
    open_direct(seen, dora.pk)
    message = send_message(Draft(seen, room.pk, "Hello.")).message
    account = seen.user
    found = {
        "key": type(account.pk).__name__,
        "handle": seen.username,
        "registered": dora.username,
        "signs in": accounts.get(email="dora@example.org").check_password(PASSWORD),
        "found by account": person_of_account(account.pk) == seen,
        "same again": profile_for(account) == seen,
        "has a hash": bool(auth_hash_of(account)),
        "without address": refusal(username="eve"),
        "address taken": refusal(username="eve", email="Dora@example.org"),
        "both taken": refusal(username="Dora", email="dora@example.org"),
        "nameless": register_person(password=PASSWORD, email="fay@example.org").username,
        "name taken": refusal(username="Dora", email="other@example.org"),
        "shown": json.dumps([room_shape(view) for view in views(dora, list(inbox(dora)))]),
    }
    account.delete()
    kept = Profile.objects.get(pk=seen.pk)
    return {
        **found,
        "account after": kept.user_id,
        "sender after": str(Message.objects.get(pk=message.pk).sender_id),
        "profile": str(kept.pk),
        "people": Profile.objects.count(),
    }


if __name__ == "__main__":
    django.setup()
    call_command("check", fail_level="WARNING")
    call_command("migrate", verbosity=0)
    json.dump(story(), sys.stdout)
