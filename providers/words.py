"""What providers say in their own words, which may be of any JSON type: one short line of printable text."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator

LONGEST_WORDS = 300
"""Characters kept of what a provider says."""


def text_of(value: Any) -> str:
    """Give words of any JSON type as one short line of printable text; empty for null and false."""
    text = value if isinstance(value, str) else "" if value is None or value is False else json.dumps(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_WORDS]


Words = Annotated[str, BeforeValidator(text_of)]
