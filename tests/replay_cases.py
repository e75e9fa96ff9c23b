"""For each verb of the domain one way to use it in the house of ``replay_house``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from django.contrib.auth import get_user_model

from chat.actions import (
    accounts,
    bans,
    devices,
    imports,
    members,
    messages,
    moderation,
    people,
    reads,
    rooms,
    sending,
)
from chat.errors import Unauthenticated
from tests.replay_house import House
from tests.scene import moderator, own_log, say

FAR = datetime(2999, 1, 1, tzinfo=UTC)
PAST = datetime(1999, 1, 1, tzinfo=UTC)


Case = Callable[[House], object]
CASES: dict[str, tuple[str, Case]] = {}


def case(verb: str, story: str = "") -> Callable[[Case], Case]:
    """Enter a case under the verb that it is about."""

    def enter(run: Case) -> Case:
        CASES[f"{verb}: {story}" if story else verb] = (verb, run)
        return run

    return enter


def simply(verb: str, story: str, run: Case) -> None:
    case(verb, story)(run)


simply(
    "join_room", "late to a room with a hidden past", lambda h: members.join_room(h.eve, h.hall.pk)
)
simply("join_room", "again after removal", lambda h: members.join_room(h.dan, h.hall.pk))
simply("join_room", "already in", lambda h: members.join_room(h.bob, h.hall.pk))
simply("add_member", "a private room", lambda h: members.add_member(h.ann, h.den.pk, h.cat.pk))
simply("leave_room", "for good", lambda h: members.leave_room(h.bob, h.hall.pk))
simply("remove_member", "", lambda h: members.remove_member(h.bob, h.hall.pk, h.cat.pk))
simply("ban_member", "a member", lambda h: bans.ban_member(h.bob, h.hall.pk, h.cat.pk, "Noise."))
simply(
    "ban_member",
    "one who was put out before",
    lambda h: bans.ban_member(h.bob, h.hall.pk, h.dan.pk),
)
simply("change_role", "", lambda h: members.change_role(h.ann, h.hall.pk, h.cat.pk, "admin"))
simply("mute_member", "", lambda h: members.mute_member(h.bob, h.hall.pk, h.cat.pk, FAR))
BOTH = {"role": "moderator", "muted_until": FAR}
simply("change_member", "", lambda h: members.change_member(h.ann, h.hall.pk, h.cat.pk, BOTH))

simply(
    "edit_message",
    "quoted, hidden from cat",
    lambda h: messages.edit_message(h.ann, h.first.pk, "So."),
)
simply(
    "edit_message",
    "one that quotes",
    lambda h: messages.edit_message(h.bob, h.late.pk, "So. " * 200),
)
simply(
    "edit_message", "same words", lambda h: messages.edit_message(h.ann, h.first.pk, h.first.text)
)
simply(
    "delete_message",
    "quoted, hidden from cat",
    lambda h: messages.delete_message(h.ann, h.first.pk),
)
simply("delete_message", "quoted, seen by all", lambda h: messages.delete_message(h.bob, h.late.pk))
simply("pin_message", "hidden from cat", lambda h: messages.pin_message(h.bob, h.first.pk))

simply("send_message", "", lambda h: say(h.cat, h.hall, "News."))
simply(
    "send_message",
    "quoting what cat may not see",
    lambda h: say(h.ann, h.hall, "Yes.", reply_to=h.first.pk),
)
simply("send_message", "to oneself", lambda h: say(h.ann, own_log(h.ann), "A note."))

simply("open_direct", "new", lambda h: rooms.open_direct(h.eve, h.ann.pk))
simply("open_direct", "there already", lambda h: rooms.open_direct(h.bob, h.ann.pk))
simply("delete_room", "", lambda h: rooms.delete_room(h.ann, h.hall.pk))
simply("keep_room", "", lambda h: rooms.keep_room(h.cat, h.hall.pk, notify="none", pinned=True))
simply(
    "update_profile", "the name", lambda h: people.update_profile(h.cat, display_name="Catherine")
)
simply(
    "update_profile", "who may write", lambda h: people.update_profile(h.cat, direct_from="nobody")
)
simply("update_profile", "who may add", lambda h: people.update_profile(h.cat, groups_from="rooms"))
simply("end_person", "a member who wrote", lambda h: accounts.end_person(h.cat))
simply("end_person", "one in a direct room", lambda h: accounts.end_person(h.bob))
simply("end_person", "the only owner", lambda h: accounts.end_person(h.ann))
simply("mark_read", "", lambda h: reads.mark_read(h.cat, h.hall.pk, h.late.seq))
simply("mark_unread", "", lambda h: reads.mark_unread(h.cat, h.hall.pk, h.late.seq))
simply("add_person", "", lambda h: people.add_person(username="fay"))
simply("profile_for", "", lambda h: people.profile_for(get_user_model().objects.create_user("gus")))
simply(
    "register_person",
    "",
    lambda h: people.register_person(username="hal", password="a long walk home"),
)


@case("pin_message", "edited, and then deleted")
def _pin_to_the_end(house: House) -> None:
    message = say(house.cat, house.hall, "Remember this.")
    messages.pin_message(house.bob, message.pk)
    messages.edit_message(house.cat, message.pk, "Remember that.")
    messages.delete_message(house.cat, message.pk)


@case("unpin_message", "each twice")
def _unpin(house: House) -> None:
    message = say(house.bob, house.pair, "Remember this.")
    for verb in (messages.pin_message, messages.unpin_message):
        verb(house.ann, message.pk)
        verb(house.bob, message.pk)


@case("leave_room", "and back, past hidden")
def _and_back(house: House) -> None:
    members.leave_room(house.bob, house.hall.pk)
    say(house.ann, house.hall, "Is bob gone?")
    members.join_room(house.bob, house.hall.pk)


@case("add_member", "and out again at once")
def _in_and_out(house: House) -> None:
    members.add_member(house.ann, house.den.pk, house.cat.pk, "moderator")
    members.remove_member(house.ann, house.den.pk, house.cat.pk)


@case("unban_member", "and back, past hidden")
def _forgiven(house: House) -> None:
    for _ in range(2):
        bans.ban_member(house.bob, house.hall.pk, house.cat.pk)
        say(house.ann, house.hall, "Is cat gone?")
        bans.unban_member(house.ann, house.hall.pk, house.cat.pk)
    members.join_room(house.cat, house.hall.pk)


@case("send_messages")
def _batch(house: House) -> None:
    first = sending.Draft(house.cat, house.hall.pk, "First.")
    answer = sending.Draft(house.bob, house.hall.pk, "Second.", reply_to=first.id)
    refused = sending.Draft(house.dan, house.hall.pk, "Let me in.")
    elsewhere = sending.Draft(house.ann, house.den.pk, "Meanwhile.")
    sending.send_messages([first, answer, refused, elsewhere, first])


@case("create_group")
def _create(house: House) -> None:
    one = {"id": uuid4(), "title": "Attic", "visibility": "private", "members": [house.cat.pk]}
    rooms.create_group(house.ann, **one)
    rooms.create_group(house.ann, **one)


@case("update_room", "more than once")
def _update(house: House) -> None:
    rooms.update_room(house.ann, house.hall.pk, title="Great Hall", topic="Everything.")
    say(house.cat, house.hall, "A better name.")
    rooms.update_room(house.ann, house.hall.pk, title="Hall", frozen=True, slow_mode=30)


@case("open_import_room", "and lines into it")
def _import(house: House) -> None:
    room, _ = imports.open_import_room("irc", "Old", visibility="private", owner=house.bob)
    again, _ = imports.open_import_room("irc", "Old", visibility="private", owner=house.bob)
    speakers = [imports.Speaker(f"irc:{name}", name, name) for name in ("kim", "lee")]
    first, second, notice = (uuid4() for _ in range(3))
    lines = [
        imports.Line(first, PAST, "Anyone here?", speakers[0]),
        imports.Line(second, PAST, "I am.", speakers[1], reply_to=first),
        imports.Line(notice, PAST, "kim has left"),
    ]
    imports.import_lines(room.pk, lines[:2])
    imports.import_lines(again.pk, lines)


@case("import_lines", "into a room with people in it")
def _import_here(house: House) -> None:
    speaker = imports.Speaker("irc:kim", "kim", "Kim")
    imports.import_lines(house.den.pk, [imports.Line(uuid4(), PAST, "Hello.", speaker)])


@case("end_devices")
def _end_devices(house: House) -> None:
    devices.end_devices(house.ann, [house.phone.pk])


@case("end_outdated")
def _end_outdated(house: House) -> None:
    devices.end_outdated([house.ann.pk])


@case("renew_device", "with a token that was followed already")
def _reuse(house: House) -> None:
    devices.renew_device(house.phone.pk, old_jti="phone", new_jti="next")
    with suppress(Unauthenticated):
        devices.renew_device(house.phone.pk, old_jti="phone", new_jti="other")


@case("moderate_delete_message", "hidden from cat, and one between two")
def _moderate_messages(house: House) -> None:
    staff, whisper = moderator(), say(house.bob, house.pair, "Or else.")
    for message in (house.first, house.first, whisper):
        moderation.moderate_delete_message(staff, message.pk, "A threat.")


@case("moderate_remove_member", "and back")
def _moderate_member(house: House) -> None:
    moderation.moderate_remove_member(moderator(), house.hall.pk, house.cat.pk, "Noise.")
    members.join_room(house.cat, house.hall.pk)


simply(
    "moderate_ban_member",
    "a room's moderator",
    lambda h: moderation.moderate_ban_member(moderator(), h.hall.pk, h.bob.pk, "Noise."),
)


@case("moderate_unban_member", "and back, and a stranger")
def _moderate_bans(house: House) -> None:
    staff = moderator()
    for one in (house.cat, house.eve):
        moderation.moderate_ban_member(staff, house.hall.pk, one.pk, "Noise.")
        moderation.moderate_unban_member(staff, house.hall.pk, one.pk, "It is over.")
    members.join_room(house.cat, house.hall.pk)


simply(
    "moderate_change_role",
    "",
    lambda h: moderation.moderate_change_role(moderator(), h.hall.pk, h.bob.pk, "owner", "Asked."),
)
simply(
    "moderate_end_devices",
    "",
    lambda h: moderation.moderate_end_devices(moderator(), h.ann.pk, "Stolen."),
)


simply("suspend", "", lambda h: moderation.suspend(moderator(), h.cat, "Threats.", FAR))


@case("lift_suspension")
def _lift_suspension(house: House) -> None:
    staff = moderator()
    moderation.suspend(staff, house.cat, "Threats.")
    moderation.lift_suspension(staff, house.cat, "It was another person.")


@case("moderate_freeze_room", "and let go again")
def _moderate_room(house: House) -> None:
    staff = moderator()
    moderation.moderate_freeze_room(staff, house.hall.pk, "A brawl.")
    moderation.moderate_freeze_room(staff, house.hall.pk, "It is over.", frozen=False)
