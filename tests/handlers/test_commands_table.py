"""Every command by every kind of person at every provider: what is accepted, and how the rest is refused."""

from itertools import product

import pytest

from bot.commands.catalogue import COMMANDS
from bot.domain.access import Capability
from providers.base import Action, PictureForm
from providers.capability_docs import PROVIDERS
from sandbox.sandbox import SIMULATORS
from tests.app import RunningApp, module_app
from tests.slack_ui import ALICE, BOB, CAROL, DAVE, LATER, PHONE, run_command, type_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAN = {
    ALICE: {Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND},
    BOB: {Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND, Capability.APPROVE, Capability.AUDIT_READ},
    DAVE: {Capability.GROUPS_READ},
    CAROL: set[Capability](),
}
AT = f"at: {LATER}"
LINES = {
    f"/wa-add {{group}} {PHONE} {AT}": ((Action.ADD,), "Scheduled: add 1 person"),
    f"/wa-add {{group}} {PHONE} invite: yes {AT}": (
        (Action.ADD, Action.READ_INVITE, Action.SEND_TO_PERSON),
        "Scheduled: add 1 person",
    ),
    f"/wa-remove {{group}} {PHONE} {AT}": ((Action.REMOVE,), "Scheduled: remove 1 person"),
    f"/wa-promote {{group}} {PHONE} {AT}": ((Action.PROMOTE,), "Scheduled: make 1 person an admin"),
    f"/wa-demote {{group}} {PHONE} {AT}": ((Action.DEMOTE,), "Scheduled: remove admin rights from 1 person"),
    f"/wa-create {{connection}} “New {{connection}}” {PHONE} {AT}": ((Action.CREATE,), "Scheduled: create the group"),
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
    f"/wa-invite {{group}} {PHONE} text: Come in {AT}": (
        (Action.READ_INVITE, Action.SEND_TO_PERSON),
        "Scheduled: invite 1 person to *{group}*",
    ),
    f"/wa-send {{group}} {AT} text: Hi": ((Action.SEND_TO_GROUP,), "Scheduled: send a message to *{group}*"),
    f"/wa-send {{group}} to: {PHONE} {AT} text: Hi": ((Action.SEND_TO_PERSON,), "Scheduled: message 1 person"),
    "/wa-group {group}": ((Action.LIST_GROUPS,), "Connection `{connection}`: connected"),
    "/wa-groups {group}": ((Action.LIST_GROUPS,), "• *{group}* “"),
}


app = module_app(SIMULATORS, operators=())


def expected(line: str, user: str, connection: str) -> str:
    """Return what the answer must contain, according to the abilities that the provider declares."""
    actions, taken = LINES[line]
    abilities = PROVIDERS[connection][1].abilities
    for needed in actions:
        ability = abilities.get(needed)
        if ability is None:
            return f"The provider of the connection `{connection}` doesn't support this: {needed}."
        if Capability.required_by(ability) not in CAN[user]:
            return f"capability `{ability.capability}`"
        if ability.picture is PictureForm.JPEG:
            return "takes a picture only as a JPEG file"
    return taken.format(group=f"{connection}-team", connection=connection)


@pytest.mark.parametrize(("user", "connection"), [*product(CAN, SIMULATORS)])
async def test_a_command_needs_a_capability_and_a_provider_that_supports_it(
    app: RunningApp, user: str, connection: str
) -> None:
    wrong = {}
    for line in LINES:
        answer = await run_command(app.slack, line.format(group=f"{connection}-team", connection=connection), user=user)
        if expected(line, user, connection) not in answer:
            wrong[line] = (expected(line, user, connection), answer)

    assert wrong == {}


async def test_every_command_with_an_effect_is_in_the_table() -> None:
    tried = {line.split()[0] for line in LINES}

    assert {c.name for c in COMMANDS} - tried == {"/wa", "/wa-sync", "/wa-requests", "/wa-audit"}


async def test_through_the_gateway_adding_is_sending(app: RunningApp) -> None:
    answer = await type_command(app.slack, f"/wa-add wagateway-team {PHONE}", user=DAVE)

    assert "This needs the capability `send`, which your roles don't have." in answer


@pytest.mark.parametrize("user", [ALICE, CAROL])
async def test_connection_names_are_shown_only_with_permission(app: RunningApp, user: str) -> None:
    answer = await type_command(app.slack, f"/wa-create “Spring Fair” {PHONE} {AT}", user=user)

    assert ("Name the connection first: `wacr` or `wagateway`" in answer) is (user == ALICE)
    assert ("You don't have access yet" in answer) is (user == CAROL)


async def test_a_sync_is_started_and_ended(app: RunningApp) -> None:
    line = "/wa-sync wasend-team from: wuts-team mode: report every: 24h reason: audit"

    assert "Comparing *wasend-team* with the list." in await type_command(app.slack, line)
    assert "Ended 1 repeated sync" in await type_command(app.slack, "/wa-sync wasend-team off")
    assert "`groups:write`" in await type_command(app.slack, "/wa-sync wasend-team from: wuts-team", user=DAVE)


async def test_a_refusal_is_in_the_audit_journal(app: RunningApp) -> None:
    said = await type_command(app.slack, "/wa-invite wasend-team", user=CAROL)
    reference = said.rpartition("Reference: ")[2]

    journal = await type_command(app.slack, f"/wa-audit <@{CAROL}|carol>", user=BOB)
    assert f"refused <@{CAROL}> invite *wasend-team* {reference}: code no_role" in journal
