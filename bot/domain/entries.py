"""Splits typed or pasted text into entries, one for each person, before the numbers are parsed.

Text is split at commas, semicolons, pipes, bullets and line breaks of every script. It is split at spaces only if a new
person certainly begins there: before a `+`, a link or a JID, and after a link or a JID. Whether a number is valid is
decided later.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ORDINAL = re.compile(r"\s*([1-9]\d{0,3})[.)](?:\s+|(?=\+))")
"""The number of a line in a numbered list: `1. `, `12) `."""

_ENTITY = re.compile(r"&(?:[A-Za-z]{2,31}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_SLACK_LINK = re.compile(r"<((?:tel|mailto|https?|whatsapp):[^<>|]*)(?:\|([^<>]*))?>", re.IGNORECASE)
_MARK = re.compile(
    r"""
    (?P<closed>                                              # has a clear end, so that more can follow after a space
        <(?:[@\#!][^<>]*|(?:tel|mailto|https?|whatsapp):[^<>]*)>
      | (?:https?|whatsapp)://[^\s<>|,;"]*
      | (?:\b(?:www|api|web|chat)\.)?\b(?:wa\.me|whatsapp\.com)/[^\s<>|,;"]*
      | (?<!\d)\+?\d[\d-]{0,40}(?:[._]\d{1,3})?(?::\d{1,3})?@[\w.-]+
    )
  | (?P<open> tel:(?=[+(%\d])[+(%]*(?:\d|2B)[\d().-]*(?:;[a-z-]{1,20}=[^\s;,<>|]*)* | (?<!\de)\++ )
  | (?P<cut> ,(?!\d{1,20}e\+\d) | ;(?![a-z-]{1,20}=) | [\n|•‣◦●○▪■◆★] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_THROUGH_LAST_DIGIT = re.compile(r".*\d[)\]>\"']*", re.DOTALL)
_CLOSERS = re.compile(r"[)\]>\"']*")
_MORE_THAN_PUNCTUATION = re.compile(r"[^\s\-.()<>\[\]{}\"'“”‘’„«»`*_/\\:#=~&·…]")
_ODD_SEPARATORS = {"、": ",", "،": ",", "؛": ";", "\u037e": ";"}
_ODD_DASHES = {"\u2212", "\u2043", "\u02d7", "\u30fc"}
_LINE_BREAKS = "\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """The text for one person.

    Attributes:
        raw: the text as typed, without Slack's own markup (`<tel:…|label>`, `&lt;`).
        plain: the text to parse: digits, plus signs, dashes and spaces in ASCII, nothing invisible, a Slack link
            replaced by its address.
        line: the line on which it begins, from 1.
    """

    raw: str
    plain: str
    line: int = 1


def unescape_entities(text: str) -> str:
    """Return the text with HTML entities decoded once, which undoes Slack's escaping of `&`, `<` and `>`."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def without_slack_links(text: str) -> str:
    """Return the text without Slack's links: `<tel:+14155550100|+1 415 555 0100>` becomes the typed text."""
    return _SLACK_LINK.sub(lambda link: link[2] or link[1], text)


def to_plain_text(text: str) -> str:
    """Return the text with digits, plus signs, dashes, spaces and line ends in ASCII, and nothing invisible."""
    return _plain(text)[0]


def split_entries(text: str, *, slack: bool = True) -> Iterator[RosterEntry]:
    """Yield the entries of a text in their order. Punctuation alone is no entry. Never raises.

    Args:
        text: the text as typed, or the content of a file's cell.
        slack: whether the text came through Slack, which escapes it and marks links. In a file these are data.
    """
    if slack:
        text = unescape_entities(text)
    read, where = _plain(text)
    line, counted = 1, 0
    for start, end, mentions in _segments(read):
        for first, last in _people(read, start, end, mentions):
            piece = read[first:last].strip()
            if _MORE_THAN_PUNCTUATION.search(piece):
                begin = first + read[first:last].index(piece)
                line, counted = line + text.count("\n", counted, where[begin]), where[begin]
                typed = text[counted : where[begin + len(piece) - 1] + 1]
                if slack:
                    typed, piece = without_slack_links(typed), _SLACK_LINK.sub(lambda link: link[1], piece)
                yield RosterEntry(typed, piece, line)


class _PlainCharacters(dict[str, str]):
    """The plain form of each character, empty for an invisible one. Filled from the Unicode database on demand."""

    def __missing__(self, char: str) -> str:
        self[char] = plain = _plain_character(char)
        return plain


def _plain_character(char: str) -> str:
    if char in _LINE_BREAKS:
        return "\n"
    if char in _ODD_SEPARATORS:
        return _ODD_SEPARATORS[char]
    if unicodedata.east_asian_width(char) == "F":
        char = unicodedata.normalize("NFKC", char)
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in {"Cc", "Cf"} or "\ufe00" <= char <= "\ufe0f":  # controls, direction marks, variation selectors
        return ""
    if category == "Pd" or char in _ODD_DASHES:
        return "-"
    return " " if category == "Zs" else char


_PLAIN_CHARACTERS = _PlainCharacters()


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Return the plain text, and the index in `text` of each of its characters."""
    plain = [_PLAIN_CHARACTERS[char] for char in text]
    return "".join(plain), [place for place, char in enumerate(plain) if char]


def _segments(plain: str) -> Iterator[tuple[int, int, list[re.Match[str]]]]:
    """Split at separators. Yield each piece with the marks in it at which a person certainly begins."""
    start, mentions = 0, list[re.Match[str]]()
    for mark in _MARK.finditer(plain):
        if mark["cut"] is None:
            mentions.append(mark)
        else:
            yield start, mark.start(), mentions
            start, mentions = mark.end(), []
    yield start, len(plain), mentions


def _people(plain: str, start: int, end: int, mentions: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Split one piece into people. Words between two numbers belong to the number after them."""
    ordinal = ORDINAL.match(plain, start, end)
    read = ordinal.end() if ordinal else start
    begin, has_mention, closed = start, False, False
    for count, mention in enumerate(mentions, int(ordinal[1]) if ordinal else 0):
        digits_end = _digits_end(plain, read, mention.start(), count if ordinal and has_mention else 0)
        if digits_end is not None:
            if closed:
                yield begin, read
                begin = read
            yield begin, digits_end
            begin = digits_end
        elif has_mention:
            yield begin, read
            begin = read
        has_mention, closed = True, mention["closed"] is not None
        closers = _CLOSERS.match(plain, mention.end(), end)
        read = closers.end() if closers else mention.end()
    if closed and _THROUGH_LAST_DIGIT.match(plain, read, end):
        yield begin, read
        begin = read
    yield begin, end


def _digits_end(plain: str, start: int, end: int, ordinal: int) -> int | None:
    """Return where the digits end between two mentions, without the next one's number in a numbered list."""
    gap = plain[start:end].rstrip()
    if ordinal and (numbered := re.search(rf"(?:^|\s){ordinal}[.)]$", gap)):
        gap = gap[: numbered.start()]
    digits = _THROUGH_LAST_DIGIT.match(gap)
    return start + digits.end() if digits else None
