"""The errors of WUTS: four formats, by code or else by status."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    SessionLost,
)
from providers.http import Reply
from providers.responses import ErrorKind, error_for_status, rate_limited, unexpected_failure

_LOST_CODE = "DEVICE_DISCONNECTED"
"""From another page (x-conventions.error-shapes). Unlike `DEVICE_NOT_READY`, it may come during a call."""
_NOT_READY_CODES = frozenset({"DEVICE_NOT_READY", _LOST_CODE})
_INVALID_CODES = frozenset({"VALIDATION_ERROR", "INVALID_REQUEST"})

_ERRORS: Mapping[int, ErrorKind] = {
    400: (InvalidRequest, "WUTS rejected the request as invalid."),
    401: (CredentialsRejected, "WUTS rejected the token."),
    403: (PermissionMissing, "WUTS doesn't allow this: the token's user lacks a role, or isn't an admin of the group."),
    422: (InvalidRequest, "WUTS rejected the request as invalid."),
}

_NOT_FOUND: Mapping[type[ProviderError], str] = {
    GroupNotFound: "WUTS doesn't know this group, or the account isn't in it.",
    AccountDisconnected: "WUTS has no device for the token's user.",
    ProviderFault: "WUTS has nothing at this address. Check base_url.",
}


class RejectedValue(BaseModel):
    """An entry of a `validation` list: a value of the request that WUTS rejected, and why."""

    message: str | None = None
    value: Any = None


class ValuesRejected(InvalidRequest):
    """WUTS rejected some values of the request; nothing was done."""

    values: tuple[RejectedValue, ...] = ()


class _NestedError(BaseModel):
    code: str | None = None
    message: str | None = None


class _Envelope(BaseModel):
    """The fields that any body may have: all four formats of an error in one; they differ in what is missing."""

    success: bool | None = None
    error: str | _NestedError | None = None
    error_code: str | None = None
    validation: list[RejectedValue] | None = None

    @property
    def code(self) -> str:
        nested = self.error.code if isinstance(self.error, _NestedError) else None
        return self.error_code or nested or ""

    @property
    def text(self) -> str:
        return (self.error.message if isinstance(self.error, _NestedError) else self.error) or ""


def error_for(reply: Reply, *, not_found: type[ProviderError], wrote: bool = False) -> ProviderError | None:
    """Return the error of a failure, by its code or else by its status; None for a success.

    Args:
        reply: the response.
        not_found: the meaning of a 404 from WUTS itself. Any other 404 is from a server in front of it.
        wrote: whether the call was a write. Then a response without `success: true`, which every sample of the contract
            has, leaves open what was done.
    """
    envelope = reply.parse_or(_Envelope(success=False))
    fails = envelope.success is False or bool(envelope.code or envelope.text)
    if reply.ok and not fails and (envelope.success or not wrote):
        return None
    code, text = envelope.code or str(reply.status), envelope.text or reply.text
    if "rate-overlimit" in text:
        return rate_limited(reply, code=code, provider_text=text)
    not_found = not_found if isinstance(reply.body, dict) else ProviderFault
    unexpected = unexpected_failure("WUTS", wrote=wrote)
    kind = _kind_by_code(code.upper(), wrote=wrote)
    errors = {**_ERRORS, 404: (not_found, _NOT_FOUND[not_found]), **({reply.status: kind} if kind else {})}
    error = error_for_status(reply, errors, unexpected, code=code, provider_text=text)
    if type(error) is InvalidRequest and envelope.validation:
        rejected = ValuesRejected(error.message, code=code, provider_text=text)
        rejected.values = tuple(envelope.validation)
        return rejected
    return error


def _kind_by_code(code: str, *, wrote: bool) -> ErrorKind | None:
    if wrote and code == _LOST_CODE:
        return SessionLost, "WUTS lost the connection to WhatsApp, so the result isn't known."
    if code in _NOT_READY_CODES:
        return AccountDisconnected, "WUTS isn't connected to WhatsApp."
    return _ERRORS[400] if code in _INVALID_CODES else None
