"""Text for Slack: escaping and shortening, and the display of people, numbers and times."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import phonenumbers

from bot.domain.access import MENTION, mention
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestItem
from bot.domain.roster import RejectedEntry
from providers.base import Outcome, Person

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_HIDDEN = "•••"
_MAX_MENTIONS = 30
"""Mentions in one message; more would be noise."""
_LONG_NUMBER = re.compile(r"(?<!\d)(?!\d{4}-\d{2}-\d{2}\b)\d(?:[\s().-]{0,3}\d){6,}")
"""Seven digits and more, as people write phone numbers, but not a date."""


def escape(text: str) -> str:
    """Escape text from people or providers (docs.slack.dev, "Formatting message text").

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_except_mentions(text: str) -> str:
    """Escape our own plain text, in which mentions stay mentions.

    >>> escape_except_mentions("a < b. Ask <@U02BOB>.")
    'a &lt; b. Ask <@U02BOB>.'
    """
    parts, end = [], 0
    for found in MENTION.finditer(text):
        parts += [escape(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def shorten(text: str, most: int) -> str:
    """Return `text` as one line of at most `most` UTF-16 units, with an ellipsis at the end if it was cut.

    Control characters are removed. Right-to-left text is isolated (Unicode TR9, "Explicit Directional Isolates"), so
    that it doesn't reorder the words beside it. Slack counts code points in some fields; UTF-16 units are never fewer.
    """
    line = " ".join("".join(_shown(c) for c in text).split())
    if not any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in line):
        return _truncate(line, most)
    return f"{_ISOLATE}{_truncate(line, most - 2)}{_END_ISOLATE}"


def safe_text(text: str, most: int) -> str:
    """Return text from people or providers, escaped and cut to `most` characters including the escapes."""
    room = most
    while _units(shown := escape(shorten(text, room))) > most:
        room -= max(1, (_units(shown) - most) // len("&amp;"))
    return shown


def excerpt(text: str, most: int) -> str:
    """Return the first `most` characters of a text in quotes, and how many more there are.

    With escapes and the note, the result has at most about twice as many characters.
    """
    kept = text[:most]
    while _units(escape(kept)) > 2 * most:
        kept = kept[: len(kept) // 2]
    left = len(text) - len(kept)
    more = f" … {count(left, 'more character')}: see Details" if left else ""
    return f"“{safe_text(kept, 2 * most + 2)}”{more}"


def without_markup(text: str) -> str:
    """Return our own text without mrkdwn marks, for places that show it as plain text: errors in a modal."""
    return text.replace("`", "").replace("*", "")


def group_line(group: KnownGroup) -> str:
    """Return a group as an item of a list: its alias with the subject, its connection and its id."""
    subject = f" “{safe_text(group.subject, 80)}”" if group.alias and group.subject else ""
    return f"• *{safe_text(group.name, 80)}*{subject} {group_address(group)}"


def group_address(group: KnownGroup) -> str:
    """Return the connection and the id of a group."""
    return f"on `{escape(group.connection)}`: `{safe_text(group.id, 200)}`"


def person_name(person: Person, *, short: bool = False) -> str:
    """Return a person's phone in international format, else their LID, else the rejected entry in quotes, and the name.

    `short` masks some digits, for channels in which not everyone may see full numbers.
    """
    number = _number(person, short=short)
    if not person.name:
        return number
    return f"{number} {shorten(shorten_numbers(person.name) if short else person.name, 40)}"


def _number(person: Person, *, short: bool) -> str:
    if not person.phone:
        typed = shorten_numbers(person.raw) if short else person.raw
        return person.lid or f"“{shorten(typed, 60)}”"
    number = phonenumbers.parse(person.phone)
    if not short:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"+{number.country_code} {_without_middle(phonenumbers.national_significant_number(number))}"


def item_name(p: RequestItem, *, short: bool = False) -> str:
    """Return the name of a request's item: a person, or a thing such as a setting."""
    is_thing = not p.person.is_person and p.outcome is not Outcome.INVALID
    return shorten(p.person.raw, 60) if is_thing else person_name(p.person, short=short)


def rejected_entry(entry: RejectedEntry) -> str:
    """Return an entry that isn't a number: its location, what was typed, and the reason."""
    where = f"{entry.location}, " if entry.location else ""
    name = f" {safe_text(entry.name, 40)}" if entry.name else ""
    return f"{where}“{safe_text(entry.raw, 60)}”{name}: {escape(entry.reason)}"


def shorten_numbers(text: str) -> str:
    """Mask some digits of every phone number in a text.

    >>> shorten_numbers("no 1415 555-0100 here")
    'no 141 ••• 0100 here'
    """
    return _LONG_NUMBER.sub(lambda match: _without_middle("".join(filter(str.isdigit, match[0]))), text)


def format_time(at: datetime) -> str:
    """Format a time in the reader's own time zone, with UTC as the fallback (docs.slack.dev, "Formatting")."""
    fallback = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def scheduled_for(at: datetime) -> str:
    """Return when a scheduled request starts."""
    fallback = at.astimezone(UTC).strftime("%a %Y-%m-%d %H:%M UTC")
    return f"Starts <!date^{int(at.timestamp())}^{{date_long_pretty}} {{time}}|{fallback}>."


def request_link(request_id: str, link: str) -> str:
    """Return the name of a request, linked to its thread if it has one."""
    return f"{f'<{link}|request>' if link else 'request'} `{request_id}`"


def reference(request_id: str) -> str:
    """Return the id under which the log and the audit journal have something."""
    return f"Reference: `{request_id}`"


def roles(names: Iterable[str]) -> str:
    """Return the names of roles, joined by "or"."""
    return " or ".join(f"`{escape(name)}`" for name in names)


def mentions(members: Sequence[str]) -> str:
    """Mention users and user groups."""
    return " ".join(map(mention, members[:_MAX_MENTIONS]))


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 person`, `2 people`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def _without_middle(digits: str) -> str:
    """Mask at least three digits in the middle, or all but the last two of a short number."""
    last = 4 if len(digits) > 8 else 2  # noqa: PLR2004 - numbers are this short on some islands only
    first = min(3, max(0, len(digits) - last - 3))
    return f"{digits[:first]} {_HIDDEN} {digits[-last:]}".lstrip()


def _shown(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cs":
            return "\N{REPLACEMENT CHARACTER}"
        case _:
            return "" if character in _BIDI_CONTROLS else character


def _truncate(line: str, most: int) -> str:
    if _units(line) <= most:
        return line
    kept = line.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    return kept.rstrip("\N{ZERO WIDTH JOINER} ") + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
