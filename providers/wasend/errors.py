"""What Wasend's statuses and words mean in the taxonomy of `providers.base`."""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import Reply, rate_limited
from providers.provider_text import ProviderText, to_provider_text

NO_SUCH_PATH = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED})
"""How a server answers a path, or a method of a path, that it does not have; 404 is its word for no such group too."""

NO_SUCH_BODY = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY})
"""How a server answers a body without the field that it asks for."""

ON_THE_ADD_PAGE = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND})
"""Of the statuses below those that the page on adding explains, by the request, the session or the group."""

HALF_WAY = NO_SUCH_BODY | {httpx.codes.NOT_FOUND}
"""How a server may answer a change of several people because of one of them, perhaps after others: the statuses of all
calls but adding are on no page."""

_BARE_CODE = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""An invite code without quotes, which the SDK's client takes for a text too: WhatsApp's have 22 characters."""

_MESSAGES: dict[type[ProviderError], str] = {
    InvalidRequest: "Wasend refused the request.",
    CredentialsRejected: "Wasend does not accept the API key.",
    PermissionMissing: "Wasend does not allow this.",
    NotGroupAdmin: "Wasend does not allow this: the session is no admin of the group.",
    GroupNotFound: "Wasend does not know the group, or not the session.",
}

_Model = TypeVar("_Model", bound=BaseModel)


class LostSession(OutcomeUnknown):
    """Nobody can tell what a call did, and the session behind it is not connected: the others would fare no better."""

    stops_sending = True
    cooldown = AccountDisconnected.cooldown


@dataclass(frozen=True, slots=True)
class Refusals:
    """What the two statuses mean that depend on the call.

    The add page's error table is the only one published (403: only group admins may; 404: unknown session or group);
    the other calls are taken to share it.
    """

    forbidden: type[ProviderError]
    missing: type[ProviderError]


OF_GROUP = Refusals(PermissionMissing, GroupNotFound)
"""Of calls about a group that any member may do."""
OF_ADMINS = Refusals(NotGroupAdmin, GroupNotFound)
"""Of calls about a group that only its admins may do."""
ELSEWHERE = Refusals(PermissionMissing, InvalidRequest)
"""Of calls that name no group: what is missing may be the session, and its state tells."""


class Envelope(BaseModel):
    """What every body may carry: `success`, and words as `message` or as `error`."""

    success: bool | None = None
    message: ProviderText = ""
    error: ProviderText = ""

    @property
    def reports_failure(self) -> bool:
        """True where the body says that it failed, whatever its status says."""
        return self.success is False or (self.success is None and bool(self.error))


def envelope_of(reply: Reply) -> Envelope:
    """Read what every body may carry; an empty envelope for a body of another shape."""
    try:
        return Envelope.model_validate(reply.body)
    except ValidationError:
        return Envelope()


def words_of(reply: Reply) -> str:
    """Give Wasend's own words in a body, or the beginning of the body itself."""
    envelope = envelope_of(reply)
    return envelope.message or envelope.error or to_provider_text(reply.text)


def is_empty(reply: Reply) -> bool:
    """Tell whether there is no body at all: so the SDK types the answers of most writes."""
    return not reply.text.strip()


def body_of(reply: Reply) -> Any:
    """Give the JSON body, or the text where it is a bare code; None for every other text."""
    text = reply.text.strip()
    return text if reply.body is None and _BARE_CODE.fullmatch(text) else reply.body


def read_error(reply: Reply, refusals: Refusals) -> ProviderError:
    """Read the failure of a call that changes nothing."""
    return refusal_of(reply, refusals) or ProviderFault(
        "Wasend reports a failure.", code=str(reply.status), provider_text=words_of(reply)
    )


def write_error(reply: Reply, refusals: Refusals) -> ProviderError:
    """Read the failure of a write. Its effect stays open after a 5xx, and after every status that is not documented."""
    return refusal_of(reply, refusals) or unknown_after(reply, "Wasend failed")


def unknown_after(reply: Reply, what: str) -> OutcomeUnknown:
    """Make the error of a write whose answer does not tell what it did."""
    return OutcomeUnknown(f"{what}; only reading back can tell.", code=str(reply.status), provider_text=words_of(reply))


def refusal_of(reply: Reply, refusals: Refusals) -> ProviderError | None:
    """Read a status that says that nothing was done; None for every other.

    Those are the statuses of the add page, and the two by which a server says that it lacks a path or a field.
    """
    words = words_of(reply)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, provider_text=words)
    meanings: dict[int, type[ProviderError]] = {
        400: InvalidRequest,
        401: CredentialsRejected,
        403: refusals.forbidden,
        404: refusals.missing,
        405: InvalidRequest,
        422: InvalidRequest,
    }
    kind = meanings.get(reply.status)
    return kind(_MESSAGES[kind], code=str(reply.status), provider_text=words) if kind else None


def accepted(reply: Reply, model: type[_Model]) -> _Model:
    """Read the 2xx answer to a write that either happened or not.

    Raises:
        OutcomeUnknown: the body says that it failed, or it is not what Wasend sends.
    """
    if envelope_of(reply).reports_failure:
        raise unknown_after(reply, "Wasend reports a failure")
    return readable(reply, model)


def readable(reply: Reply, model: type[_Model]) -> _Model:
    """Read the 2xx answer to a write; an empty one is an empty `model`, for the SDK takes any 2xx as done.

    Raises:
        OutcomeUnknown: the body is not what Wasend sends.
    """
    try:
        return model.model_validate({} if is_empty(reply) else body_of(reply))
    except ValidationError:
        raise unknown_after(reply, "Wasend answered in a shape that it does not document") from None
