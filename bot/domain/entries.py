"""Cuts what was typed or pasted into entries, one for each person meant, before anybody reads a number.

Cut at commas, semicolons, pipes, bullets and line breaks of every script; at spaces only where it is sure that a new
person begins: before a `+`, a link or a JID, and after a link or a JID. Cutting never decides whether a number is good.
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
    (?P<closed>                                              # ends by itself, so that more can follow after a space
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
    """One person as meant by whoever typed.

    Attributes:
        typed: what the person typed: Slack's own markup (`<tel:…|label>`, `&lt;`) is undone, all else is as it was.
        plain: the same for reading: digits, plus signs, dashes and spaces in ASCII, nothing invisible, a Slack link
            replaced by its address.
        line: on which line of the text it begins, from 1.
    """

    raw: str
    plain: str
    line: int = 1


def unescape_entities(text: str) -> str:
    """Undo HTML entities once, as Slack's escaping of `&`, `<` and `>` asks for."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def without_slack_links(text: str) -> str:
    """Undo Slack's links: `<tel:+14155550100|+1 415 555 0100>` becomes what the person typed."""
    return _SLACK_LINK.sub(lambda link: link[2] or link[1], text)


def to_plain_text(text: str) -> str:
    """Give text for reading: digits, plus signs, dashes, spaces and line ends in ASCII, nothing invisible."""
    return _plain(text)[0]


def split_entries(text: str, *, slack: bool = True) -> Iterator[RosterEntry]:
    """Give the entries of `text` in their order. Text that is punctuation only is no entry. Never raises.

    Args:
        text: what was typed, or what a cell of a file holds.
        slack: whether the text came through Slack, so that its escaping and link markup are undone; a file's are data.
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
    """What to read for a character; empty for an invisible one. Fills itself from the Unicode database."""

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
    """Give the text for reading, and for each of its characters the place in `text` where it comes from."""
    plain = [_PLAIN_CHARACTERS[char] for char in text]
    return "".join(plain), [place for place, char in enumerate(plain) if char]


def _segments(plain: str) -> Iterator[tuple[int, int, list[re.Match[str]]]]:
    """Cut at separators; give each piece with the places in it where a person surely begins."""
    start, mentions = 0, list[re.Match[str]]()
    for mark in _MARK.finditer(plain):
        if mark["cut"] is None:
            mentions.append(mark)
        else:
            yield start, mark.start(), mentions
            start, mentions = mark.end(), []
    yield start, len(plain), mentions


def _people(plain: str, start: int, end: int, mentions: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Cut one piece into people; words between two numbers go to the number that they stand before."""
    ordinal = ORDINAL.match(plain, start, end)
    read = ordinal.end() if ordinal else start
    begin, said, closed = start, False, False
    for count, mention in enumerate(mentions, int(ordinal[1]) if ordinal else 0):
        digits_end = _digits_end(plain, read, mention.start(), count if ordinal and said else 0)
        if digits_end is not None:
            if closed:
                yield begin, read
                begin = read
            yield begin, digits_end
            begin = digits_end
        elif said:
            yield begin, read
            begin = read
        said, closed = True, mention["closed"] is not None
        closers = _CLOSERS.match(plain, mention.end(), end)
        read = closers.end() if closers else mention.end()
    if closed and _THROUGH_LAST_DIGIT.match(plain, read, end):
        yield begin, read
        begin = read
    yield begin, end


def _digits_end(plain: str, start: int, end: int, ordinal: int) -> int | None:
    """Give where the digits end between two mentions, the next one's place in a numbered list left out."""
    gap = plain[start:end].rstrip()
    if ordinal and (numbered := re.search(rf"(?:^|\s){ordinal}[.)]$", gap)):
        gap = gap[: numbered.start()]
    digits = _THROUGH_LAST_DIGIT.match(gap)
    return start + digits.end() if digits else None
