"""Which characters a message and a name may hold: the table of decided cases, and what holds for any text."""

from __future__ import annotations

from unicodedata import is_normalized

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from chat.serializers.cleaning import (
    MARKS_MAX,
    TextRefused,
    clean_message,
    clean_name,
    shows,
    shows_name,
    tidy_message,
    tidy_name,
)

REFUSED = None
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
TAGGED = "hi\U000e0068\U000e0069"
ZALGO = "a" + "\u0301\u0316" * 10
# What comes in, and what is stored of it as a name and as a message.
CASES: dict[str, tuple[str, str | None, str | None]] = {
    "NUL": ("a\x00b", REFUSED, REFUSED),
    "lone surrogate": ("a\ud800", REFUSED, REFUSED),
    "noncharacter": ("a\ufffe", REFUSED, REFUSED),
    "noncharacter beyond the BMP": ("a\U0001ffff", REFUSED, REFUSED),
    "BEL": ("a\x07b", REFUSED, "ab"),
    "TAB": ("a\tb", REFUSED, "a\tb"),
    "LF": ("a\nb", REFUSED, "a\nb"),
    "CRLF": ("a\r\nb", REFUSED, "a\nb"),
    "CR": ("a\rb", REFUSED, "a\nb"),
    "U+2028": ("a\u2028b", REFUSED, "a\nb"),
    "U+2029": ("a\u2029b", REFUSED, "a\nb"),
    "U+0085": ("a\x85b", REFUSED, "ab"),
    "e and acute": ("e\u0301", "\u00e9", "\u00e9"),
    "angstrom": ("\u212b", "\u00c5", "\u00c5"),
    "jamo": ("\u1112\u1161\u11ab", "\ud55c", "\ud55c"),
    "fullwidth": ("\uff21\uff22", "\uff21\uff22", "\uff21\uff22"),
    "ligature": ("\ufb01x", "\ufb01x", "\ufb01x"),
    "RLO": ("abc\u202etxt.exe", REFUSED, "abctxt.exe"),
    "isolates": ("\u2067abc\u2069", REFUSED, "abc"),
    "LRM": ("a\u200eb", "ab", "a\u200eb"),
    "RLM": ("a\u200fb", "ab", "a\u200fb"),
    "ALM": ("a\u061cb", "ab", "a\u061cb"),
    "Hangul filler": ("\u3164", REFUSED, REFUSED),
    "halfwidth Hangul filler": ("\uffa0", REFUSED, REFUSED),
    "Hangul jungseong filler": ("\u1160", REFUSED, REFUSED),
    "Hangul choseong filler": ("\u115f", REFUSED, REFUSED),
    "Braille blanks": ("\u2800\u2800", REFUSED, REFUSED),
    "Egyptian blanks": ("\U00013441\U00013442", REFUSED, REFUSED),
    "Egyptian blank inside": ("a\U00013441b", "a b", "a\U00013441b"),
    "Egyptian joiner in Latin": ("a\U00013430b", "ab", "ab"),
    "Egyptian joiner in hieroglyphs": ("\U00013000\U00013430\U00013001",) * 3,
    "note without a head": ("\U0001d159", REFUSED, REFUSED),
    "marks with joiners between them": (
        "a" + "\u094d\u0316\u200d" * 9,
        REFUSED,
        "a" + "\u094d\u0316\u200d" * 2,
    ),
    "ZWSP alone": ("\u200b", REFUSED, REFUSED),
    "ZWSP": ("a\u200bb", "ab", "ab"),
    "soft hyphen": ("a\u00adb", "ab", "ab"),
    "BOM": ("a\ufeffb", "ab", "ab"),
    "word joiner": ("a\u2060b", "ab", "ab"),
    "grapheme joiner": ("a\u034fb", "ab", "ab"),
    "Khmer vowel inherent": ("a\u17b4b", "ab", "ab"),
    "deprecated format": ("a\u206ab\u206f", "ab", "ab"),
    "ZWNJ in Latin": ("a\u200cb", "ab", "ab"),
    "tags": (TAGGED, REFUSED, "hi"),
    "tags of no flag": ("\U0001f3f4" + "\U000e0061" * 3, REFUSED, "\U0001f3f4"),
    "Scotland": (SCOTLAND, SCOTLAND, SCOTLAND),
    "family": ("\U0001f468\u200d\U0001f469\u200d\U0001f467",) * 3,
    "couple": ("\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f468\U0001f3fb",) * 3,
    "heart": ("\u2764\ufe0f",) * 3,
    "keycap": ("1\ufe0f\u20e3",) * 3,
    "country": ("\U0001f1e9\U0001f1ea",) * 3,
    "mark alone": ("\u0301", REFUSED, REFUSED),
    "zalgo": (ZALGO, REFUSED, "\u00e1\u0316\u0316\u0301"),
    "Vietnamese": ("Vi\u00ea\u0323t", "Vi\u1ec7t", "Vi\u1ec7t"),
    "Thai": ("\u0e01\u0e33\u0e49",) * 3,
    "Tibetan": ("\u0f56\u0f66\u0f90\u0fb2\u0f72",) * 3,
    "pointed Hebrew": ("\u05e9\u05b8\u05bc\u05c1",) * 3,
    "Persian": ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",) * 3,
    "Sinhala": ("\u0dc1\u0dca\u200d\u0dbb\u0dd3",) * 3,
    "Hindi": ("\u0915\u094d\u200c\u0937",) * 3,
    "Khmer line break": ("\u1780\u200b\u1781",) * 3,
    "trailing ZWJ": ("\U0001f468\u200d", "\U0001f468", "\U0001f468"),
    "VS after a letter": ("a\ufe0f", "a", "a"),
    "two VS": ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f", "\u2764\ufe0f"),
    "Mongolian separator": ("a\u180eb", "ab", "ab"),
    "NBSP": ("a\u00a0b", "a b", "a\u00a0b"),
    "ideographic space": ("a\u3000b", "a b", "a\u3000b"),
    "many spaces": ("  a   b ", "a b", "  a   b "),
    "dots": ("...", REFUSED, "..."),
    "private use": ("a\ue000b", REFUSED, "ab"),
    "interlinear": ("a\ufff9b\ufffbc", "abc", "abc"),
    "Cyrillic": ("\u0430dmin",) * 3,
    "Istanbul": ("\u0130stanbul",) * 3,
    "Arabic": ("\u0639\u0644\u064a",) * 3,
}


