"""What goes wrong at a provider, by what it means: for the people of the call, for the request, and for the sender."""

from collections.abc import Iterable
from typing import ClassVar

from providers.vocabulary import Cause, Evidence, Outcome, Person, Verdict

MAX_COOLDOWN = 86_400.0
"""Seconds: no wait that a provider names is believed to be longer than a day."""


class ProviderError(Exception):
    """A call that did not do what was asked.

    Args:
        message: what happened, in words fit for the person who asked; never a secret, never a whole number.
        code: the provider's own code, or the HTTP status when it gave none.
        words: the provider's own words, as it sent them, shortened.

    Attributes:
        outcome: of the people whom the call was about.
        cause: why, as far as that tells what helps.
        stops_sending: the request's other people would fare the same, so it goes no further.
        cooldown: seconds for which the account sends nothing at all, for no request. Nobody publishes safe figures.
    """

    outcome: ClassVar[Outcome] = Outcome.FAILED
    cause: ClassVar[Cause] = Cause.UNKNOWN
    stops_sending: ClassVar[bool] = False
    cooldown: float = 0.0

    def __init__(self, message: str, *, code: str = "", provider_text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.provider_text = provider_text[:300]

    @property
    def explanation(self) -> str:
        """What happened, and the provider's own words for it, said to be its."""
        return f"{self.message} The provider says: “{self.provider_text}”" if self.provider_text else self.message


class CredentialsRejected(ProviderError):
    """The provider does not accept the connection's token."""

    cause = Cause.CREDENTIALS
    stops_sending = True


class PermissionMissing(ProviderError):
    """The token is good but lacks the scope or role for this call."""

    cause = Cause.PERMISSION
    stops_sending = True


class NotGroupAdmin(ProviderError):
    """The account is not an admin of the group."""

    cause = Cause.NO_ADMIN
    stops_sending = True


class AccountDisconnected(ProviderError):
    """The WhatsApp session behind the connection is not connected."""

    cause = Cause.DISCONNECTED
    stops_sending = True
    cooldown = 60.0


class AccountRestricted(ProviderError):
    """WhatsApp or the provider has restricted, suspended or run out the account."""

    cause = Cause.RESTRICTED
    stops_sending = True
    cooldown = 3600.0


class GroupNotFound(ProviderError):
    """The provider does not know the group, or the account is not in it."""

    cause = Cause.NO_GROUP
    stops_sending = True


class GroupFull(ProviderError):
    """The group has no place left."""

    outcome = Outcome.GROUP_FULL


class RateLimited(ProviderError):
    """The provider refused because of too many calls; `retry_after` in seconds where it said so."""

    outcome = Outcome.RATE_LIMITED
    cause = Cause.TRANSIENT
    stops_sending = True
    cooldown = 900.0

    def __init__(
        self, message: str, *, code: str = "", provider_text: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code, provider_text=provider_text)
        self.retry_after = retry_after
        if retry_after is not None:
            self.cooldown = retry_after


class NotSupported(ProviderError):
    """This provider cannot do it at all: nothing was tried. What it can stands in `Provider.abilities`."""

    cause = Cause.IMPOSSIBLE


class InvalidRequest(ProviderError):
    """The provider found the request itself wrong; nothing was done."""

    cause = Cause.INVALID


class ProviderFault(ProviderError):
    """The provider failed, or answered with something that is not in its contract; nothing was done."""

    cause = Cause.TRANSIENT


class Unreachable(ProviderError):
    """No connection could be made: the request did not leave, so nothing was done."""

    cause = Cause.TRANSIENT


class OutcomeUnknown(ProviderError):
    """The request left and no usable answer came back: only reading back can tell what it did."""

    outcome = Outcome.UNKNOWN


def verdicts_for_error(error: ProviderError, people: Iterable[Person]) -> tuple[Verdict, ...]:
    """Give the verdict of a failed call to each of `people`.

    An error that left the outcome open carries no evidence; every other is the provider's report.
    """
    evidence = Evidence.NONE if error.outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return tuple(
        Verdict(person.key, error.outcome, evidence, error.code, error.provider_text or error.message, error.cause)
        for person in people
    )
