"""Fields that keep hostile input out: numbers, text and JSON that either database would refuse."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from chat.conf import chat_settings
from chat.serializers.cleaning import TextRefused, clean_message, clean_name, shows, shows_name

SEQ_MAX = 2**63 - 1
NUMBER_MAX = 2**53
DEPTH_MAX = 8
CURSORS_MAX = 1_000
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
NOT_STORABLE = "NUL characters and lone surrogates are not allowed."
# Characters that a text may have before it is cleaned, per character allowed after: dropping takes time too.
RAW_MAX = 2


def json_text(shape: Any) -> bytes:
    """Return a shape as JSON; also what another hand stored and orjson cannot say, such as a number past 64 bits."""
    try:
        return orjson.dumps(shape, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode()


def rfc3339(moment: datetime.datetime | None) -> str | None:
    """Return the moment in UTC with a ``Z``, microseconds kept."""
    if moment is None:
        return None
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


class SeqField(serializers.IntegerField):
    """A place in a log: a whole number from 0 to 2⁶³ − 1, and nothing that merely converts to one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=SEQ_MAX, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, (bool, float)):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


class IdField(serializers.UUIDField):
    """An id as text: DRF alone takes the number 5 for the id …-000000000005, and so two clients' fifth for one."""

    def to_internal_value(self, data: Any) -> UUID:
        if isinstance(data, int):
            self.fail("invalid", value=data)
        found: UUID = super().to_internal_value(data)
        return found


class PlainTextField(serializers.CharField):
    """Text that people read, kept as typed but for what :mod:`chat.serializers.cleaning` refuses or drops."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        # Cleaning refuses the same in one search; Python's look at each character would cost more than storing.
        slow = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
        self.validators = [one for one in self.validators if not isinstance(one, slow)]

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        most = self.max_length or chat_settings.TEXT_MAX
        if len(text) > RAW_MAX * most:
            self.fail("max_length", max_length=most)
        if not text.strip():
            return self.blank()
        try:
            text = self.cleaned(text)
        except TextRefused as refusal:
            raise serializers.ValidationError(str(refusal)) from None
        return text if self.seen(text) else self.unseen()

    def blank(self) -> str:
        """Return what stands for nothing, where nothing is allowed. Raises ValidationError."""
        if not self.allow_blank:
            self.fail("blank")
        return ""

    def unseen(self) -> str:
        """Return what is stored where a reader would see nothing. Raises ValidationError."""
        return self.blank()

    def cleaned(self, text: str) -> str:
        """Return the text as it is stored. Raises TextRefused."""
        return clean_message(text)

    def seen(self, text: str) -> bool:
        """Say whether a reader sees anything of a cleaned text."""
        return shows(text)


class PlainNameField(PlainTextField):
    """A name or title: one line, and nothing in it that is not seen."""

    default_error_messages = {"unseen": "Use at least one letter, digit or emoji."}

    def cleaned(self, text: str) -> str:
        return clean_name(text)

    def seen(self, text: str) -> bool:
        return shows_name(text)

    def unseen(self) -> str:
        # Not taken for blank: it may be meant to look like no name.
        self.fail("unseen")


class WebAddressField(serializers.URLField):
    """An http or https address, or nothing; whoever shows it may use it as a link."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=500, allow_blank=True, allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # None is how the shape shows that there is no address; the table says it by an empty text.
        return super().run_validation("" if data is None else data)

    def to_internal_value(self, data: Any) -> str:
        address: str = super().to_internal_value(data)
        if address and not address.lower().startswith(("http://", "https://")):
            self.fail("invalid")
        return address


class ShortListField(serializers.ListField):
    """A list that is counted before anything in it is looked at, so that a long one costs little."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, (list, tuple)) and len(data) > (self.max_length or 0):
            self.fail("max_length", max_length=self.max_length)
        found: list[Any] = super().to_internal_value(data)
        return found


class CursorsField(serializers.DictField):
    """Room id → the seq of the last event that is known of it; at most 1,000 rooms."""

    child = SeqField()
    default_error_messages = {
        "too_many": "At most {limit} rooms at once.",
        "room": "“{input}” is not the id of a room.",
        "number": "Send a whole number for each room.",
    }

    def to_internal_value(self, data: Any) -> dict[UUID, int]:
        # Counted before anything is looked at, so that a large body costs little.
        if isinstance(data, dict) and len(data) > CURSORS_MAX:
            self.fail("too_many", limit=CURSORS_MAX)
        # The child also takes digits in a string, as a query string has them.
        if isinstance(data, dict) and any(isinstance(one, str) for one in data.values()):
            self.fail("number")
        return {self._room(key): seq for key, seq in super().to_internal_value(data).items()}

    def _room(self, key: str) -> UUID:
        try:
            return UUID(key)
        except ValueError:
            self.fail("room", input=key[:50])


class JSONObjectField(serializers.DictField):
    """A small JSON object, of a depth and content that both databases give back as they took it."""

    default_error_messages = {
        "too_deep": "Nest at most {depth} levels.",
        "too_large": "At most {size} bytes as JSON.",
        "text": NOT_STORABLE,
        "number": "Beyond 2⁵³ a number is not the same everywhere; send it as text.",
    }

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        self.max_bytes = max_bytes
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            self._look_into(data)
        value: dict[str, Any] = super().to_internal_value(data)
        if len(json_text(value)) > self.max_bytes:
            self.fail("too_large", size=self.max_bytes)
        return value

    def _look_into(self, data: dict[Any, Any]) -> None:
        if _depth(data) > DEPTH_MAX:
            self.fail("too_deep", depth=DEPTH_MAX)
        for leaf in _leaves(data):
            if isinstance(leaf, str) and UNSTORABLE.search(leaf):
                self.fail("text")
            # PostgreSQL gives 1e20 back as a whole number, which no JSON writer of 64 bits can say.
            if isinstance(leaf, (int, float)) and abs(leaf) > NUMBER_MAX:
                self.fail("number")


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every key and value that is neither an object nor a list."""
    if isinstance(value, dict):
        yield from value
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        yield value
        return
    for inner in value:
        yield from _leaves(inner)


def _depth(value: Any) -> int:
    """Return how deep the value nests, looking no deeper than one level past what is allowed."""
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
