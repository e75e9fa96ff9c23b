"""Conversation from elsewhere comes in once, in its order and with its own times, however often it is brought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from chat.actions.imports import Imported, Line, Speaker, import_lines, open_import_room
from chat.actions.rooms import delete_room
from chat.errors import NotFound
from chat.models import Message, Profile, Room
from tests.scene import logged, say, seat

pytestmark = pytest.mark.django_db

THEN = datetime(1999, 1, 1, tzinfo=UTC)
SPACE = UUID(int=1)
KIM, LEE = Speaker("irc:kim", "kim", "Kim"), Speaker("irc:lee", "lee", "Lee")


def line(number: int, speaker: Speaker | None = KIM, answers: int | None = None) -> Line:
    return Line(
        uuid5(SPACE, str(number)),
        THEN + timedelta(minutes=number),
        f"Line {number}.",
        speaker,
        None if answers is None else uuid5(SPACE, str(answers)),
    )


@pytest.fixture
def room(ann: Profile) -> Room:
    return open_import_room("irc:#harbour", "#harbour", visibility="public", owner=ann)[0]


DAY = [line(1), line(2, LEE, answers=1), line(3, None), line(4, KIM, answers=2)]


def test_a_source_has_one_room(room: Room, ann: Profile) -> None:
    again, _ = open_import_room("irc:#harbour", "Other", visibility="private", owner=ann)
    assert (again, again.title) == (room, "#harbour")
    assert seat(ann, room).role == "owner"


def test_lines_come_in_with_their_order_times_and_answers(room: Room) -> None:
    assert import_lines(room.pk, DAY) == Imported(people=2, messages=4, replies=2, known=0)
    stored = list(Message.objects.filter(room=room).order_by("seq"))
    assert [one.text for one in stored] == [one.text for one in DAY]
    assert [one.created_at for one in stored] == [one.at for one in DAY]
    assert [one.reply_to_id for one in stored] == [one.reply_to for one in DAY]
    assert [one.kind for one in stored] == ["text", "text", "system", "text"]


def test_who_speaks_is_a_member_before_their_first_line(room: Room) -> None:
    import_lines(room.pk, DAY)
    assert logged(room)[2:] == [
        "member.joined", "message.sent", "member.joined", "message.sent", "message.sent", "message.sent"
    ]  # fmt: skip
    kim = Profile.objects.get(source_key="irc:kim")
    assert (seat(kim, room).joined_at, kim.display_name, kim.user) == (DAY[0].at, "Kim", None)
    assert Room.objects.get(pk=room.pk).members_count == 3


def test_the_same_again_adds_nothing(room: Room) -> None:
    import_lines(room.pk, DAY)
    before = logged(room)
    assert import_lines(room.pk, DAY) == Imported(known=4)
    assert logged(room) == before


def test_only_what_is_new_is_added(room: Room) -> None:
    import_lines(room.pk, DAY[:2])
    assert import_lines(room.pk, DAY) == Imported(messages=2, replies=1, known=2)
    assert Message.objects.get(text="Line 4.").reply_to_id == DAY[1].id


def test_it_goes_on_where_people_talk(room: Room, ann: Profile) -> None:
    import_lines(room.pk, DAY[:1])
    said = say(ann, room)
    import_lines(room.pk, DAY)
    assert Message.objects.get(text="Line 2.").seq > said.seq
    assert logged(room)


def test_a_name_that_someone_has_here_is_made_unique(room: Room, ann: Profile) -> None:
    import_lines(room.pk, [line(1, Speaker("irc:ann", "ann", "Ann"))])
    other = Profile.objects.get(source_key="irc:ann")
    assert other != ann
    assert other.username != ann.username


def test_a_room_that_ended_takes_no_lines(room: Room, ann: Profile) -> None:
    delete_room(ann, room.pk)
    with pytest.raises(NotFound):
        import_lines(room.pk, DAY)
