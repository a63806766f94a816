"""The errors of WA.cr. Where their bodies have the code and the text is not documented."""

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
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import Reply
from providers.responses import ErrorKind, rate_limited, unexpected_failure

LIMIT_WINDOW_SECONDS = 60.0
"""The time after which calls are accepted again: the limit is per minute, and no header is documented."""

_CODE = re.compile(
    r"\b(UNAUTHORIZED|INSUFFICIENT_SCOPE|FEATURE_LIMIT_EXCEEDED|CONTACT_OPTED_OUT|NOT_FOUND|VALIDATION_ERROR"
    r"|WHATSAPP_NOT_CONFIGURED|RATE_LIMIT_EXCEEDED|INTERNAL_ERROR|MESSAGE_SEND_FAILED)\b"
)

_REJECTED = frozenset({400, 405, 411, 413, 414, 415, 422, 431})
"""The documented 422, and the statuses for a request that a server rejects unread (RFC 9110 §15.5, RFC 6585).

The others are not documented: one such as 409 may come after the effect.
"""


class PlanLimitReached(AccountRestricted):
    """A limit of the plan is reached. Calls that it doesn't count still work, so the account doesn't pause."""

    cooldown = 0.0


class ContactLimitReached(PlanLimitReached):
    """The plan has no room for another contact. People who already have a contact can still be added."""

    stops_sending = False


_BY_CODE: Mapping[tuple[int, str], ErrorKind] = MappingProxyType(
    {
        (403, "FEATURE_LIMIT_EXCEEDED"): (PlanLimitReached, "A limit of the WA.cr plan is reached."),
        (403, "CONTACT_OPTED_OUT"): (InvalidRequest, "The person has opted out of messages."),
        (404, "NOT_FOUND"): (InvalidRequest, "WA.cr didn't find the contact or group."),
        (422, "WHATSAPP_NOT_CONFIGURED"): (AccountDisconnected, "The WA.cr account has no WhatsApp number."),
        (500, "MESSAGE_SEND_FAILED"): (InvalidRequest, "WhatsApp rejected the message."),
    }
)
"""The codes that say more than their status. An unknown group is recognised by the path."""


def error_for(reply: Reply, path: str, needs: str, *, wrote: bool) -> ProviderError:
    """Return the error for a status outside 2xx: by the status first, then by the code, as the contract advises.

    Args:
        reply: the response.
        path: the path of the call.
        needs: the scope that the call needs.
        wrote: whether the call was a write.
    """
    code, text = code_and_text_of(reply)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, code=code, provider_text=text, limit_window=LIMIT_WINDOW_SECONDS)
    kind, message = _kind(reply.status, code, path, needs, wrote=wrote)
    return kind(message, code=code, provider_text=text)


def code_and_text_of(reply: Reply) -> tuple[str, str]:
    """Return the code of an error (the status if it has none) and its text, wherever the body has them."""
    found = _CODE.search(reply.text)
    text = "; ".join(dict.fromkeys(_strings(reply.body))) or reply.text
    return found[0] if found else str(reply.status), text


def _kind(status: int, code: str, path: str, needs: str, *, wrote: bool) -> ErrorKind:
    match status:
        case 401:
            return CredentialsRejected, "WA.cr rejected the token."
        case 404 if path.startswith("/groups/"):
            return GroupNotFound, "WA.cr has no group with this id."
        case 403 if code == "FEATURE_LIMIT_EXCEEDED" and path.startswith("/contacts"):
            return ContactLimitReached, "The WA.cr plan has no room for another contact."
        case _ if (status, code) in _BY_CODE:
            return _BY_CODE[status, code]
        case 403:
            return PermissionMissing, f"The WA.cr token lacks the scope {needs}."
        case 404:
            return ProviderFault, "WA.cr has nothing at this address. Check base_url."
        case _ if status in _REJECTED:
            return InvalidRequest, "WA.cr rejected the request as invalid."
    return unexpected_failure("WA.cr", wrote=wrote)


def _strings(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _strings(part)
