"""Cleaning of text that people write: which characters are refused, dropped or kept.

A message keeps its lines and spaces. A name stands beside other names, so it is one line, and characters
that could make it look like another name, or like nothing, are refused. Properties of characters come
from the package ``regex``, because Python's own tables are older than the letters that people use.
Cleaning is idempotent: a cleaned text comes out unchanged.
"""

from __future__ import annotations

import re
from unicodedata import is_normalized, normalize

import regex

# Combining marks that may follow each other; more of them cover the lines above and below.
MARKS_MAX = 4

# PostgreSQL or UTF-8 cannot hold the first two; noncharacters are not for interchange.
UNSTORABLE = regex.compile(r"[\x00\ud800-\udfff\p{Noncharacter_Code_Point}]")
LINE_ENDS = regex.compile(r"\r\n|[\r\u2028\u2029]")
# C0 without tab and newline, DEL, C1 and private use: they are invisible or look different on every machine.
CONTROLS = regex.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f\p{Co}]")
LINES = regex.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]")
# They turn the direction of the text around them.
EMBEDDINGS = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
DIRECTION_MARKS = regex.compile(r"[\u200e\u200f\u061c]")
# Tags are legible only in the flags of England, Scotland and Wales.
FLAGS = (
    r"\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067"
    r"|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
STRAY_TAGS = regex.compile(rf"(?:{FLAGS})(*SKIP)(*FAIL)|[\U000e0000-\U000e007f]")
# Most texts are plain ASCII, and the standard library looks through those several times faster.
ASCII_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# A text without these needs no more than a look at its normal form.
SPECIAL = regex.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufff9-\ufffb\U00013430-\U0001343f"
    r"\p{Co}\p{M}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]"
)
HIEROGLYPH = r"[\p{Egyptian_Hieroglyphs}&&\p{L}]"
# A character that is dropped must not be what keeps the next one: else each pass over a text drops only one.
# An invisible character is kept where a reader sees its effect (RFC 5892 A.1 and A.2, Unicode TR 51):
# joiners in scripts that join and in emoji, variation selectors, flags, line breaks in scripts without spaces.
INVISIBLE = regex.compile(
    rf"""(?:
        (?<=\p{{ccc=9}}\p{{M}}{{0,2}})[\u200c\u200d]
      | (?<=[\p{{jt=D}}\p{{jt=L}}]\p{{jt=T}}{{0,4}})\u200c(?=\p{{jt=T}}{{0,4}}[\p{{jt=D}}\p{{jt=R}}])
      | (?<=[\p{{jt=D}}\p{{jt=L}}\p{{jt=R}}])\u200d
      | \u200d(?=[\p{{jt=D}}\p{{jt=L}}\p{{jt=R}}])
      | (?<=\p{{Extended_Pictographic}}(?:\p{{Emoji_Modifier}}|\ufe0f)?)\u200d(?=\p{{Extended_Pictographic}})
      | (?<=[[\p{{Emoji}}\p{{Han}}\p{{S}}\p{{P}}\p{{Mongolian}}\p{{Myanmar}}]--\p{{DI}}])\p{{Variation_Selector}}
      | (?<=[\p{{Khmer}}\p{{Thai}}\p{{Lao}}\p{{Myanmar}}])\u200b(?=[\p{{Khmer}}\p{{Thai}}\p{{Lao}}\p{{Myanmar}}])
      | (?<={HIEROGLYPH})[\U00013430-\U0001343f]{{1,3}}
      | [\U00013430-\U0001343f]{{1,3}}(?={HIEROGLYPH})
      | {FLAGS}
      | [\u200e\u200f\u061c]
    )(*SKIP)(*FAIL)
    | [\p{{Default_Ignorable_Code_Point}}\ufff9-\ufffb\U00013430-\U0001343f]""",
    regex.VERBOSE | regex.V1,
)
# A joiner between two marks does not end their run.
_MARK = r"\p{M}[\u200c\u200d]*"
TOO_MANY_MARKS = regex.compile(
    rf"((?:{_MARK}){{{MARKS_MAX - 1}}}\p{{M}})(?:[\u200c\u200d]*\p{{M}})+"
)
SURPLUS_MARKS = regex.compile(
    rf"((?:{_MARK}){{{MARKS_MAX - 2}}}\p{{M}})(?:[\u200c\u200d]*\p{{M}})+"
)
MARKS_OF_A_NAME = regex.compile(rf"(?:{_MARK}){{{MARKS_MAX}}}")
# Unicode counts the blank of Braille among the symbols, and two Egyptian blanks among the letters.
BLANKS = r"\u2800\U00013441\U00013442"
SPACES = regex.compile(rf"[\p{{Z}}{BLANKS}]+")
# U+1D159 is a note without a head.
SEEN = regex.compile(rf"[[\p{{L}}\p{{N}}\p{{P}}\p{{S}}]--[\p{{DI}}{BLANKS}\U0001d159]]", regex.V1)
SEEN_IN_A_NAME = regex.compile(
    rf"[[\p{{L}}\p{{N}}\p{{Extended_Pictographic}}\p{{Regional_Indicator}}]--[\p{{DI}}{BLANKS}]]",
    regex.V1,
)


