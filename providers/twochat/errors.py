"""The errors of 2Chat: its statuses (page api-response-codes), and its error text in three published formats."""

import re
from collections.abc import Mapping

import httpx
from pydantic import BaseModel

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
)
from providers.http import Reply
from providers.responses import (
    ErrorKind,
    ProviderText,
    error_for_status,
    outcome_unknown,
    to_provider_text,
    unexpected_failure,
)

BUSY = 486
"""Not a registered status: the number is still working on an earlier request, and this one wasn't started."""

PHONE_STATES = frozenset({httpx.codes.CONFLICT, httpx.codes.GONE, BUSY})
"""States of the phone in which nothing is started. The page advises trying again in a few seconds."""

NOT_STARTED = PHONE_STATES | {httpx.codes.TOO_MANY_REQUESTS}
"""Statuses that mean that nothing of the call was started, whatever else the answer says."""

PHONE_STATE_COOLDOWN = 10.0
"""The pause in seconds after such a state if the answer gives none: the page says "a few"."""

NO_GROUP: ErrorKind = (
    GroupNotFound,
    "2Chat doesn't know this group (a new one can take minutes), or it doesn't know the connected number.",
)
NO_NUMBER: ErrorKind = (AccountDisconnected, "2Chat doesn't know the connected number.")
NEITHER_NUMBER: ErrorKind = (InvalidRequest, "2Chat doesn't know one of the two numbers.")
NO_PATH: ErrorKind = (ProviderFault, "2Chat has nothing at this address. Check base_url.")
"""The meaning of a 404: "which thing depends on the request"."""

_NOT_ADMIN: ErrorKind = (NotGroupAdmin, "The connected number isn't an admin of the group.")

_ERRORS: Mapping[int, ErrorKind] = {
    400: (InvalidRequest, "2Chat couldn't read the request."),
    401: (CredentialsRejected, "2Chat rejected the API key."),
    402: (AccountRestricted, "The 2Chat trial is over, or its credits are spent."),
    403: (PermissionMissing, "2Chat doesn't allow this."),
    406: (InvalidRequest, "2Chat doesn't support this here."),
    409: (AccountDisconnected, "The connected number is restarting, so nothing was done. Try again in a few seconds."),
    410: (AccountDisconnected, "The connected number is connecting or disconnecting, so nothing was done."),
    422: (InvalidRequest, "2Chat rejected the request as invalid."),
}
"""The statuses of the one table for the whole API. Here 409 and 410 are states of the phone, not conflict and gone."""

_ADMIN_TEXT = re.compile(r"\badmin.*\bgroup\b|\bgroup\b.*\badmin", re.IGNORECASE | re.DOTALL)


class Envelope(BaseModel):
    """The fields that any body may have: `success`, and an error's text under one of three names."""

    success: bool | None = None
    error_message: ProviderText = ""
    message: ProviderText = ""
    detail: ProviderText = ""

    @property
    def text(self) -> str:
        """The error's text, in the order of preference of the contract's Error schema."""
        return self.error_message or self.message or self.detail


def envelope_of(reply: Reply) -> Envelope:
    """Return the envelope of a body; an empty one if the body has another format."""
    return reply.parse_or(Envelope())


def text_of(reply: Reply) -> str:
    """Return 2Chat's own words in a body, or the beginning of the body itself."""
    return envelope_of(reply).text or to_provider_text(reply.text)


def error_for(reply: Reply, not_found: ErrorKind, *, wrote: bool) -> ProviderError:
    """Return the error for a status outside 2xx. After a 5xx or an unknown status the result of a write isn't known.

    Args:
        reply: the response.
        not_found: the meaning of a 404. One with a page instead of JSON didn't come from 2Chat's API.
        wrote: whether the call was a write.
    """
    text = text_of(reply)
    if reply.status == BUSY:
        message = "The connected number is still busy with an earlier request, so nothing was done."
        return RateLimited(message, code=str(reply.status), provider_text=text, retry_after=_cooldown(reply))
    errors = {
        **_ERRORS,
        403: _forbidden(text),
        404: NO_PATH if reply.text.strip() and reply.body is None else not_found,
    }
    error = error_for_status(reply, errors, unexpected_failure("2Chat", wrote=wrote), provider_text=text)
    if reply.status in PHONE_STATES:
        error.cooldown = _cooldown(reply)
    return error


def check_success(reply: Reply) -> None:
    """Check that a 2xx to a write reports a success.

    How 2Chat answers when the number isn't a group admin is not documented. A 2xx that says so is believed.

    Raises:
        NotGroupAdmin: the number isn't an admin of the group.
        OutcomeUnknown: it reports no success.
    """
    envelope, text = envelope_of(reply), text_of(reply)
    if envelope.success is True:
        return
    if envelope.success is False and _ADMIN_TEXT.search(text):
        kind, message = _NOT_ADMIN
        raise kind(message, code=str(reply.status), provider_text=text)
    what = "2Chat reports a failure" if envelope.success is False else "2Chat's answer doesn't say what was done"
    raise outcome_unknown(reply, what, text)


def partial_failure(error: ProviderError) -> ProviderError:
    """Return the error of a change that concerns more than one person.

    Which status comes when some people fail is not documented: a 422 may be about one of them, after others.
    """
    if error.code != str(int(httpx.codes.UNPROCESSABLE_ENTITY)):
        return error
    return OutcomeUnknown(
        "2Chat rejected the request, perhaps for some of the people only, so the result isn't known.",
        code=error.code,
        provider_text=error.provider_text,
    )


def _cooldown(reply: Reply) -> float:
    return PHONE_STATE_COOLDOWN if reply.retry_after is None else reply.retry_after


def _forbidden(text: str) -> ErrorKind:
    """Return the meaning of a 403: no key (recorded by a third party), no group admin (not documented), or other."""
    if text == "Not authenticated":
        return CredentialsRejected, "2Chat got no API key."
    return _NOT_ADMIN if _ADMIN_TEXT.search(text) else _ERRORS[403]
