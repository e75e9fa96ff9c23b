"""A raw log is read as what was said, by whom, when, and in answer to what."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from chat.management.irc import Line, clean, decode, parse, parse_annotations
from tests.data import OWN_DAY, Day, shared_day

DAY = date(2024, 2, 28)


def read(*lines: bytes) -> list[Line]:
    return list(parse(lines, DAY))


def at(hour: int, minute: int, day: int = 28) -> datetime:
    return datetime(2024, 2, day, hour, minute, tzinfo=UTC)


def read_day(day: Day) -> list[Line]:
    with day.raw.open("rb") as raw:
        return list(parse(raw, day.date))


def test_a_message_an_action_and_a_notice() -> None:
    assert read(
        b"[09:03] <we2by> hello\n",
        b"[09:04]  * unperson sits and listens\n",
        b"=== jx [n=jx@host.example]  has joined #ubuntu\n",
    ) == [
        Line(0, at(9, 3), "message", "we2by", "hello"),
        Line(1, at(9, 4), "action", "unperson", "sits and listens"),
        Line(2, at(9, 4), "notice", "jx", "jx [n=jx@host.example]  has joined #ubuntu"),
    ]


def test_a_notice_before_any_time_is_of_the_first_moment_of_the_day() -> None:
    assert read(b"=== jx is now known as jy")[0].at == at(0, 0)


@pytest.mark.parametrize(
    ("notice", "nick"),
    [
        (b'=== sangria [n=a@b.example]  has left #ubuntu ["Leaving"] ', "sangria"),
        (b"=== [zero]  [n=zero@b.example]  has joined #ubuntu", "[zero]"),
        (b"=== [B] olinho [n=b@1.2.3.4]  has joined #ubuntu", "[B] olinho"),
        (b"=== Sindacious_ has left", "Sindacious_"),
        (b"=== Sindacious_ is now known as Sindacious", "Sindacious_"),
        (b"=== ompaul was kicked off #ubuntu by Seveas (Seveas)", "ompaul"),
        (b"=== mode/#ubuntu [-o ajmitch_]  by ChanServ", None),
        (b"=== ..[topic/#ubuntu:Seveas] : Happy Day", None),
        (b"no known form at all", None),
    ],
)
def test_a_notice_names_whom_it_concerns(notice: bytes, nick: str | None) -> None:
    assert [(line.kind, line.nick) for line in read(notice)] == [("notice", nick)]


@pytest.mark.parametrize(
    "nick", ["][AcHm2][", "Assassin`", "Brandon420^", "NET||abuse", "-x-", "a\\b", "ñandú", "名前"]
)
def test_any_nick_may_speak_and_act(nick: str) -> None:
    lines = read(f"[09:03] <{nick}> hi".encode(), f"[09:03]  * {nick} waves".encode())
    assert [line.nick for line in lines] == [nick, nick]


def test_padding_is_no_part_of_a_nick() -> None:
    assert read(b"[12:00] <zcat[1] > hi")[0].nick == "zcat[1]"


def test_text_may_look_like_any_other_line() -> None:
    said = read(
        b"[09:03] <a> <b> hi",
        b"[09:03] <a>  * b waves",
        b"[09:03] <a> === b",
        b"[09:03] <a> [09:02] x",
    )
    assert [line.text for line in said] == ["<b> hi", "* b waves", "=== b", "[09:02] x"]
    assert {(line.kind, line.nick) for line in said} == {("message", "a")}


def test_without_a_time_nobody_speaks() -> None:
    assert [line.kind for line in read(b"<a> hi", b" * a waves", b"[24:00] <a> hi")] == [
        "notice"
    ] * 3


def test_a_line_without_text_is_counted_but_not_yielded() -> None:
    lines = read(b"[09:03] <a>    \r\n", b"\n", b"===\n", b"[09:04]  * a \n", b"[09:05] <a> hi\r\n")
    assert lines == [Line(4, at(9, 5), "message", "a", "hi")]


def test_midnight_begins_the_next_day() -> None:
    times = [line.at for line in read(b"[23:59] <a> x", b"=== notice", b"[00:00] <a> y", b"=== z")]
    assert times == [at(23, 59), at(23, 59), at(0, 0, day=29), at(0, 0, day=29)]


def test_time_never_goes_back() -> None:
    times = [line.at for line in read(b"[10:05] <a> x", b"[10:03] <b> y", b"[10:06] <c> z")]
    assert times == [at(10, 5), at(10, 5), at(10, 6)]


def test_an_over_long_line_is_kept_whole() -> None:
    assert len(read(b"[10:05] <a> " + b"x" * 100_000)[0].text) == 100_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xc3\xa9t\xc3\xa9", "été"),
        (b"caf\xe9", "café"),
        (b"\x93quoted\x94", "\u201cquoted\u201d"),
        (b"\x81 caf\xe9", "\x81 café"),
        (b"\xed\xa0\xbd", "\ud83d"),
        (b"\xf0\x9f\x98\x80", "\U0001f600"),
    ],
)
def test_bytes_that_are_no_utf8_are_a_code_page(raw: bytes, text: str) -> None:
    assert decode(raw) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x02bold\x02 \x1ditalic\x1d \x1funder\x1f \x0fplain", "bold italic under plain"),
        ("\x0304,01red\x03 \x0312blue\x03, 1 \x033,x", "red blue, 1 ,x"),
        ("\x04FF0000hex\x04", "hex"),
        ("a\x00b\x07c\x7fd\x85e\x9ff", "abcdef"),
        ("root\tALL", "root ALL"),
        ("\ufeffhalf \ud83d smile \udc00", "half  smile "),
        ("👨\u200d💻 ñ 日本 شكرا", "👨\u200d💻 ñ 日本 شكرا"),
    ],
)
def test_what_cannot_be_seen_is_removed(text: str, left: str) -> None:
    assert clean(text) == left


def test_control_characters_do_not_hide_who_speaks() -> None:
    assert read(b"[09:03] <\x0304we2by\x03> hello\x01") == [
        Line(0, at(9, 3), "message", "we2by", "hello")
    ]


def test_an_answer_is_given_to_the_nearest_earlier_line() -> None:
    lines = [
        b"5 7 - \n",
        b"6 7 - \n",
        b"2 7 -\n",
        b"8 8 - \n",
        b"12 9 - \n",
        b"1000 1001 -\r\n",
        b"\n",
        b"x y -",
    ]
    assert parse_annotations(lines) == {7: 6, 1001: 1000}


def test_our_own_day_has_every_oddity_and_yields_clean_text() -> None:
    lines = read_day(OWN_DAY)
    assert Counter(line.kind for line in lines) == {"message": 57, "action": 4, "notice": 9}
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert lines[-1].at == at(0, 3, day=29)
    assert [line.text for line in lines] == [clean(line.text).strip() for line in lines]
    said = " ".join(line.text for line in lines)
    assert all(
        bit in said
        for bit in ("café", "red alert", "👨\u200d💻", "root ALL", "トレント", "smile  is")
    )


def test_annotations_of_our_own_day_point_at_lines_that_speak() -> None:
    speaking = {line.number for line in read_day(OWN_DAY) if line.kind != "notice"}
    with OWN_DAY.annotation.open("rb") as annotation:
        answers = parse_annotations(annotation)
    assert len(answers) == 35
    assert speaking.issuperset(answers.keys() | answers.values())


@pytest.mark.parametrize(
    ("name", "kinds", "speakers", "concerned", "answers"),
    [
        ("2006-06-01", {"message": 1721, "notice": 444}, 223, 394, 807),
        ("2007-06-04", {"message": 1375, "notice": 533}, 152, 515, 568),
        ("2008-04-27", {"message": 1939, "action": 19, "notice": 21}, 181, 21, 873),
    ],
)
def test_real_days_are_read_completely(
    name: str, kinds: dict[str, int], speakers: int, concerned: int, answers: int
) -> None:
    day = shared_day(name)
    if day is None:
        pytest.skip(f"the real day {name} is not beside the repository")
    lines = read_day(day)
    assert Counter(line.kind for line in lines) == kinds
    assert len({line.nick for line in lines if line.kind != "notice"}) == speakers
    assert sum(line.kind == "notice" and line.nick is not None for line in lines) == concerned
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    with day.annotation.open("rb") as annotation:
        assert len(parse_annotations(annotation)) == answers
