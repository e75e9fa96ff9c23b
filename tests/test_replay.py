"""Replaying a log equals reading anew: for every verb, whoever acts and whoever looks."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from copy import deepcopy

import pytest

import chat.actions
from chat.actions.messages import delete_message, edit_message
from chat.models import Profile, Room
from chat.queries.epoch import current_epoch
from chat.queries.log import missed, sync
from tests.replay_cases import CASES
from tests.replay_house import House
from tests.replica import Replica, differences

pytestmark = pytest.mark.django_db

# Verbs that no log tells of, and why.
UNTOLD = {
    "one_by_one": "a way to send what a batch could not, not a verb",
    "handle_from": "a reading of a name, not a verb",
    "profile_of_account": "a reading of the account, not a verb",
    "make_ticket": "a sign-in of one socket, which no log tells",
    "use_ticket": "as make_ticket",
    "open_device": "a sign-in is the device's own; the others see it where they look next",
    "renew_epoch": "it voids every cursor: clients are told `reset` and read all anew",
    "note_message_read": "it changes nothing that anyone in a room sees",
    "end_fallen": "end_outdated, for whichever accounts are found changed",
    "touch_device": "when a device was last seen is read where devices are listed",
    "touch_devices": "the same of many",
    "account_deleted": "the signal that leads to end_person",
    "end_account": "end_person, by the key of the account",
    "end_missing": "end_person, for whoever has no account any more",
}
# What the verbs share, and no verb itself.
SHARED = {"changes", "consent", "group_commit", "handles", "locks", "own_logs"}
SHARED |= {"registering", "texts", "transactions"}


@pytest.fixture
def house(furnished: House, db: None) -> House:
    return deepcopy(furnished)


@pytest.fixture(scope="module")
def clients(furnished: House) -> list[Replica]:
    """Return what each viewer's client holds at first: one that reads all at once, one page by page."""
    epoch = current_epoch()
    first = [Replica(viewer, epoch) for viewer in furnished.viewers]
    paged = deepcopy(first)
    for replica in paged:
        replica.page = 2
    return [*first, *paged]


@pytest.mark.parametrize("name", CASES)
def test_replay_equals_reading_anew(house: House, clients: list[Replica], name: str) -> None:
    held = deepcopy(clients)

    CASES[name][1](house)

    fresh = {
        viewer.pk: Replica(Profile.objects.get(pk=viewer.pk), held[0].epoch).state()
        for viewer in house.viewers
    }
    for replica in held:
        replica.catch_up()
        if CASES[name][0] != "update_profile" or replica.viewer == house.cat:
            # cat alone is told of cat's profile; others see it where they look next.
            assert not differences(replica.state(), fresh[replica.viewer.pk])


def test_a_client_from_nothing_arrives_at_the_same(house: House) -> None:
    """From cursor 0 the log alone gives what a member of the first hour reads."""
    fresh = Replica(house.bob, current_epoch())
    empty = Replica(house.bob, fresh.epoch, page=3)
    for held in empty.rooms.values():
        held["room"] = {**deepcopy(held["room"]), "head": 0, "title": "", "last_message": None}
        held["members"], held["messages"] = {}, {}
    empty.catch_up()
    assert not differences(empty.state(), fresh.state())


def test_a_repair_shows_nobody_more_than_their_log(house: House) -> None:
    edit_message(house.bob, house.late.pk, "Now in other words.")
    delete_message(house.ann, house.first.pk)
    repaired = missed(dict.fromkeys(map(str, Room.objects.values_list("pk", flat=True)), 0), 999)
    for viewer in house.viewers:
        logs = _logs(viewer)
        places = {str(member.room_id): member for member in viewer.memberships.all()}
        for item in repaired:
            if member := places.get(item.room):
                told = json.loads(item.text_for(member.history_from))
                assert not differences(told, logs[item.room, item.seq], f"{viewer} {item.type}")


def _logs(viewer: Profile) -> dict[tuple[str, int], object]:
    cursors = {member.room_id: 0 for member in viewer.memberships.all()}
    found = sync(viewer, current_epoch(), cursors, limit=999).rooms
    return {(room, event["seq"]): event for room, log in found.items() for event in log.events}


def test_every_verb_has_a_case() -> None:
    named = {verb for verb, _ in CASES.values()}
    verbs = _verbs()
    assert named | set(UNTOLD) == verbs
    assert not named & set(UNTOLD)


def _verbs() -> set[str]:
    found: set[str] = set()
    for module in pkgutil.iter_modules(chat.actions.__path__):
        if module.name not in SHARED:
            loaded = importlib.import_module(f"chat.actions.{module.name}")
            found |= {
                name
                for name, value in vars(loaded).items()
                if inspect.isfunction(value)
                and value.__module__ == loaded.__name__
                and not name.startswith("_")
            }
    return found
