"""Texts that an action is given: cleaned once more, because a host's code calls actions without a form before them."""

from __future__ import annotations

from collections.abc import Callable

from chat.errors import Invalid
from chat.serializers.cleaning import TextRefused, clean_message, clean_name, shows, shows_name


def checked_text(field: str, text: str, most: int, *, blank: bool = False) -> str:
    """Return a text of several lines as it is stored. Raises Invalid, which names the field.

    With ``blank``, one of which a reader would see nothing is empty.
    """
    cleaned = _checked(field, text, most, clean_message)
    if shows(cleaned):
        return cleaned
    if not blank:
        raise _invalid(field, "Nothing of this would be seen.")
    return ""


def checked_name(field: str, text: str, most: int, *, blank: bool = False) -> str:
    """Return a name or title as it is stored. Raises Invalid, which names the field.

    With ``blank``, an empty one is allowed; one that only looks empty is not.
    """
    if blank and not text.strip():
        return ""
    cleaned = _checked(field, text, most, clean_name)
    if not shows_name(cleaned):
        raise _invalid(field, "Use at least one letter, digit or emoji.")
    return cleaned


def _checked(field: str, text: str, most: int, clean: Callable[[str], str]) -> str:
    # Measured before, because cleaning takes time, and after, because composing may lengthen a text.
    if len(text) > 2 * most:
        raise _invalid(field, f"At most {most} characters.")
    try:
        cleaned = clean(text)
    except TextRefused as refusal:
        raise _invalid(field, str(refusal)) from None
    if len(cleaned) > most:
        raise _invalid(field, f"At most {most} characters.")
    return cleaned


def _invalid(field: str, words: str) -> Invalid:
    return Invalid(fields={field: [words]})
