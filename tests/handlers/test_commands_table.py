"""Every command by everybody at every kind of provider: what is taken, and what is refused in which words."""

from collections.abc import AsyncIterator
from itertools import product

import pytest
import pytest_asyncio

from bot.commands.catalogue import COMMANDS
from bot.domain.access import Capability
from providers.base import Action, PictureForm
from providers.capability_docs import PROVIDERS
from sandbox.sandbox import SIMULATORS, Sandbox
from tests.handlers.commanding import ALICE, BOB, LATER, NOBODY, ONE, READER, commanding, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAN = {
    ALICE: {Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND},
    BOB: {Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND, Capability.APPROVE, Capability.AUDIT_READ},
    READER: {Capability.GROUPS_READ},
    NOBODY: set[Capability](),
}
AT = f"at: {LATER}"
LINES = {
    f"/wa-add {{group}} {ONE} {AT}": ((Action.ADD,), "Scheduled: add 1 person"),
    f"/wa-add {{group}} {ONE} invite: yes {AT}": (
        (Action.ADD, Action.READ_INVITE, Action.SEND_TO_PERSON),
        "Scheduled: add 1 person",
    ),
    f"/wa-remove {{group}} {ONE} {AT}": ((Action.REMOVE,), "Scheduled: remove 1 person"),
    f"/wa-promote {{group}} {ONE} {AT}": ((Action.PROMOTE,), "Scheduled: make 1 person an admin"),
    f"/wa-demote {{group}} {ONE} {AT}": ((Action.DEMOTE,), "Scheduled: remove admin rights from 1 person"),
    f"/wa-create {{connection}} “New {{connection}}” {ONE} {AT}": ((Action.CREATE,), "Scheduled: create the group"),
    f"/wa-settings {{group}} name: A, b {AT}": ((Action.RENAME,), "Scheduled: change *{group}*: name"),
    f"/wa-settings {{group}} description: “a name: b” {AT}": (
        (Action.DESCRIBE,),
        "Scheduled: change *{group}*: description",
    ),
    f"/wa-settings {{group}} announce: on {AT}": ((Action.ANNOUNCE_ONLY,), ": only admins may write"),
    f"/wa-settings {{group}} lock: off {AT}": ((Action.LOCK,), ": only admins may edit"),
    f"/wa-settings {{group}} ephemeral: 7d {AT}": ((Action.EPHEMERAL,), ": disappearing messages"),
    f"/wa-settings {{group}} picture: https://example.com/a.jpg {AT}": ((Action.PICTURE,), ": picture"),
    "/wa-invite {group}": ((Action.READ_INVITE,), "https://chat.whatsapp.com/"),
    f"/wa-invite {{group}} {ONE} text: Come in {AT}": (
        (Action.READ_INVITE, Action.SEND_TO_PERSON),
        "Scheduled: invite 1 person to *{group}*",
    ),
    f"/wa-send {{group}} {AT} text: Hi": ((Action.SEND_TO_GROUP,), "Scheduled: send a message to *{group}*"),
    f"/wa-send {{group}} to: {ONE} {AT} text: Hi": ((Action.SEND_TO_PERSON,), "Scheduled: message 1 person"),
    "/wa-group {group}": ((Action.LIST_GROUPS,), "Connection `{connection}`: connected"),
    "/wa-groups {group}": ((Action.LIST_GROUPS,), "• *{group}* “"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    async with commanding(tmp_path_factory.mktemp("table"), SIMULATORS, {}) as scene:
        yield scene


def expected(line: str, user: str, connection: str) -> str:
    """Give what must stand in the answer, by the words that the provider itself has for what it can do."""
    actions, taken = LINES[line]
    abilities = PROVIDERS[connection][1].abilities
    for needed in actions:
        ability = abilities.get(needed)
        if ability is None:
            return f"The provider of the connection `{connection}` cannot do this: {needed}."
        if Capability.required_by(ability) not in CAN[user]:
            return f"capability `{ability.capability}`"
        if ability.picture is PictureForm.JPEG:
            return "takes a picture as a JPEG file only"
    return taken.format(group=f"{connection}-team", connection=connection)


@pytest.mark.parametrize(("user", "connection"), [*product(CAN, SIMULATORS)])
async def test_a_command_is_taken_from_who_may_where_it_can_be_done(
    played: Sandbox, user: str, connection: str
) -> None:
    wrong = {}
    for line in LINES:
        answer = await typed(played.slack, line.format(group=f"{connection}-team", connection=connection), user=user)
        if expected(line, user, connection) not in answer:
            wrong[line] = (expected(line, user, connection), answer)

    assert wrong == {}


async def test_every_command_with_something_to_do_stands_in_the_table() -> None:
    tried = {line.split()[0] for line in LINES}

    assert {c.name for c in COMMANDS} - tried == {"/wa", "/wa-sync", "/wa-requests", "/wa-audit"}


async def test_through_the_gateway_adding_is_sending(played: Sandbox) -> None:
    answer = await typed(played.slack, f"/wa-add wagateway-team {ONE}", user=READER)

    assert "This needs the capability `send`, which your roles do not have." in answer


@pytest.mark.parametrize("user", [ALICE, NOBODY])
async def test_only_who_may_is_told_how_the_connections_are_called(played: Sandbox, user: str) -> None:
    answer = await typed(played.slack, f"/wa-create “Spring Fair” {ONE} {AT}", user=user)

    assert ("Name the connection first: `wacr` or `wagateway`" in answer) is (user == ALICE)
    assert ("You have no role" in answer) is (user == NOBODY)


async def test_a_sync_is_taken_and_ended(played: Sandbox) -> None:
    line = "/wa-sync wasend-team from: wuts-team mode: report every: 24h reason: audit"

    assert "Comparing *wasend-team* with the list." in await typed(played.slack, line)
    assert "Ended 1 repeated sync" in await typed(played.slack, "/wa-sync wasend-team off")
    assert "`groups:write`" in await typed(played.slack, "/wa-sync wasend-team from: wuts-team", user=READER)


async def test_what_was_refused_stands_in_the_audit_journal(played: Sandbox) -> None:
    said = await typed(played.slack, "/wa-invite wasend-team", user=NOBODY)
    reference = said.rpartition("Reference: ")[2]

    journal = await typed(played.slack, f"/wa-audit <@{NOBODY}|carol>", user=BOB)
    assert f"refused <@{NOBODY}> invite *wasend-team* {reference}: code no_role" in journal
