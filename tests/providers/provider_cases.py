"""The five providers, each with what is special about its simulator. A sixth is one more entry here."""

from collections.abc import Mapping

from providers import twochat, wacr, wagateway, wasend, wuts
from providers.base import Action, Picture
from providers.twochat import TwoChat
from providers.wacr import Wacr
from providers.wagateway import WaGateway
from providers.wasend import Wasend
from providers.wuts import Wuts
from sandbox.providers.twochat import TwoChatServer
from sandbox.providers.wacr import WacrServer
from sandbox.providers.wagateway import WaGatewayServer
from sandbox.providers.wasend import WasendServer
from sandbox.providers.wuts import WutsServer
from tests.providers.harness import ADMIN, LEFT, MEMBER, PRIVATE, Harness, ProviderCase

TwoChatHarness = Harness[TwoChatServer, TwoChat]
WacrHarness = Harness[WacrServer, Wacr]
WaGatewayHarness = Harness[WaGatewayServer, WaGateway]
WasendHarness = Harness[WasendServer, Wasend]
WutsHarness = Harness[WutsServer, Wuts]


def _prepare_wacr(server: WacrServer) -> None:
    """Make contacts of half of the people outside, so that the others need a new one; allow any number of calls."""
    server.calls_per_minute = 1_000_000
    for phone in (PRIVATE, LEFT):
        server.put_contact(f"+{phone}")


WACR = ProviderCase(
    "wacr",
    wacr.make,
    WacrServer,
    group="7",
    other="8",
    prefix="/api/v2",
    undescribed=("/sources", "/statuses"),  # x-related-operations: the paths alone
    # x-conventions: statuses of all operations that the pages of groups and contacts don't print; and the errors of a
    # batch, whose table couldn't be read
    is_undocumented=lambda path, status: status in {401, 403, 404, 429} or path.endswith("/contacts/batch"),
    variants={
        "phones compared by digits": {"compares_digits": True},
        "searched by digits": {"searches_digits": True},
    },
    prepare=_prepare_wacr,
    errors_in_success=(
        '{"success": false, "message": "Something went wrong"}',
        '{"error": {"code": "INTERNAL_ERROR", "message": "An internal error occurred"}}',
        '{"success": false, "message": "Something went wrong", "data": []}',
        '{"error": "it failed", "data": {"id": 7, "group_id": [7], "contacts_added": 1}}',
    ),
    # x-undocumented: what a removal does with an id that is nobody's, and whether it is one transaction
    open_outcomes=frozenset({("removeContactsFromGroup", 404), ("removeContactsFromGroup", 422)}),
)
WAGATEWAY = ProviderCase(
    "wagateway",
    wagateway.make,
    WaGatewayServer,
    group="120363000000000001@g.us",
    other="120363000000000002@g.us",
    account="sess_1",
    own="6281234567890",
    variants={
        "two rows a page": {"rows_per_page": 2},
        "contacts nested": {"contact_shape": "nested"},
        "contacts without phone": {"contact_shape": "bare"},
        "members without phone": {"phoneless": {MEMBER}},
        "members without contact": {"unstored": {ADMIN}},
        "leavers listed": {"keeps_leavers": True},
    },
    errors_in_success=('{"error": {"code": "not_implemented", "message": "session is not connected"}}',),
    open_outcomes=frozenset({("addGroupMembers", 400)}),  # x-undocumented: the good ones beside a malformed one
)
WASEND = ProviderCase(
    "wasend",
    wasend.make,
    WasendServer,
    group="120363000000000001@g.us",
    other="120363000000000002@g.us",
    account="session-1",
    own="15550100001",
    members=("15550100001",),
    is_undocumented=lambda _path, status: status >= 400,  # x-errors: not-seen
    variants={
        "sdk": {"variant": "sdk"},
        "ids with lid": {"result_ids": "lid"},
        "ids as asked": {"result_ids": "echo"},
        "member by lid": {"lid_only": {MEMBER}},
    },
    errors_in_success=('{"success": false, "error": "Session is not connected"}',),
    silent_writes=True,  # x-conflicts: the SDK's types say void for every write
    needs_variant={Action.DESCRIBE: "sdk"},
    # Read back after an answer that says nothing.
    open_outcomes=frozenset((read, status) for read in ("getGroupInfo", "getGroup") for status in (401, 403, 429)),
)
WUTS = ProviderCase(
    "wuts",
    wuts.make,
    WutsServer,
    group="120363041234567890@g.us",
    other="120363041234567891@g.us",
    own="5511900000001",
    members=("14155559999",),
    variants={
        "members by lid": {"members_by": "lid"},
        "lids unresolved": {"members_by": "lid", "resolves_lids": False},
        "refused left out": {"lists_refused": False},
        "no count": {"counts_members": False},
        "codes in records": {"codes_in_records": True},
        "nested errors": {"error_shape": "nested"},
    },
    picture=Picture(jpeg=b"\xff\xd8\xff\xe0 a picture"),
    # Who could not be checked before.
    open_outcomes=frozenset({("checkContactsOnWhatsApp", 400), ("checkContactsOnWhatsApp", 403)}),
    errors_in_success=(
        '{"success": false, "error": "it failed", "error_code": "X", "timestamp": "2026-06-15T12:00:00Z"}',
        '{"success": false, "error": {"code": "device_error", "message": "it failed"}}',
        '{"error": "it failed"}',
    ),
)
TWOCHAT = ProviderCase(
    "twochat",
    twochat.make,
    TwoChatServer,
    group="WAG45b0f301-9203-4660-8b57-b51a6c2742a5",
    other="WGP768beeef-2b96-4bc7-9b7f-045078568723",
    account="+595981048477",
    own="595981048477",
    members=("595981048477",),
    variants={
        "unaccepted with entries": {"unaccepted_have_entries": True},
        "unaccepted in data": {"unaccepted_at": "data", "unaccepted_as": "objects"},
        "invitations go out": {"sends_invites": True},
        "member by lid": {"lid_only": {MEMBER}},
        "errors as detail": {"error_shape": "detail"},
        "roles as map": {"roles_answer": "map"},
        "roles as lists": {"roles_answer": "lists", "accepts_the_same_role": True},
    },
    errors_in_success=(
        '{"success": false, "error": true, "error_message": "The number is busy"}',
        '{"success": false, "message": "The number is busy"}',
    ),
    # x-undocumented: the status where some of several people fail
    open_outcomes=frozenset((name, 422) for name in ("addParticipants", "removeParticipants", "createGroup")),
)

PROVIDER_CASES: Mapping[str, ProviderCase] = {case.name: case for case in (WACR, WAGATEWAY, WASEND, WUTS, TWOCHAT)}
