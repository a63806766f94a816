"""What goes wrong at 2Chat: its statuses (page api-response-codes), and its words in three published shapes."""

import re
from collections.abc import Mapping

import httpx
from pydantic import BaseModel, ValidationError

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
from providers.http import Reply, rate_limited
from providers.provider_text import ProviderText, to_provider_text

BUSY = 486
"""Not a registered status: the number still works on an earlier request, this one was not begun."""

PASSING = frozenset({httpx.codes.CONFLICT, httpx.codes.GONE, BUSY})
"""States of the phone in which nothing is begun, and after which the page advises to try again in a few seconds."""

NOT_BEGUN = PASSING | {httpx.codes.TOO_MANY_REQUESTS}
"""Statuses that say of the whole call that it was not begun, whatever stands beside them."""

PASSING_REST = 10.0
"""Seconds that such a number is left alone where the answer does not say how long: the page says "a few"."""

Meaning = tuple[type[ProviderError], str]

NO_GROUP: Meaning = (
    GroupNotFound,
    "2Chat does not know this group (a new one can take minutes), or not the acting number.",
)
NO_NUMBER: Meaning = (AccountDisconnected, "2Chat does not know the connected number.")
NEITHER_NUMBER: Meaning = (InvalidRequest, "2Chat does not know one of the two numbers.")
NO_PATH: Meaning = (ProviderFault, "2Chat has nothing at this path; check base_url.")
"""What a 404 is about: "which thing depends on the request"."""

_ERRORS: Mapping[int, Meaning] = {
    400: (InvalidRequest, "2Chat could not read the request."),
    401: (CredentialsRejected, "2Chat does not accept the API key."),
    402: (AccountRestricted, "The 2Chat trial is over, or its credits are spent."),
    403: (PermissionMissing, "2Chat does not allow this."),
    406: (InvalidRequest, "2Chat does not support this here."),
    409: (AccountDisconnected, "The connected number is starting again; nothing was done. Try in a few seconds."),
    410: (AccountDisconnected, "The connected number is connecting or disconnecting; nothing was done."),
    422: (InvalidRequest, "2Chat found the request invalid."),
}
"""HTTP statuses of the one API-wide table; 409 and 410 are states of the phone, not conflict and gone."""

_NOT_ADMIN = re.compile(r"\badmin.*\bgroup\b|\bgroup\b.*\badmin", re.IGNORECASE | re.DOTALL)


class Envelope(BaseModel):
    """What every body may carry: `success`, and an error's words under one of three names."""

    success: bool | None = None
    error_message: ProviderText = ""
    message: ProviderText = ""
    detail: ProviderText = ""

    @property
    def words(self) -> str:
        """The error's words, in the order of preference that the contract's Error schema gives."""
        return self.error_message or self.message or self.detail


def envelope_of(reply: Reply) -> Envelope:
    """Read what every body may carry; an empty envelope for a body of another shape."""
    try:
        return Envelope.model_validate(reply.body)
    except ValidationError:
        return Envelope()


def words_of(reply: Reply) -> str:
    """Give 2Chat's own words in a body, or the beginning of the body itself."""
    return envelope_of(reply).words or to_provider_text(reply.text)


def error_of(reply: Reply, missing: Meaning, *, wrote: bool) -> ProviderError:
    """Read a status outside 2xx. The effect of a write is open after a 5xx, and after what the table does not have.

    Args:
        reply: the answer.
        missing: what a 404 is about; one with a page in place of JSON did not come from 2Chat's API.
        wrote: whether the call was to change something.
    """
    words, code = words_of(reply), str(reply.status)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, provider_text=words)
    if reply.status == BUSY:
        message = "The connected number is still busy with an earlier request; nothing was done."
        return RateLimited(message, code=code, provider_text=words, retry_after=_rest_after(reply))
    if reply.status == httpx.codes.NOT_FOUND:
        kind, message = NO_PATH if reply.text.strip() and reply.body is None else missing
        return kind(message, code=code, provider_text=words)
    if reply.status in _ERRORS:
        kind, message = _forbidden(words) if reply.status == httpx.codes.FORBIDDEN else _ERRORS[reply.status]
        error = kind(message, code=code, provider_text=words)
        if reply.status in PASSING:
            error.cooldown = _rest_after(reply)
        return error
    if wrote:
        return OutcomeUnknown(
            "2Chat failed while changing something; only reading back can tell.", code=code, provider_text=words
        )
    return ProviderFault("2Chat failed.", code=code, provider_text=words)


def silence(reply: Reply) -> ProviderError:
    """Make the error of a 2xx to a write that does not tell what it did.

    How 2Chat answers when the number is no group admin is not documented: also in a 2xx it is believed to say so.
    """
    envelope, words, code = envelope_of(reply), words_of(reply), str(reply.status)
    if envelope.success is False and _NOT_ADMIN.search(words):
        return NotGroupAdmin("The connected number is not an admin of the group.", code=code, provider_text=words)
    said = "2Chat reports a failure" if envelope.success is False else "2Chat's answer does not tell what was done"
    return OutcomeUnknown(f"{said}; only reading back can tell.", code=code, provider_text=words)


def _rest_after(reply: Reply) -> float:
    return PASSING_REST if reply.retry_after is None else reply.retry_after


def _forbidden(words: str) -> Meaning:
    """Tell apart what 403 may be: no key (recorded by a third party), no group admin (not documented), or the rest."""
    if words == "Not authenticated":
        return CredentialsRejected, "2Chat got no API key."
    if _NOT_ADMIN.search(words):
        return NotGroupAdmin, "The connected number is not an admin of the group."
    return _ERRORS[httpx.codes.FORBIDDEN]
