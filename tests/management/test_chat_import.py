"""A day of IRC comes in once, as people, messages with their times, actions, notices and replies."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chat.actions.rooms import delete_room
from chat.models import Membership, Message, Profile, Room
from tests.data import OWN_DAY, shared_day
from tests.scene import logged

pytestmark = pytest.mark.django_db


def bring_in(
    capsys: pytest.CaptureFixture[str], file: Path = OWN_DAY.raw, **options: object
) -> str:
    """Run the command and return what it said at the end."""
    options.setdefault("day", OWN_DAY.date)
    call_command("chat_import", "irc", str(file), room="#tea", **options)
    return capsys.readouterr().out


def the_room() -> Room:
    return Room.objects.get(title="#tea", deleted_at=None)


def test_a_day_comes_in_and_the_second_time_adds_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bring_in(capsys, annotations=OWN_DAY.annotation)
    room = the_room()
    before = (logged(room), Profile.objects.count(), Message.objects.count())
    said = bring_in(capsys, annotations=OWN_DAY.annotation)
    assert "0 lines added" in said
    assert (logged(room), Profile.objects.count(), Message.objects.count()) == before
    assert before[0].count("message.sent") == Message.objects.filter(room=room).count()


def test_what_was_said_keeps_its_time_its_order_and_its_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bring_in(capsys, annotations=OWN_DAY.annotation)
    messages = list(Message.objects.filter(room=the_room()).order_by("seq"))
    assert [m.created_at for m in messages] == sorted(m.created_at for m in messages)
    assert messages[0].created_at.date() == OWN_DAY.date
    assert any(message.reply_to_id for message in messages)
    assert any(m.text.startswith("/me ") and m.kind == "text" for m in messages)
    assert any(m.kind == "system" and m.sender_id is None for m in messages)
    assert not any(ord(one) < 32 and one not in "\n\t" for m in messages for one in m.text)


def test_who_spoke_is_in_the_room_before_they_speak(capsys: pytest.CaptureFixture[str]) -> None:
    bring_in(capsys)
    room = the_room()
    speakers = set(Message.objects.filter(room=room, sender__isnull=False).values_list("sender"))
    assert set(Membership.objects.filter(room=room).values_list("user")) == speakers
    first = logged(room).index("message.sent")
    assert "member.joined" in logged(room)[: first + 1] or first == 1


def test_a_log_that_was_cut_or_continued_adds_only_what_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_in(capsys)
    longer = tmp_path / f"{OWN_DAY.date}.raw.txt"
    longer.write_bytes(OWN_DAY.raw.read_bytes() + b"\n[23:59] <zoe> One more thing.\n")
    assert "1 lines added" in bring_in(capsys, longer)
    longer.write_bytes(b"\n" + longer.read_bytes())
    assert "0 lines added" in bring_in(capsys, longer)


def test_a_room_that_was_deleted_can_be_brought_in_anew(
    person: object, capsys: pytest.CaptureFixture[str], ann: Profile
) -> None:
    bring_in(capsys, owner=ann.username)
    count = Message.objects.count()
    delete_room(ann, the_room().pk)
    bring_in(capsys)
    assert Message.objects.filter(room=the_room()).count() == count


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"file": Path("no-such-log.txt")}, "Cannot read no-such-log.txt"),
        ({"annotations": Path("nowhere.txt")}, "Cannot read nowhere.txt"),
        ({"owner": "nobody"}, "no person 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], options: dict[str, object], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        bring_in(capsys, **options)  # type: ignore[arg-type]
    assert not Room.objects.filter(title="#tea").exists()


@pytest.mark.slow
def test_three_real_days(capsys: pytest.CaptureFixture[str]) -> None:
    day = shared_day("2007-06-04")
    if day is None:
        pytest.skip("the shared logs are not here")
    said = bring_in(capsys, day.raw, annotations=day.annotation, day=day.date)
    assert "1908 lines added (568 of them replies), 152 people new" in said


@pytest.mark.parametrize(
    ("content", "recognised"),
    [
        (b"Dear diary,\ntoday it rained.\n", "Of 2 lines with text, 0 are messages"),
        (b"", "Of 0 lines with text, 0 are messages"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "0 are messages"),
        (b"=== a heading\n=== another\n", "0 are messages or actions"),
        (b"[12:34] <ann> hi\nno\nlog\nat all\n", "Of 4 lines with text, 1 are messages"),
    ],
)
def test_file_that_is_no_log_is_refused_and_nothing_is_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, recognised: str
) -> None:
    junk = tmp_path / "junk.txt"
    junk.write_bytes(content)
    with pytest.raises(
        CommandError, match="is not an IRC log, and nothing was imported"
    ) as refusal:
        bring_in(capsys, junk)
    assert recognised in str(refusal.value)
    assert not Room.objects.exists()
    assert not Message.objects.exists()
    assert not Profile.objects.exists()


@pytest.mark.parametrize(("private", "visibility"), [(False, "public"), (True, "private")])
def test_new_room_without_an_owner_is_said_to_have_no_moderator(
    capsys: pytest.CaptureFixture[str], private: bool, visibility: str
) -> None:
    said = bring_in(capsys, private=private)
    assert f"#tea: a new {visibility} room without an owner. Nobody in it can moderate it" in said
    assert "without an owner" not in bring_in(capsys, private=private)


def test_new_room_with_an_owner_needs_no_such_word(
    capsys: pytest.CaptureFixture[str], ann: Profile
) -> None:
    assert "without an owner" not in bring_in(capsys, owner=ann.username)
    assert Membership.objects.get(room=the_room(), user=ann).role == Membership.Role.OWNER
