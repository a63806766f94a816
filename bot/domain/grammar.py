"""The grammar of typed commands: `<group> <participants…> [reason: …]`."""

import re
from dataclasses import dataclass

from bot.domain.entries import as_typed, unescape

_CLOSING_QUOTES = {**dict.fromkeys('"“”„«»＂', '"“”«»＂'), **dict.fromkeys("'‘’", "'‘’")}
_WORD = re.compile(r"<[^<>]*>,?|\S+")
_REASON = re.compile(r"(?:^|(?<=[\s,;]))reason\s?[:：]\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(
    r"""
    <tel: | tel: | [+＋] | \(\d
  | 0\d                                          # no provider's group id begins with a zero
  | \d[\d().-]*[,;]                              # an item of a list
  | \d[\d.-]*[().-][\d().-]{4,}$                # 415-555-0100; digits alone may be a group's id
  | <?(?:https?://)?(?:www\.)?wa\.me/
  | (?:<mailto:)?\d+(?::\d+)?@(?:s\.whatsapp\.net|c\.us|lid)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_GROUP = "The group is missing."


@dataclass(frozen=True, slots=True)
class Command:
    """What was typed after the command's name. `participants` is raw text for `roster.parse`."""

    group: str
    participants: str
    reason: str


@dataclass(frozen=True, slots=True)
class UsageError:
    """What was typed cannot be read; `message` says what is missing."""

    message: str


def split_command(text: str) -> Command | UsageError:
    """Split what was typed after `/wa-add` and its like. Slack turns `"` into typographic quotes: both count.

    Group and reason come as the person typed them: Slack's escaping and its automatic links are undone.
    """
    text = text.strip()
    if not text or _REASON.match(text):
        return UsageError(_NO_GROUP)
    first = _first(text)
    if isinstance(first, UsageError):
        return first
    group, rest = unescape(as_typed(first[0])).strip(), first[1]
    if not group:
        return UsageError(_NO_GROUP)
    reason = _REASON.search(rest)
    participants = (rest[: reason.start()] if reason else rest).strip(" \t\r\n,")  # a semicolon may end &gt;
    if not participants:
        return UsageError("The numbers are missing.")
    return Command(group, participants, unescape(as_typed(reason[1])).strip() if reason else "")


def _first(text: str) -> tuple[str, str] | UsageError:
    """Split off the group, a word or a quoted name; an apostrophe inside a word ends no quote."""
    if closing := _CLOSING_QUOTES.get(text[0]):
        end = re.compile(rf"[{closing}](?![^\W\d_])").search(text, 1)
        if end is None:
            return UsageError("The group's name begins with a quote that does not end.")
        return text[1 : end.start()], text[end.end() :]
    word = _WORD.match(text)
    if word is None or _NUMBER.match(word[0]):
        return UsageError("The group is missing: name it before the numbers.")
    return word[0].rstrip(","), text[word.end() :]
