"""Text from outside, without halves of surrogate pairs: JSON can contain them, and UTF-8 can't."""

import re
from typing import Any

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return a text with U+FFFD in place of each half of a surrogate pair, such as half an emoji."""
    return _HALF_PAIR.sub("\ufffd", text)


def clean_json(value: Any) -> Any:
    """Clean all texts of a JSON value. Objects and arrays are changed in place; return the value."""
    waiting: list[Any] = [holder := [value]]
    while waiting:
        container = waiting.pop()
        for key, inner in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(inner, str):
                container[key] = clean_text(inner)
            elif isinstance(inner, dict | list):
                waiting.append(inner)
    return holder[0]