def name(text: str) -> str | None:
    try:
        found = clean_name(text)
    except TextRefused:
        return REFUSED
    return found if shows_name(found) else REFUSED


def message(text: str) -> str | None:
    try:
        found = clean_message(text)
    except TextRefused:
        return REFUSED
    return found if shows(found) else REFUSED


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_decided_as_a_name_and_as_a_message(case: str) -> None:
    text, as_name, as_message = CASES[case]
    assert (name(text), message(text)) == (as_name, as_message)


# Characters that act on each other, and any other.
DELICATE = (
    "".join(text for text, *_ in CASES.values())
    + "\u064b\u094d\u0f72\ufb2c\U0001d160\u3099\u304b\u1820\u180b"
)
TEXTS = st.text(st.sampled_from(sorted(set(DELICATE))), max_size=30) | st.text(max_size=30)
UNSEEN = regex.compile(
    r"[\p{Cc}--[\t\n]]|[\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\p{Co}]", regex.V1
)


@given(TEXTS)
@example("\u0915\u0301\u0301\u0301\u0301\u094d\u200d\u0937")
def test_a_message_is_clean_after_one_cleaning(text: str) -> None:
    cleaned = tidy_message(text)
    assert clean_message(cleaned) == cleaned
    assert is_normalized("NFC", cleaned)
    assert not UNSEEN.search(cleaned)
    assert not regex.search(rf"\p{{M}}{{{MARKS_MAX + 1}}}", cleaned)
    cleaned.encode()


@given(TEXTS)
def test_a_name_is_clean_after_one_cleaning_and_one_line_that_is_seen(text: str) -> None:
    for cleaned in (name(text), tidy_name(text)):
        if cleaned:
            assert name(cleaned) == cleaned == tidy_name(cleaned)
            assert not regex.search(r"\s\s|^\s|\s$|[\t\n]", cleaned)
            assert not regex.search(rf"\p{{M}}{{{MARKS_MAX}}}", cleaned)
            assert shows_name(cleaned)


@given(TEXTS)
def test_what_is_taken_as_a_name_from_a_form_is_taken_alike_from_elsewhere(text: str) -> None:
    if (taken := name(text)) is not None:
        assert tidy_name(text) == taken


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30))
def test_letters_are_never_lost(text: str) -> None:
    """But for those that are invisible, and for composing."""
    seen = regex.sub(r"\p{DI}", "", text)
    assert regex.sub(r"\p{M}", "", clean_message(seen)) or not seen
    if is_normalized("NFC", seen):
        assert clean_message(seen) == seen
