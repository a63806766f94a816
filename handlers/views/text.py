"""Text for Slack: foreign words made harmless and short, people and phones as they are shown."""

import re
import unicodedata
from datetime import UTC, datetime

import phonenumbers

from bot.domain.requests import RequestItem
from bot.domain.roster import RejectedEntry
from providers.base import Outcome, Person

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_HIDDEN = "•••"
_LONG_NUMBER = re.compile(r"(?<!\d)(?!\d{4}-\d{2}-\d{2}\b)\d(?:[\s().-]{0,3}\d){6,}")
"""Seven digits and more, as people write phone numbers; a date is none."""


def escape(text: str) -> str:
    """Escape what people or providers wrote (docs.slack.dev, "Formatting message text").

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, most: int) -> str:
    """Bring `text` to one line of at most `most` characters, the last of them an ellipsis where something was left out.

    Control characters go. A text with right-to-left script is isolated (Unicode TR9, "Explicit Directional Isolates"),
    or it would turn around the words beside it. Lengths are UTF-16 units: where Slack counts code points, of which an
    emoji is one and not two, the text is only shorter than it had to be.
    """
    line = " ".join("".join(_shown(c) for c in text).split())
    if not any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in line):
        return _truncate(line, most)
    return f"{_ISOLATE}{_truncate(line, most - 2)}{_END_ISOLATE}"


def safe_text(text: str, most: int) -> str:
    """Make foreign words safe to show: cut and escaped, at most `most` characters with all escapes."""
    room = most
    while _units(shown := escape(shorten(text, room))) > most:
        room -= max(1, (_units(shown) - most) // len("&amp;"))
    return shown


def excerpt(text: str, most: int) -> str:
    """Quote the beginning of foreign words, at most `most` characters of them, and say how many more there are.

    With all escapes and what is said around them it has at most twice as many characters, and a few.
    """
    kept = text[:most]
    while _units(escape(kept)) > 2 * most:
        kept = kept[: len(kept) // 2]
    left = len(text) - len(kept)
    more = f" … {count(left, 'more character')}: see Details" if left else ""
    return f"“{safe_text(kept, 2 * most + 2)}”{more}"


def without_markup(text: str) -> str:
    """Take the marks of mrkdwn out of our own words, for where Slack shows them as they are: errors in a modal."""
    return text.replace("`", "").replace("*", "")


def person_name(person: Person, *, short: bool = False) -> str:
    """Show a person: the phone in international form, a LID, or what was typed, in quotes, where it was rejected.

    `short` is for where more people read than may know numbers: some digits of each are left out.
    """
    if not person.phone:
        typed = shorten_numbers(person.raw) if short else person.raw
        return person.lid or f"“{shorten(typed, 60)}”"
    number = phonenumbers.parse(person.phone)
    if not short:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"+{number.country_code} {_without_middle(phonenumbers.national_significant_number(number))}"


def item_name(p: RequestItem, *, short: bool = False) -> str:
    """Show whom or what a line of a request is about: a person, or a thing such as a setting, by its own name."""
    is_thing = not p.person.is_person and p.outcome is not Outcome.INVALID
    return shorten(p.person.raw, 60) if is_thing else person_name(p.person, short=short)


def rejected_entry(entry: RejectedEntry) -> str:
    """Show an entry that is no number: where it stood, what was typed, and why it is none."""
    where = f"{entry.location}, " if entry.location else ""
    return f"{where}“{safe_text(entry.raw, 60)}”: {escape(entry.reason)}"


def shorten_numbers(text: str) -> str:
    """Leave some digits out of every phone number in a text.

    >>> shortened("no 1415 555-0100 here")
    'no 141 ••• 0100 here'
    """
    return _LONG_NUMBER.sub(lambda match: _without_middle("".join(filter(str.isdigit, match[0]))), text)


def format_time(at: datetime) -> str:
    """Show a moment in the reader's own time zone, in UTC where that cannot be done (docs.slack.dev, "Formatting")."""
    fallback = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def scheduled_for(at: datetime) -> str:
    """Say when something begins that was put off."""
    return f"It begins {format_time(at)}, not before."


def count(number: int, noun: str, plural: str = "") -> str:
    """Say a number of things: `1 person`, `2 people`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def _without_middle(digits: str) -> str:
    """Leave at least three digits out of the middle, or what is there before the last two."""
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
