"""How WUTS fails: its four shapes of an error, and what they mean in the words of `providers.base`."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import Reply, rate_limited

_LOST_CODE = "DEVICE_DISCONNECTED"
"""From another page (x-conventions.error-shapes): unlike `DEVICE_NOT_READY`, it may be said of a call under way."""
_NOT_READY_CODES = frozenset({"DEVICE_NOT_READY", _LOST_CODE})
_INVALID_CODES = frozenset({"VALIDATION_ERROR", "INVALID_REQUEST"})

_STATUS_ERRORS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "WUTS found the request wrong."),
    401: (CredentialsRejected, "WUTS does not accept the token."),
    403: (PermissionMissing, "WUTS allows the token's user no such call on this group; its role, or admin rights."),
    422: (InvalidRequest, "WUTS found the request wrong."),
}

_MISSING: Mapping[type[ProviderError], str] = {
    GroupNotFound: "WUTS does not know this group, or the account is not in it.",
    AccountDisconnected: "WUTS knows no device of the token's user.",
    ProviderFault: "WUTS has nothing at this address; check base_url.",
}


class Rejection(BaseModel):
    """One entry of a `validation` list: a value of the request that WUTS did not take, and why."""

    message: str | None = None
    value: Any = None


class Rejected(InvalidRequest):
    """WUTS did not take some values of the request, which are listed; nothing was done."""

    rejections: tuple[Rejection, ...] = ()


class NotOnWhatsApp(InvalidRequest):
    """The number check says that no form of the number has an account: nothing was sent to the person."""

    outcome = Outcome.NOT_ON_WHATSAPP


class LostDevice(OutcomeUnknown):
    """The device was disconnected, perhaps during the call, whose effect is open; the others would fare no better."""

    stops_sending = True
    cooldown = AccountDisconnected.cooldown


class _NestedError(BaseModel):
    code: str | None = None
    message: str | None = None


class _Answer(BaseModel):
    """What every answer may say of itself: all four shapes of an error in one, which differ in what is missing."""

    success: bool | None = None
    error: str | _NestedError | None = None
    error_code: str | None = None
    validation: list[Rejection] | None = None

    @property
    def code(self) -> str:
        nested = self.error.code if isinstance(self.error, _NestedError) else None
        return self.error_code or nested or ""

    @property
    def words(self) -> str:
        return (self.error.message if isinstance(self.error, _NestedError) else self.error) or ""


def read_error(reply: Reply, *, missing: type[ProviderError], write: bool = False) -> ProviderError | None:
    """Read a failure by code first, then by status; None where the answer is a success.

    Args:
        reply: the answer.
        missing: what a 404 of WUTS's own means; any other is from whatever stands before it.
        write: whether the call changes something. Then an answer without `success: true`, which every sample of the
            contract has, leaves open what was done.
    """
    try:
        answer = _Answer.model_validate(reply.body)
    except ValidationError:
        answer = _Answer(success=False)
    fails = answer.success is False or bool(answer.code or answer.words)
    if reply.ok and not fails and (answer.success or not write):
        return None
    code, words = answer.code or str(reply.status), answer.words or reply.text
    if reply.status == httpx.codes.TOO_MANY_REQUESTS or "rate-overlimit" in words:
        return rate_limited(reply, code=code, provider_text=words)
    missing = missing if isinstance(reply.body, dict) else ProviderFault
    kind, message = _kind(reply.status, code, missing, write=write)
    if kind is InvalidRequest and answer.validation:
        rejected = Rejected(message, code=code, provider_text=words)
        rejected.rejections = tuple(answer.validation)
        return rejected
    return kind(message, code=code, provider_text=words)


def _kind(status: int, code: str, missing: type[ProviderError], *, write: bool) -> tuple[type[ProviderError], str]:
    if write and code.upper() == _LOST_CODE:
        return LostDevice, "The WhatsApp device of the token's user was disconnected; only reading back can tell."
    if code.upper() in _NOT_READY_CODES:
        return AccountDisconnected, "The WhatsApp device of the token's user is not connected."
    if code.upper() in _INVALID_CODES:
        return _STATUS_ERRORS[400]
    if status == httpx.codes.NOT_FOUND:
        return missing, _MISSING[missing]
    fallback = OutcomeUnknown if write else ProviderFault
    return _STATUS_ERRORS.get(status, (fallback, f"WUTS failed (HTTP {status})."))
