"""The errors of the WhatsApp Gateway, by status and error envelope (`contracts/wagateway.openapi.yaml`)."""

from collections.abc import Mapping

import httpx

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import Reply, rate_limited
from providers.wagateway.models import Problem


class PersonNotFound(InvalidRequest):
    """The gateway has no contact with this LID, or can't find the recipient of a text."""


_BY_STATUS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "The gateway found the request malformed."),
    401: (CredentialsRejected, "The gateway does not accept the token."),
    403: (PermissionMissing, "The token lacks a permission at the gateway."),
    422: (InvalidRequest, "The gateway found the request malformed."),
}
_NOT_FOUND: Mapping[type[ProviderError], str] = {
    AccountDisconnected: "The gateway knows no session with this id for this token; check the connection's account.",
    GroupNotFound: "The gateway knows no such group in this session, or no such session.",
    PersonNotFound: "The gateway does not know this person.",
}


def error_for(reply: Reply, missing: type[ProviderError]) -> ProviderError:
    """Return the error for an answer that isn't the documented success; `missing` is the meaning of a `not_found`."""
    problem = Problem.of(reply) or Problem()
    code = problem.code or str(reply.status)
    text = problem.message or reply.text
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, code=code, provider_text=text)
    kind, message = _BY_STATUS.get(
        reply.status, (ProviderFault, "The gateway gave an answer that it does not document.")
    )
    if reply.status == httpx.codes.NOT_FOUND:
        kind, message = missing, _NOT_FOUND[missing]
    elif (reply.status, problem.code) == (501, "not_implemented"):
        kind, message = AccountDisconnected, "The WhatsApp session is not connected."
    return kind(message, code=code, provider_text=text)


def outcome_unknown(error: ProviderError) -> OutcomeUnknown:
    """Return the error for a write that was sent and may have been done, with the code and text of `error`."""
    return OutcomeUnknown(
        "The gateway's answer leaves open what was done.", code=error.code, provider_text=error.provider_text
    )
