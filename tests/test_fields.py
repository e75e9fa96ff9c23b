"""What comes in is stored as it can be given back, and names show what they are."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from chat.models import Message, Profile, Room
from chat.serializers.fields import (
    IdField,
    JSONObjectField,
    PlainNameField,
    PlainTextField,
    json_text,
)
from chat.serializers.messages import message_shape
from tests.scene import say

METADATA = JSONObjectField(max_bytes=4096)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 2, 10**20, 1e20, 1e308, [{"a": 1e17}]])
def test_a_number_that_cannot_be_given_back_is_refused(number: Any) -> None:
    with pytest.raises(ValidationError, match="as text"):
        METADATA.run_validation({"n": number})


@pytest.mark.parametrize("value", [2**53, -1.5, 0.1, True, None, r"\u0000", {"a": [1, {"b": "é"}]}])
def test_what_can_be_given_back_is_taken(value: Any) -> None:
    assert METADATA.run_validation({"v": value}) == {"v": value}


@pytest.mark.parametrize("bad", [{"a": "\x00"}, {"\x00": 1}, {"a": ["\ud800"]}])
def test_what_no_database_takes_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        METADATA.run_validation(bad)


@pytest.mark.django_db
def test_what_another_hand_stored_is_still_shown(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    Message.objects.filter(pk=message.pk).update(metadata={"n": 10**20})
    assert b"100000000000000000000" in json_text(message_shape(Message.objects.get(pk=message.pk)))


def test_text_is_kept_as_typed_but_for_controls() -> None:
    assert PlainTextField().run_validation("  indented\r\n\x1b[31m red ") == "  indented\n[31m red "


@pytest.mark.parametrize("blank", ["", "   ", "\n\t", "\u200b", "\u202e \ufeff"])
def test_a_text_in_which_nothing_is_seen_is_blank(blank: str) -> None:
    with pytest.raises(ValidationError):
        PlainTextField().run_validation(blank)


def test_a_name_is_one_line_and_hides_nothing() -> None:
    assert PlainNameField().run_validation(" Ann\u200b  B\u200e ") == "Ann B"


@pytest.mark.parametrize(
    "bad", ["Ann\nB", "Ann\u202eevil", "A\x07", "\u3164", "\u0301", "...", "A\U000e0041"]
)
def test_a_name_that_would_deceive_or_show_nothing_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        PlainNameField(allow_blank=True).run_validation(bad)


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_only_a_blank_name_takes_a_name_back(blank: str) -> None:
    assert PlainNameField(allow_blank=True).run_validation(blank) == ""


def test_a_text_that_is_far_too_long_is_not_cleaned_first() -> None:
    field = PlainTextField(max_length=10)
    assert field.run_validation("\u200b" * 10 + "1234567890") == "1234567890"
    for long in ("\u200b" * 11 + "1234567890", "12345678901", "\ufb2c" * 9):
        with pytest.raises(ValidationError) as told:
            field.run_validation(long)
        assert told.value.get_codes() == ["max_length"]


@pytest.mark.parametrize("number", [5, 0, True, 5.0])
def test_a_number_is_no_id(number: object) -> None:
    with pytest.raises(ValidationError):
        IdField().run_validation(number)
