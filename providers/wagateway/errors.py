"""The errors of the WhatsApp Gateway, by status and error envelope (`contracts/wagateway.openapi.yaml`)."""

from collections.abc import Mapping

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
from providers.http import Reply
from providers.responses import ErrorKind, error_for_status
from providers.wagateway.models import ErrorDetail


class PersonNotFound(InvalidRequest):
    """The gateway has no contact with this LID, or can't find the recipient of a text."""


_ERRORS: Mapping[int, ErrorKind] = {
    400: (InvalidRequest, "The gateway rejected the request as malformed."),
    401: (CredentialsRejected, "The gateway rejected the token."),
    403: (PermissionMissing, "The gateway's token lacks a permission."),
    422: (InvalidRequest, "The gateway rejected the request as malformed."),
}
_NOT_FOUND: Mapping[type[ProviderError], str] = {
    AccountDisconnected: "The gateway has no session with this id for this token. Check the connection's account.",
    GroupNotFound: "The gateway doesn't know this group or this session.",
    PersonNotFound: "The gateway doesn't know this person.",
}


def error_for(reply: Reply, not_found: type[ProviderError]) -> ProviderError:
    """Return the error for an answer that isn't the documented success; `not_found` is the meaning of a 404."""
    detail = ErrorDetail.of(reply) or ErrorDetail()
    errors = {**_ERRORS, 404: (not_found, _NOT_FOUND[not_found])}
    if detail.code == "not_implemented":
        errors[501] = (AccountDisconnected, "The WhatsApp session isn't connected.")
    unexpected = (ProviderFault, "The gateway's answer isn't documented.")
    return error_for_status(reply, errors, unexpected, code=detail.code, provider_text=detail.message or reply.text)


def outcome_unknown(error: ProviderError) -> OutcomeUnknown:
    """Return the error for a write that was sent and may have been done, with the code and text of `error`."""
    message = "The gateway's answer doesn't say what was done, so the result isn't known."
    return OutcomeUnknown(message, code=error.code, provider_text=error.provider_text)
