"""Reading the responses of providers: their own words, WhatsApp's codes for a participant, and the errors of statuses.

WhatsApp publishes no list of participant codes. Their meanings are those on which the main WhatsApp libraries agree
(Baileys #263 and WAHA #389 for 403). As an HTTP status, or for a whole request, the same number means other things.
"""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import httpx
from pydantic import BeforeValidator

from providers.base import Outcome, OutcomeUnknown, ProviderError, ProviderFault, RateLimited, Verdict
from providers.http import Reply

MAX_PROVIDER_TEXT = 300
"""The characters kept of a provider's own words."""

PARTICIPANT_CODES: Mapping[str, Outcome] = MappingProxyType(
    {
        "401": Outcome.FAILED,  # the account is no admin, or the person blocked it: the code doesn't say which
        "403": Outcome.REFUSED,
        "404": Outcome.NOT_ON_WHATSAPP,
        "408": Outcome.RECENTLY_LEFT,
        "409": Outcome.ALREADY_DONE,
        "417": Outcome.REFUSED,  # cannot join the community directly
        "419": Outcome.GROUP_FULL,
        "421": Outcome.PENDING,
        "429": Outcome.RATE_LIMITED,
    }
)
"""The outcome of each participant code. 200 (added) is left out: each adapter decides whether it proves anything."""

ErrorKind = tuple[type[ProviderError], str]
"""The class of an error and its message."""


def to_provider_text(value: Any) -> str:
    """Return a value of any JSON type as one short line of printable text; empty for null and false."""
    text = value if isinstance(value, str) else "" if value is None or value is False else json.dumps(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_PROVIDER_TEXT]


ProviderText = Annotated[str, BeforeValidator(to_provider_text)]
"""A field with the provider's own words, which may be of any JSON type."""


def error_for_status(
    reply: Reply,
    errors: Mapping[int, ErrorKind],
    default: ErrorKind,
    *,
    code: str = "",
    provider_text: str | None = None,
) -> ProviderError:
    """Build the error for a response that isn't a success: `RateLimited` for a 429, else by its status.

    Args:
        reply: the response.
        errors: the documented statuses.
        default: the error for every other status.
        code: the provider's own code; empty for the status.
        provider_text: the provider's own words; None for the text of the body.
    """
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, code=code, provider_text=provider_text or "")
    kind, message = errors.get(reply.status, default)
    text = reply.text if provider_text is None else provider_text
    return kind(message, code=code or str(reply.status), provider_text=text)


def unexpected_failure(provider: str, *, wrote: bool) -> ErrorKind:
    """Return the error for an undocumented failure: after a write, its result isn't known."""
    if wrote:
        return OutcomeUnknown, f"{provider} failed, so the result isn't known."
    return ProviderFault, f"{provider} failed."


def rate_limited(
    reply: Reply, *, code: str = "", provider_text: str = "", limit_window: float | None = None
) -> RateLimited:
    """Build the error for a 429 with its `Retry-After`; without one, `limit_window` is the wait in seconds."""
    return RateLimited(
        "The provider's rate limit is reached: too many calls.",
        code=code or str(reply.status),
        provider_text=provider_text or reply.text,
        retry_after=limit_window if reply.retry_after is None else reply.retry_after,
    )


def outcome_unknown(reply: Reply, what: str, provider_text: str = "") -> OutcomeUnknown:
    """Build the error for a write whose response leaves open what it did; `what` says what happened."""
    return OutcomeUnknown(f"{what}, so the result isn't known.", code=str(reply.status), provider_text=provider_text)


def rate_limit_of(verdicts: Iterable[Verdict]) -> RateLimited | None:
    """Return the error for a participant whom WhatsApp rate-limited, if any: the limit is the account's."""
    limited = next((verdict for verdict in verdicts if verdict.outcome is Outcome.RATE_LIMITED), None)
    if limited is None:
        return None
    message = "WhatsApp currently refuses changes by this account."
    return RateLimited(message, code=limited.provider_code, provider_text=limited.provider_message)
