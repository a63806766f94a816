"""The errors of Wasend, by status and body."""

import re
from dataclasses import dataclass, replace
from typing import Any

import httpx
from pydantic import BaseModel

from providers.base import (
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
)
from providers.http import Model, Reply
from providers.responses import ProviderText, error_for_status, outcome_unknown, to_provider_text, unexpected_failure

NO_SUCH_PATH = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED})
"""The answers to a path, or a method of a path, that a server doesn't have. A 404 can also mean an unknown group."""

NO_SUCH_BODY = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY})
"""The answers to a body without a required field."""

PARTIAL_FAILURE = NO_SUCH_BODY | {httpx.codes.NOT_FOUND}
"""The answers that a change of several people may get because of one of them, perhaps after others: only the statuses
of add are documented."""

PARTIAL_FAILURE_OF_ADD = PARTIAL_FAILURE - {httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND}
"""The same for add, whose page explains 400 and 404: they are about the request, the session or the group."""

_BARE_CODE = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""An invite code without quotes, which the SDK's client accepts as a text too: WhatsApp's have 22 characters."""

_MESSAGES: dict[type[ProviderError], str] = {
    InvalidRequest: "Wasend rejected the request.",
    CredentialsRejected: "Wasend rejected the API key.",
    PermissionMissing: "Wasend doesn't allow this.",
    NotGroupAdmin: "Wasend doesn't allow this: the session isn't an admin of the group.",
    GroupNotFound: "Wasend doesn't know the group or the session.",
}


@dataclass(frozen=True, slots=True)
class ErrorKinds:
    """The meaning of the two statuses that depend on the call.

    Only the add page has an error table (403: only group admins may; 404: unknown session or group). The other calls
    are assumed to share it.
    """

    forbidden: type[ProviderError]
    not_found: type[ProviderError]


MEMBER_CALL = ErrorKinds(PermissionMissing, GroupNotFound)
"""For calls about a group that any member may make."""
ADMIN_CALL = ErrorKinds(NotGroupAdmin, GroupNotFound)
"""For calls about a group that only its admins may make."""
SESSION_CALL = ErrorKinds(PermissionMissing, InvalidRequest)
"""For calls without a group: a 404 may be about the session, whose state then explains it."""


class Envelope(BaseModel):
    """The fields that any body may have: `success`, and text under `message` or `error`."""

    success: bool | None = None
    message: ProviderText = ""
    error: ProviderText = ""

    @property
    def reports_failure(self) -> bool:
        """Whether the body reports a failure, whatever the status is."""
        return self.success is False or (self.success is None and bool(self.error))


def envelope_of(reply: Reply) -> Envelope:
    """Return the envelope of a body; an empty one if the body has another format."""
    return reply.parse_or(Envelope())


def text_of(reply: Reply) -> str:
    """Return Wasend's own words in a body, or the beginning of the body itself."""
    envelope = envelope_of(reply)
    return envelope.message or envelope.error or to_provider_text(reply.text)


def is_empty(reply: Reply) -> bool:
    """Return whether there is no body at all, as the SDK types the responses of most writes."""
    return not reply.text.strip()


def body_of(reply: Reply) -> Any:
    """Return the JSON body, or the text if it is a bare invite code; None for any other text."""
    text = reply.text.strip()
    return text if reply.body is None and _BARE_CODE.fullmatch(text) else reply.body


def unknown_after(reply: Reply, what: str) -> OutcomeUnknown:
    """Build the error for a write whose response leaves open what it did; `what` says what happened."""
    return outcome_unknown(reply, what, text_of(reply))


def error_for(reply: Reply, kinds: ErrorKinds, *, wrote: bool) -> ProviderError:
    """Return the error for a failed call. After a 5xx or an undocumented status the result of a write isn't known.

    The statuses after which nothing was done are those of the add page, and the two for a missing path or field.

    Args:
        reply: the response.
        kinds: the meaning of 403 and 404.
        wrote: whether the call was a write.
    """
    errors = {
        400: (InvalidRequest, _MESSAGES[InvalidRequest]),
        401: (CredentialsRejected, _MESSAGES[CredentialsRejected]),
        403: (kinds.forbidden, _MESSAGES[kinds.forbidden]),
        404: (kinds.not_found, _MESSAGES[kinds.not_found]),
        405: (InvalidRequest, _MESSAGES[InvalidRequest]),
        422: (InvalidRequest, _MESSAGES[InvalidRequest]),
    }
    unexpected = unexpected_failure("Wasend", wrote=wrote)
    return error_for_status(reply, errors, unexpected, provider_text=text_of(reply))


def parse_success(reply: Reply, model: type[Model]) -> Model:
    """Parse the 2xx response to a write.

    Raises:
        OutcomeUnknown: the body reports a failure or has another format.
    """
    if envelope_of(reply).reports_failure:
        raise unknown_after(reply, "Wasend reports a failure")
    return parse_result(reply, model)


def parse_result(reply: Reply, model: type[Model]) -> Model:
    """Parse the 2xx response to a write. An empty one is an empty `model`: the SDK takes any 2xx as done.

    Raises:
        OutcomeUnknown: the body has another format.
    """
    body = {} if is_empty(reply) else body_of(reply)
    return replace(reply, body=body).parse_result(model, text_of(reply))
