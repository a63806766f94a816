"""The grammar of typed commands: `<group> <participants…> [reason: …]`."""

import html
import re
from dataclasses import dataclass

_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "'": "'", "‘": "’", "«": "»"}
_REASON = re.compile(r"(?:^|\s)reason:\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_STARTS_LIKE_A_NUMBER = re.compile(r"<tel:|\+|00\d|\(?\d[\d\s().-]{6,}")


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
    """Split what was typed after `/wa-add` and its like. Slack turns `"` into typographic quotes: both count."""
    text = text.strip()
    reason = ""
    if match := _REASON.search(text):
        reason = html.unescape(match[1].strip())
        text = text[: match.start()].strip()
    if not text:
        return UsageError("The group is missing.")
    if text[0] in _QUOTES:
        end = text.find(_QUOTES[text[0]], 1)
        if end < 0 and _QUOTES[text[0]] in "”“":
            end = next((i for i, c in enumerate(text[1:], 1) if c in '"“”'), -1)
        if end < 0:
            return UsageError("The group's name begins with a quote that does not end.")
        group, rest = text[1:end], text[end + 1 :]
    else:
        if _STARTS_LIKE_A_NUMBER.match(text) and not re.match(r"\S+@g\.us\b|\d+\s", text):
            return UsageError("The group is missing: name it before the numbers.")
        group, _, rest = text.partition(" ") if "\n" not in text.split(" ", 1)[0] else text.partition("\n")
    group, rest = html.unescape(group.strip()), rest.strip()
    if not group:
        return UsageError("The group is missing.")
    if not rest:
        return UsageError("The numbers are missing.")
    return Command(group, rest, reason)
