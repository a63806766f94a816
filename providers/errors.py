"""The errors of providers, by what they mean for the people of a call, for the request and for the account.

ProviderError
├── CredentialsRejected, PermissionMissing, NotGroupAdmin, GroupNotFound    the request stops
├── AccountDisconnected, AccountRestricted, RateLimited                     the request stops, the account pauses
├── GroupFull, NotSupported, InvalidRequest (NotOnWhatsApp)                 nothing was done; don't repeat it
├── ProviderFault, Unreachable                                              nothing was done; it may work later
└── OutcomeUnknown                                                          sent; read the group to learn what it did
    └── SessionLost                                                         and the account is disconnected
"""

from collections.abc import Iterable
from typing import ClassVar

from providers.vocabulary import Cause, Outcome, Person, Verdict

MAX_COOLDOWN = 86_400.0
"""The longest accepted wait of a provider, in seconds: a day."""


class ProviderError(Exception):
    """A call that failed.

    Args:
        message: what happened, in words for the requester; never a secret, never a whole phone number.
        code: the provider's own code, or the HTTP status if there is none.
        provider_text: the provider's own words, shortened.

    Attributes:
        outcome: the outcome of the people in the call.
        cause: why it failed, as far as that says what helps.
        stops_sending: the rest of the request would fail in the same way, so it stops.
        cooldown: seconds for which the account sends nothing, for any request. No provider publishes safe figures.
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
        """What happened, and the provider's own words, labelled as such."""
        return f"{self.message} Provider said: “{self.provider_text}”" if self.provider_text else self.message


class CredentialsRejected(ProviderError):
    """The provider does not accept the connection's token."""

    cause = Cause.CREDENTIALS
    stops_sending = True


class PermissionMissing(ProviderError):
    """The token is valid but lacks the scope or role for this call."""

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
    """WhatsApp or the provider has restricted or suspended the account, or its credits are spent."""

    cause = Cause.RESTRICTED
    stops_sending = True
    cooldown = 3600.0


class GroupNotFound(ProviderError):
    """The provider does not know the group, or the account is not in it."""

    cause = Cause.NO_GROUP
    stops_sending = True


class GroupFull(ProviderError):
    """The group has no room for another member."""

    outcome = Outcome.GROUP_FULL


class RateLimited(ProviderError):
    """The provider's rate limit is reached. `retry_after` is its wait in seconds, None if it gave none."""

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
    """The provider doesn't offer this; no call was made. `Provider.abilities` has what it offers."""

    cause = Cause.IMPOSSIBLE


class InvalidRequest(ProviderError):
    """The provider rejected the request as invalid; nothing was done."""

    cause = Cause.INVALID


class NotOnWhatsApp(InvalidRequest):
    """By the number check, no variant of the number has an account; nothing was sent to the person."""

    outcome = Outcome.NOT_ON_WHATSAPP


class ProviderFault(ProviderError):
    """The provider failed, or its answer isn't in its contract; nothing was done."""

    cause = Cause.TRANSIENT


class Unreachable(ProviderError):
    """No connection could be made, so nothing was sent or done."""

    cause = Cause.TRANSIENT


class OutcomeUnknown(ProviderError):
    """The request was sent and no usable answer came back. Read the group to learn what it did."""

    outcome = Outcome.UNKNOWN


class SessionLost(OutcomeUnknown):
    """The outcome is unknown and the account is disconnected, so the rest of the request would fail too."""

    stops_sending = True
    cooldown = AccountDisconnected.cooldown


def verdicts_for_error(error: ProviderError, people: Iterable[Person]) -> tuple[Verdict, ...]:
    """Return the verdict of each of `people` after a failed call."""
    text = error.provider_text or error.message
    return tuple(Verdict.reported(person.key, error.outcome, error.code, text, error.cause) for person in people)
