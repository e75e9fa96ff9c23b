"""A deleted account: nameless at once, out of reach, gone from lists; its rooms go on with somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, connections, router, transaction
from django.db.models.signals import pre_delete
from django.utils import timezone

from chat.actions.accounts import account_deleted, end_person
from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.imports import Speaker
from chat.actions.members import add_member, join_room
from chat.actions.messages import edit_message
from chat.actions.people import add_person, profile_for, register_person, update_profile
from chat.actions.rooms import create_group, open_direct
from chat.errors import Conflict, Forbidden
from chat.events import database
from chat.models import Device, Membership, Profile, Room
from chat.queries.messages import history
from chat.queries.people import find_people, person_by_handle
from chat.queries.rooms import inbox, members, views
from chat.serializers.people import UserSerializer
from chat.serializers.rooms import room_shape
from tests.conftest import Heard
from tests.scene import logged, say

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long walk home"
User = get_user_model()
GONE = {"username": "", "display_name": "", "avatar_url": None, "deleted": True}


@pytest.fixture
def dora(db: None) -> Profile:
    """A person with an account, a name and a picture."""
    dora = register_person(username="dora", password=PASSWORD)
    Profile.objects.filter(pk=dora.pk).update(
        display_name="Dora Day", avatar_url="https://example.org/d.png"
    )
    return Profile.objects.get(pk=dora.pk)


def delete(person: Profile) -> None:
    """Delete the account as a host does, and look at the person anew."""
    User.objects.get(pk=person.user_id).delete()
    person.refresh_from_db()


def shown(person: Profile) -> dict[str, Any]:
    return {"id": str(person.pk), **GONE}


def test_a_deleted_account_has_no_name_and_no_picture(dora: Profile) -> None:
    delete(dora)
    assert UserSerializer().to_representation(dora) == shown(dora)
    assert (dora.user_id, dora.display_name, dora.avatar_url) == (None, "", "")
    assert str(dora) == "Deleted account"


def test_what_they_wrote_stays_and_names_nobody(dora: Profile, ann: Profile, group: Room) -> None:
    join_room(dora, group.pk)
    said = say(dora, group, "Still true.")
    say(ann, group, "Yes.", reply_to=said.pk)
    delete(dora)
    first, answer = history(ann, group.pk, limit=2).messages
    assert first.sender
    assert answer.reply_to
    assert answer.reply_to.sender
    for sender in (first.sender, answer.reply_to.sender):
        assert UserSerializer().to_representation(sender) == shown(dora)
    assert first.text == "Still true."


def test_a_person_without_an_account_is_not_a_deleted_one(ann: Profile) -> None:
    imported = add_person(username="kim", source_key=Speaker("irc:kim", "kim", "Kim").source_key)
    for one in (imported, ann):
        assert not UserSerializer().to_representation(one)["deleted"]
    assert set(find_people()) == {ann, imported}


def test_they_are_found_and_added_no_more(ann: Profile, dora: Profile, den: Room) -> None:
    delete(dora)
    assert dora not in find_people()
    assert dora not in find_people("dora")
    assert person_by_handle("dora") is None
    with pytest.raises(Forbidden):
        open_direct(ann, dora.pk)
    with pytest.raises(Forbidden) as refusal:
        add_member(ann, den.pk, dora.pk)
    assert set((refusal.value.fields or {})["members"]) == {str(dora.pk)}
    with pytest.raises(Forbidden):
        create_group(ann, title="New", visibility="public", members=[dora.pk], ask_consent=False)
    assert not Room.objects.filter(title="New").exists()


def test_their_conversations_stay_and_can_only_be_read(ann: Profile, dora: Profile) -> None:
    room, _ = open_direct(ann, dora.pk)
    mine, theirs = say(ann, room, "Hello?"), say(dora, room, "Bye.")
    delete(dora)
    with pytest.raises(Forbidden, match=r"^This person cannot be messaged\.$"):
        say(ann, room)
    with pytest.raises(Forbidden, match=r"^This person cannot be messaged\.$") as refusal:
        edit_message(ann, mine.pk, "Otherwise.")
    assert refusal.value.reason == "policy"
    assert history(ann, room.pk, limit=9).messages[-1] == theirs
    (view,) = (one for one in views(ann, list(inbox(ann))) if one.room == room)
    shape = room_shape(view)
    assert (shape["peer"], shape["frozen"]) == (shown(dora), True)
    assert [one.user for one in members(ann, room.pk)] == [ann, dora]
    assert open_direct(ann, dora.pk) == (room, False)
    assert not inbox(ann, search="dora").exists()
    assert not members(ann, room.pk, search="dora").exists()


def test_the_rooms_are_told(dora: Profile, ann: Profile, group: Room, heard: Heard) -> None:
    join_room(dora, group.pk)
    room, _ = open_direct(ann, dora.pk)
    told = {one.room: one for one in heard.of(delete, dora) if one.type.startswith(("r", "m"))}
    left, frozen = (json.loads(told[str(one.pk)].text) for one in (group, room))
    assert (left["type"], left["membership"]["user"]) == ("member.left", shown(dora))
    assert (left["actor"], left["members_count"]) == (shown(dora), 2)
    assert (frozen["type"], frozen["actor"]) == ("room.updated", shown(dora))
    assert frozen["snapshot"]["frozen"]
    assert logged(group)[-1] == "member.left"


def test_their_devices_end(dora: Profile) -> None:
    device = open_device(dora, dora.user, name="phone", refresh_jti="one", sid=dora.pk)
    delete(dora)
    assert Device.objects.get(pk=device.pk).ended_at


def test_a_handle_is_held_for_a_while_and_then_free(
    dora: Profile, configured: Callable[..., None]
) -> None:
    delete(dora)
    with pytest.raises(Conflict):
        register_person(username="Dora", password=PASSWORD)
    assert add_person(username="dora").username.startswith("dora-")
    late = timezone.now() - timedelta(days=30, seconds=1)
    Profile.objects.filter(pk=dora.pk).update(deleted_at=late)
    new = register_person(username="Dora", password=PASSWORD)
    dora.refresh_from_db()
    assert (new.username, person_by_handle("dora")) == ("Dora", new)
    assert dora.username == f"deleted-{dora.pk.hex}"


def test_a_request_that_was_under_way_changes_nothing(
    dora: Profile, group: Room, ann: Profile
) -> None:
    """The person that it holds was read before the account went."""
    stale = Profile.objects.get(pk=dora.pk)
    delete(dora)
    for verb in (
        lambda: update_profile(stale, display_name="Dora"),
        lambda: join_room(stale, group.pk),
        lambda: create_group(stale, title="New", visibility="public"),
        lambda: open_direct(stale, ann.pk),
    ):
        with pytest.raises(Forbidden):
            verb()
    assert Profile.objects.get(pk=dora.pk).display_name == ""


def test_ending_twice_is_ending_once(dora: Profile, heard: Heard) -> None:
    delete(dora)
    assert heard.of(end_person, dora) == []


def test_one_who_is_banned_or_never_seen_can_be_deleted(
    dora: Profile, ann: Profile, group: Room
) -> None:
    ban_member(ann, group.pk, dora.pk)
    delete(dora)
    User.objects.create_user("eve").delete()
    assert Profile.objects.filter(deleted_at__isnull=False).count() == 1


def test_many_accounts_may_be_deleted_at_once(ann: Profile) -> None:
    people = [register_person(username=f"x{number}", password=PASSWORD) for number in range(3)]
    room, _ = create_group(ann, title="R", visibility="public", members=[p.pk for p in people])
    User.objects.all().delete()
    assert Profile.objects.filter(deleted_at__isnull=False).count() == len(people)
    assert [one.user for one in Membership.objects.filter(room=room)] == [ann]


def test_every_model_of_an_account_tells_of_its_end() -> None:
    """A proxy of the user model sends the signal under its own name."""
    models = [model for model in apps.get_models() if issubclass(model, User)]
    assert models
    assert all(account_deleted in pre_delete._live_receivers(model)[0] for model in models)


def test_a_deletion_that_is_rolled_back_ends_nobody(dora: Profile, group: Room) -> None:
    join_room(dora, group.pk)
    before = logged(group)
    with transaction.atomic(using=router.db_for_write(User)):
        User.objects.get(pk=dora.user_id).delete()
        transaction.set_rollback(True, using=router.db_for_write(User))
    again = Profile.objects.get(pk=dora.pk)
    assert (again.deleted_at, again.user_id) == (None, dora.user_id)
    assert logged(group) == before
    assert profile_for(again.user) == dora


def test_an_account_that_went_unseen_is_found(dora: Profile, ann: Profile, group: Room) -> None:
    join_room(dora, group.pk)
    User.objects.filter(pk=dora.user_id)._raw_delete(using=router.db_for_write(User))
    said: list[str] = []

    class Out:
        def write(self, text: str) -> None:
            said.append(text)

    for _ in range(2):
        call_command("chat_accounts", stdout=Out())
    dora.refresh_from_db()
    assert dora.deleted_at
    assert "".join(said).split("\n") == ["1 people ended.", "0 people ended.", ""]
    assert not Membership.objects.filter(room=group, user=dora).exists()
    ann.refresh_from_db()
    assert ann.deleted_at is None


def test_a_deleted_account_has_no_key(dora: Profile) -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(using=database()),
        connections[database()].cursor() as cursor,
    ):
        cursor.execute("UPDATE chat_profile SET deleted_at = created_at")
