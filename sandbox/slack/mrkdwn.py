"""Looks over mrkdwn text for what Slack would show wrongly, though it does not refuse it.

Source: https://docs.slack.dev/messaging/formatting-message-text (`&`, `<` and `>` must be escaped).
"""

import re
from collections.abc import Iterator
from typing import Any

_SEQUENCE = re.compile(
    r"<(?:@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!here|!channel|!everyone|!date\^\d+\^[^|>]+\|[^>]+"
    r"|(?:https?://|mailto:|tel:)[^|>]+)(?:\|[^>]*)?>"
)
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def oddities(text: str) -> list[str]:
    """Give what is odd in a text: a bare `<` or `&`, such as a provider's words may bring in."""
    rest = _SEQUENCE.sub("", text)
    found = []
    if "<" in rest:
        found.append(f"unescaped < in {text!r}")
    if _ENTITY.search(rest):
        found.append(f"unescaped & in {text!r}")
    return found


def texts(blocks: Any) -> Iterator[str]:
    """Give every mrkdwn text within blocks."""
    if isinstance(blocks, dict):
        if blocks.get("type") == "mrkdwn":
            yield str(blocks.get("text", ""))
        else:
            for field in blocks.values():
                yield from texts(field)
    elif isinstance(blocks, list):
        for item in blocks:
            yield from texts(item)
