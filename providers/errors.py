"""What goes wrong at a provider, by what it means: for the people of the call, for the request, and for the sender."""

from collections.abc import Iterable
from typing import ClassVar

from providers.vocabulary import Cause, Evidence, Outcome, Person, Verdict

LONGEST_REST = 86_400.0
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
        stops_sender: the request's other people would fare the same, so it goes no further.
        rest: seconds for which the account sends nothing at all, for no request. Nobody publishes safe figures.
    """

    outcome: ClassVar[Outcome] = Outcome.FAILED
    cause: ClassVar[Cause] = Cause.UNTOLD
    stops_sender: ClassVar[bool] = False
    rest: float = 0.0

    def __init__(self, message: str, *, code: str = "", words: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.words = words[:300]

    @property
    def said(self) -> str:
        """What happened, and the provider's own words for it, said to be its."""
        return f"{self.message} The provider says: “{self.words}”" if self.words else self.message


class CredentialsRejected(ProviderError):
    """The provider does not accept the connection's token."""

    cause = Cause.CREDENTIALS
    stops_sender = True


class PermissionMissing(ProviderError):
    """The token is good but lacks the scope or role for this call."""

    cause = Cause.PERMISSION
    stops_sender = True


class NotGroupAdmin(ProviderError):
    """The account is not an admin of the group."""

    cause = Cause.NO_ADMIN
    stops_sender = True


class AccountDisconnected(ProviderError):
    """The WhatsApp session behind the connection is not connected."""

    cause = Cause.DISCONNECTED
    stops_sender = True
    rest = 60.0


class AccountRestricted(ProviderError):
    """WhatsApp or the provider has restricted, suspended or run out the account."""

    cause = Cause.RESTRICTED
    stops_sender = True
    rest = 3600.0


class GroupNotFound(ProviderError):
    """The provider does not know the group, or the account is not in it."""

    cause = Cause.NO_GROUP
    stops_sender = True


class GroupFull(ProviderError):
    """The group has no place left."""

    outcome = Outcome.GROUP_FULL


class RateLimited(ProviderError):
    """The provider refused because of too many calls; `retry_after` in seconds where it said so."""

    outcome = Outcome.RATE_LIMITED
    cause = Cause.PASSING
    stops_sender = True
    rest = 900.0

    def __init__(self, message: str, *, code: str = "", words: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, code=code, words=words)
        self.retry_after = retry_after
        if retry_after is not None:
            self.rest = retry_after


class NotSupported(ProviderError):
    """This provider cannot do it at all: nothing was tried. What it can stands in `Provider.abilities`."""

    cause = Cause.IMPOSSIBLE


class InvalidRequest(ProviderError):
    """The provider found the request itself wrong; nothing was done."""

    cause = Cause.WRONG


class ProviderFault(ProviderError):
    """The provider failed, or answered with something that is not in its contract; nothing was done."""

    cause = Cause.PASSING


class Unreachable(ProviderError):
    """No connection could be made: the request did not leave, so nothing was done."""

    cause = Cause.PASSING


class OutcomeUnknown(ProviderError):
    """The request left and no usable answer came back: only reading back can tell what it did."""

    outcome = Outcome.UNKNOWN


def judge(error: ProviderError, people: Iterable[Person]) -> tuple[Verdict, ...]:
    """Give the verdict of a failed call to each of `people`.

    An error that left the outcome open carries no evidence; every other is the provider's report.
    """
    evidence = Evidence.NONE if error.outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return tuple(
        Verdict(person.key, error.outcome, evidence, error.code, error.words or error.message, error.cause)
        for person in people
    )
