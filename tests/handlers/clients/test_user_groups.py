"""Who is in which user group: seldom asked, never waited for long, and no right out of a failure."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from handlers.clients import user_groups
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL, MEMBERS_TTL, UserGroups, UserGroupsUnread
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import UserGroup

ALICE, BOB, OPERATORS = "U01ALICE", "U02BOB", "S0OPERATORS"
METHOD = "usergroups.users.list"
MEMBER, STRANGER = frozenset({OPERATORS}), frozenset[str]()


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def groups(client: AsyncWebClient, clock: Clock) -> AsyncIterator[UserGroups]:
    groups = UserGroups(client, [OPERATORS], clock)
    yield groups
    await groups.aclose()


def asked(slack: SlackServer) -> int:
    return sum(call.method == METHOD for call in slack.calls)


async def test_the_members_of_a_group_are_read_from_slack(groups: UserGroups) -> None:
    assert (await groups.actor(ALICE)).usergroups == MEMBER
    assert (await groups.actor(BOB)).usergroups == STRANGER


async def test_a_fresh_copy_serves_without_a_call(slack: SlackServer, groups: UserGroups, clock: Clock) -> None:
    for _ in range(5):
        await groups.actor(ALICE)
        clock.now += MEMBERS_TTL / 10
    assert asked(slack) == 1

    clock.now += MEMBERS_TTL
    await groups.actor(ALICE)
    assert asked(slack) == 2


async def test_an_approval_is_checked_against_a_fresher_copy(
    slack: SlackServer, groups: UserGroups, clock: Clock
) -> None:
    await groups.actor(ALICE)
    slack.workspace.groups[OPERATORS] = UserGroup(OPERATORS, "operators", "Operators", (BOB,))
    clock.now += APPROVAL_MEMBERS_TTL

    assert (await groups.actor(ALICE)).usergroups == MEMBER
    assert (await groups.actor(ALICE, max_age=APPROVAL_MEMBERS_TTL)).usergroups == STRANGER
    assert (await groups.actor(BOB)).usergroups == MEMBER


async def test_concurrent_reads_make_one_call(slack: SlackServer, groups: UserGroups) -> None:
    actors = await asyncio.gather(*(groups.actor(ALICE) for _ in range(10)))

    assert {actor.usergroups for actor in actors} == {MEMBER}
    assert asked(slack) == 1


async def test_without_configured_groups_slack_is_not_called(slack: SlackServer, client: AsyncWebClient) -> None:
    assert (await UserGroups(client, []).actor(ALICE)).usergroups == STRANGER
    assert asked(slack) == 0


async def test_while_slack_hangs_an_old_copy_decides(
    slack: SlackServer, groups: UserGroups, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await groups.actor(ALICE)
    clock.now += MEMBERS_TTL
    monkeypatch.setattr(user_groups, "READ_TIMEOUT", 0.05)
    slack.faults.append(SlackFault(METHOD, error="hang", times=-1))

    async with asyncio.timeout(3):
        assert (await groups.actor(ALICE)).usergroups == MEMBER
        assert (await groups.actor(BOB)).usergroups == STRANGER


async def test_while_slack_hangs_an_unread_group_gives_no_rights(
    slack: SlackServer, groups: UserGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_groups, "READ_TIMEOUT", 0.05)
    slack.faults.append(SlackFault(METHOD, error="hang", times=-1))

    async with asyncio.timeout(3):
        assert (await groups.actor(ALICE)).usergroups == STRANGER


def test_a_command_waits_for_less_than_it_has() -> None:
    assert user_groups.READ_TIMEOUT <= 1.5


@pytest.mark.parametrize(
    "fault",
    [
        SlackFault(METHOD, error="fatal_error"),
        SlackFault(METHOD, status=502),
        SlackFault(METHOD, error="drop", times=2),
    ],
)
async def test_a_failed_read_leaves_the_copy_and_is_repeated(
    slack: SlackServer, groups: UserGroups, clock: Clock, fault: SlackFault
) -> None:
    await groups.actor(ALICE)
    clock.now += MEMBERS_TTL
    slack.faults.append(fault)
    with capture_logs() as log:
        assert (await groups.actor(ALICE)).usergroups == MEMBER
    assert [entry["event"] for entry in log] == ["user_groups_not_read"]

    slack.workspace.groups[OPERATORS] = UserGroup(OPERATORS, "operators", "Operators", ())
    assert (await groups.actor(ALICE)).usergroups == STRANGER


async def test_a_group_that_is_gone_takes_no_rights_from_the_others(slack: SlackServer, client: AsyncWebClient) -> None:
    groups = UserGroups(client, ["S0GONE", OPERATORS])

    assert (await groups.actor(ALICE)).usergroups == MEMBER
    await groups.actor(ALICE)
    assert asked(slack) == 2


async def test_a_group_that_goes_loses_its_members(slack: SlackServer, groups: UserGroups, clock: Clock) -> None:
    await groups.actor(ALICE)
    del slack.workspace.groups[OPERATORS]
    clock.now += MEMBERS_TTL

    assert (await groups.actor(ALICE)).usergroups == STRANGER


async def test_work_waits_for_slack_and_then_uses_an_older_copy(
    slack: SlackServer, groups: UserGroups, clock: Clock
) -> None:
    slack.faults.append(SlackFault(METHOD, error="internal_error"))
    with pytest.raises(UserGroupsUnread):
        await groups.actor_for_work(ALICE)
    assert (await groups.actor_for_work(ALICE)).usergroups == MEMBER

    slack.faults.append(SlackFault(METHOD, error="internal_error", times=-1))
    clock.now += MEMBERS_TTL
    assert (await groups.actor_for_work(ALICE)).usergroups == MEMBER
