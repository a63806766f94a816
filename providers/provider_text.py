"""What providers say in their own words, which may be of any JSON type: one short line of printable text."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator

MAX_PROVIDER_TEXT = 300
"""Characters kept of what a provider says."""


def to_provider_text(value: Any) -> str:
    """Give words of any JSON type as one short line of printable text; empty for null and false."""
    text = value if isinstance(value, str) else "" if value is None or value is False else json.dumps(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_PROVIDER_TEXT]


ProviderText = Annotated[str, BeforeValidator(to_provider_text)]
