"""How each provider's errors of an add and of a read of members are to be read: one table a provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
    RateLimited,
)
from sandbox.providers.wacr import WacrServer
from tests.providers.harness import ANA, BEN, ProviderCase
from tests.providers.provider_cases import TWOCHAT, WACR, WAGATEWAY, WASEND, WUTS

UNUSUAL_BODIES = (
    "<html><body>Oops</body></html>",
    " ",
    "[1]",
    '"no"',
    '{"error": {"co',
    '{"error": {"code": 7}}',
    '{"detail": [{"msg": "x"}]}',
    "\x00" + "x" * 5000,
)


@dataclass(frozen=True, slots=True)
class ErrorCases:
    """The errors of one provider.

    Attributes:
        add: the request that adds people.
        members: the request that reads the members.
        documented: errors of an add with the provider's own body, after which nobody was added: type and code.
        unusual: errors of an add whose status or body isn't documented.
        after_effect: undocumented statuses that may come after people were added.
        unreadable: bodies with 200 from which an add can't be read.
        unreadable_members: bodies with 200 from which members can't be read.
        retried_reads: statuses after which a read is repeated; -1 is a dropped connection.
        sent_again: how often an add is sent that always gets this status; once if it isn't here.
        reads_first: whether an add reads before it writes, so that an unusable first answer means nothing was written.
        prepare: makes an add of two people take one write.
    """

    provider: ProviderCase
    add: str
    members: str
    documented: Mapping[int, tuple[type[ProviderError], str]]
    unusual: Mapping[int, type[ProviderError]]
    after_effect: tuple[int, ...]
    unreadable: tuple[str, ...]
    unreadable_members: tuple[str, ...]
    retried_reads: tuple[int, ...]
    sent_again: Mapping[int, int]
    reads_first: bool = False
    prepare: Callable[[Any], None] = lambda _: None

    def __str__(self) -> str:
        return self.provider.name


def _with_status(kinds: Mapping[int, type[ProviderError]]) -> dict[int, tuple[type[ProviderError], str]]:
    """Return error types with their status as the code."""
    return {status: (kind, str(status)) for status, kind in kinds.items()}


def _with_contacts(server: WacrServer) -> None:
    for phone in (ANA, BEN):
        server.put_contact(f"+{phone}")


CASES = (
    ErrorCases(
        TWOCHAT,
        add=f"POST /open/whatsapp/group/{TWOCHAT.group}/add-participant",
        members=f"GET /open/whatsapp/group/{TWOCHAT.group}",
        documented=_with_status(
            {
                400: InvalidRequest,
                401: CredentialsRejected,
                402: AccountRestricted,
                403: PermissionMissing,
                404: GroupNotFound,
                409: AccountDisconnected,
                410: AccountDisconnected,
                422: OutcomeUnknown,
                429: RateLimited,
                486: RateLimited,
                503: OutcomeUnknown,
                504: OutcomeUnknown,
            }
        ),
        unusual={406: InvalidRequest, **dict.fromkeys((408, 418, 500, 502), OutcomeUnknown)},
        after_effect=(405, 418, 499),
        unreadable=(
            "<html>maintenance</html>",
            '{"success": true, "partici',
            "[]",
            " ",
            "{}",
            '{"participants": []}',
            '{"success": false, "error": true, "error_message": "Something went wrong"}',
        ),
        unreadable_members=(
            "<html>",
            '{"success": false, "message": "later"}',
            '{"success": true, "data": {"participants": [7]}}',
        ),
        retried_reads=(409, 410, 429, 486, 503, 504, -1),
        sent_again={409: 3, 410: 3, 486: 3},
    ),
    ErrorCases(
        WACR,
        add=f"POST {WACR.prefix}/groups/{WACR.group}/contacts",
        members=f"GET {WACR.prefix}/contacts",
        documented={
            400: (InvalidRequest, "400"),
            401: (CredentialsRejected, "UNAUTHORIZED"),
            403: (PermissionMissing, "INSUFFICIENT_SCOPE"),
            404: (GroupNotFound, "NOT_FOUND"),
            422: (InvalidRequest, "VALIDATION_ERROR"),
            429: (RateLimited, "RATE_LIMIT_EXCEEDED"),
            500: (OutcomeUnknown, "INTERNAL_ERROR"),
        },
        unusual={
            400: InvalidRequest,
            401: CredentialsRejected,
            403: PermissionMissing,
            404: GroupNotFound,
            413: InvalidRequest,
            422: InvalidRequest,
            **dict.fromkeys((408, 409, 418, 500, 502, 504), OutcomeUnknown),
        },
        after_effect=(408, 409, 418, 500),
        unreadable=(" ", '{"data": {"contacts_', "3", '{"data": {}}', "[]"),
        unreadable_members=(
            " ",
            '{"data": {"contacts_',
            "3",
            '{"data": {}}',
            '{"data": [{"phone": "+1"}]}',
            '{"data": [], "meta": {"pagination": {"has_more": true}}}',
        ),
        retried_reads=(500, 503, -1),
        sent_again={429: 3},
        reads_first=True,
        prepare=_with_contacts,
    ),
    ErrorCases(
        WAGATEWAY,
        add=f"POST /api/v1/sessions/{WAGATEWAY.account}/groups/{WAGATEWAY.group}/members",
        members=f"GET /api/v1/sessions/{WAGATEWAY.account}/groups/{WAGATEWAY.group}/members",
        documented={
            401: (CredentialsRejected, "unauthorized"),
            404: (GroupNotFound, "not_found"),
            429: (RateLimited, "rate_limited"),
            501: (AccountDisconnected, "not_implemented"),
            500: (OutcomeUnknown, "internal"),
            503: (OutcomeUnknown, "internal"),
        },
        unusual={404: GroupNotFound, **dict.fromkeys((408, 409, 418, 501, 502), OutcomeUnknown)},
        after_effect=(409, 424),
        unreadable=("<html>Oops</html>", " ", "[1]", '{"error": {"co'),
        unreadable_members=(
            "<html></html>",
            '{"data": [',
            "[]",
            '{"data": null}',
            '{"data": [7]}',
            '{"data": [{"lid": {}}]}',
        ),
        retried_reads=(429, 503, -1),
        sent_again={},
        reads_first=True,
    ),
    ErrorCases(
        WASEND,
        add=f"POST /{WASEND.account}/groups/{WASEND.group}/participants/add",
        members=f"GET /{WASEND.account}/groups/{WASEND.group}/participants",
        documented=_with_status(
            {
                400: InvalidRequest,
                401: CredentialsRejected,
                403: NotGroupAdmin,
                404: GroupNotFound,
                429: RateLimited,
                500: OutcomeUnknown,
            }
        ),
        unusual=dict.fromkeys((408, 418, 422, 502, 504), OutcomeUnknown),
        after_effect=(402, 409, 418, 422, 499),
        unreadable=(
            "<html>maintenance</html>",
            '{"success": true, "data": {"added": [{"id": "1415',
            "[]",
            '{"success": true, "data": []}',
            '{"success": true, "data": {"added": ["14155550101@c.us"]}}',
            '{"success": false, "error": "Something went wrong"}',
        ),
        unreadable_members=("<html>", '{"success": true}', '{"success": true, "participants": [7]}'),
        retried_reads=(429, 500, 503, -1),
        sent_again={},
    ),
    ErrorCases(
        WUTS,
        add=f"POST /groups/{WUTS.group}/participants",
        members=f"GET /groups/{WUTS.group}",
        documented={
            400: (InvalidRequest, "BAD_REQUEST"),
            401: (CredentialsRejected, "401"),
            403: (PermissionMissing, "FORBIDDEN"),
            404: (GroupNotFound, "NOT_FOUND"),
            429: (RateLimited, "TOO_MANY_REQUESTS"),
            500: (OutcomeUnknown, "INTERNAL_ERROR"),
        },
        unusual=dict.fromkeys((408, 409, 418, 500, 502), OutcomeUnknown),
        after_effect=(408, 409),
        unreadable=(
            "<html>gateway</html>",
            '{"success": true, "participants": [{"jid"',
            "[]",
            '{"success": true, "participants": "all"}',
            '{"success": false, "error": "odd"}',
            '{"error": "odd"}',
        ),
        unreadable_members=(
            "<html>gateway</html>",
            '{"success": true, "participants": [{"jid"',
            "[]",
            '{"success": true, "participants": "all"}',
            '{"success": false, "error": "odd"}',
            '{"error": "odd"}',
        ),
        retried_reads=(429, 503, -1),
        sent_again={},
    ),
)
