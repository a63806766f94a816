"""What the refusals of WA.cr mean; where code and words sit in their bodies is not documented."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import httpx

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
)
from providers.http import Reply

MINUTE = 60.0
"""Seconds after which a call is accepted again: the limit counts calls per minute, and no header is documented."""

_CODE = re.compile(
    r"\b(UNAUTHORIZED|INSUFFICIENT_SCOPE|FEATURE_LIMIT_EXCEEDED|CONTACT_OPTED_OUT|NOT_FOUND|VALIDATION_ERROR"
    r"|WHATSAPP_NOT_CONFIGURED|RATE_LIMIT_EXCEEDED|INTERNAL_ERROR|MESSAGE_SEND_FAILED)\b"
)

_NOT_PROCESSED = frozenset({400, 405, 411, 413, 414, 415, 422, 431})
"""The documented 422, and statuses by which a server refuses a request as it stands (RFC 9110 §15.5, RFC 6585).

Nothing is documented of the others: one such as 409 may come after the effect.
"""


class PlanIsFull(AccountRestricted):
    """A limit of the plan is reached. What it does not count goes on, so the connection does not rest."""

    cooldown = 0.0


class NoMoreContacts(PlanIsFull):
    """The plan has no room for another contact. Whoever has one already is not kept out."""

    stops_sending = False


_BY_CODE: Mapping[tuple[int, str], tuple[type[ProviderError], str]] = MappingProxyType(
    {
        (403, "FEATURE_LIMIT_EXCEEDED"): (PlanIsFull, "A limit of the WA.cr plan is reached."),
        (403, "CONTACT_OPTED_OUT"): (InvalidRequest, "The person has opted out of messages."),
        (404, "NOT_FOUND"): (InvalidRequest, "WA.cr does not find what it was asked about."),
        (422, "WHATSAPP_NOT_CONFIGURED"): (AccountDisconnected, "The WA.cr account has no WhatsApp number set up."),
        (500, "MESSAGE_SEND_FAILED"): (InvalidRequest, "WhatsApp refused the message."),
    }
)
"""What a code says beyond its status; an unknown group is told by the path."""


def refusal(reply: Reply, path: str, needs: str, *, was_write: bool) -> ProviderError:
    """Read a status that is not 2xx: status first, its code found by search, as the contract advises."""
    code, words = told_by(reply)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        message = "WA.cr refused because of too many calls in a minute."
        return RateLimited(message, code=code, provider_text=words, retry_after=reply.retry_after or MINUTE)
    kind, message = _meaning(reply.status, code, path, needs, was_write=was_write)
    return kind(message, code=code, provider_text=words)


def told_by(reply: Reply) -> tuple[str, str]:
    """Give the code of an error, or the status where it has none, and its words, wherever the body has them."""
    found = _CODE.search(reply.text)
    words = "; ".join(dict.fromkeys(_strings(reply.body))) or reply.text
    return found[0] if found else str(reply.status), words


def _meaning(status: int, code: str, path: str, needs: str, *, was_write: bool) -> tuple[type[ProviderError], str]:
    match status:
        case 401:
            return CredentialsRejected, "WA.cr does not accept the token."
        case 404 if path.startswith("/groups/"):
            return GroupNotFound, "WA.cr knows no group with this id."
        case 403 if code == "FEATURE_LIMIT_EXCEEDED" and path.startswith("/contacts"):
            return NoMoreContacts, "The WA.cr plan has no room for another contact."
        case _ if (status, code) in _BY_CODE:
            return _BY_CODE[status, code]
        case 403:
            return PermissionMissing, f"The WA.cr token may not do this: it needs {needs}."
        case 404:
            return ProviderFault, f"WA.cr has nothing at {path}; check base_url."
        case _ if status in _NOT_PROCESSED:
            return InvalidRequest, "WA.cr found the request invalid."
        case _ if was_write:
            return OutcomeUnknown, "WA.cr failed, and does not say what it did."
    return ProviderFault, "WA.cr failed."


def _strings(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _strings(part)