class TextRefused(ValueError):
    """A text holds what it must not hold; its words say what."""


def clean_message(text: str) -> str:
    """Return a message as it is stored: its lines and spaces as typed. Raises TextRefused."""
    if text.isascii() and not ASCII_CONTROLS.search(text):
        return text
    if not SPECIAL.search(text) and is_normalized("NFC", text):
        return text
    if UNSTORABLE.search(text):
        raise TextRefused("NUL characters, lone surrogates and noncharacters are not allowed.")
    return _settled(EMBEDDINGS.sub("", CONTROLS.sub("", LINE_ENDS.sub("\n", text))))


def clean_name(text: str) -> str:
    """Return a name or title as it is stored: one line, one space at a time. Raises TextRefused."""
    text = text.strip(" \t\r\n")
    for refused, words in (
        (UNSTORABLE, "NUL characters, lone surrogates and noncharacters are not allowed."),
        (LINES, "A name is one line."),
        (CONTROLS, "Control characters are not allowed in a name."),
        (EMBEDDINGS, "Characters that turn the direction of a text are not allowed in a name."),
        (STRAY_TAGS, "Invisible tags are not allowed in a name."),
    ):
        if refused.search(text):
            raise TextRefused(words)
    text = _settled(DIRECTION_MARKS.sub("", text), cut=False)
    if MARKS_OF_A_NAME.search(text):
        raise TextRefused(f"At most {MARKS_MAX - 1} combining marks may follow each other.")
    return text


def tidy_message(text: str) -> str:
    """Return a message from elsewhere as it is stored; what :func:`clean_message` refuses is dropped."""
    return clean_message(UNSTORABLE.sub("", text))


def tidy_name(text: str) -> str:
    """Return a name from elsewhere as it is stored: what :func:`clean_name` refuses is dropped.

    A name of which nothing would be seen becomes empty.
    """
    text = EMBEDDINGS.sub("", CONTROLS.sub("", LINES.sub(" ", UNSTORABLE.sub("", text))))
    few = SURPLUS_MARKS.sub(r"\1", STRAY_TAGS.sub("", text))
    try:
        name = clean_name(few)
    except TextRefused:
        return ""
    return name if shows_name(name) else ""


def shows(text: str) -> bool:
    """Say whether anything of a message is seen."""
    return SEEN.search(text) is not None


def shows_name(text: str) -> bool:
    """Say whether a name has a letter, a digit or an emoji to be known by."""
    return SEEN_IN_A_NAME.search(text) is not None


def _settled(text: str, *, cut: bool = True) -> str:
    """Drop what is not seen and compose the rest, again until nothing changes.

    Each step may lay open work for the one before: a mark that goes leaves a joiner without its letter.
    With ``cut``, too many marks are cut; else spaces are gathered, as in a name.
    """
    before = None
    while before != text:
        before = text
        text = INVISIBLE.sub("", text)
        text = TOO_MANY_MARKS.sub(r"\1", text) if cut else SPACES.sub(" ", text).strip(" ")
        text = normalize("NFC", text)
    return text
