from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.catalogue import COMMANDS
from bot.domain.access import Capability, DenialCode, Denied
from bot.domain.groups import ConfiguredGroup, GroupCatalog, GroupRef, KnownGroup
from bot.domain.outcomes import RequestSummary, Tally
from bot.domain.requests import RequestOptions, RequestState
from bot.domain.send_limits import Cooldown
from bot.domain.sync import SyncMode, SyncSchedule, SyncSource
from bot.services.authorization import FORM_ACTIONS
from handlers.views import command_help, home_groups, home_syncs, home_view, interim_modals
from handlers.views.groups import GroupCursor
from handlers.views.home_groups import PAGE, GroupPage
from handlers.views.home_syncs import RepeatedSync
from handlers.views.home_view import ConnectionStatus, HomeData, SummaryPage
from providers.base import Account, AccountState, GroupChange, Operation, Outcome, Picture, ProviderFault
from sandbox.slack.server import SlackServer
from tests.handlers.samples import AT, EVIL, NAMES, RULE, changed

VERBS = tuple(verb for verb in FORM_ACTIONS if verb != "create")
EVERY_OUTCOME = Tally(tuple((outcome, 10_000) for outcome in Outcome), 200_000)
LATER = AT + timedelta(days=1)
CHANGE = GroupChange(EVIL * 5, EVIL * 50, Picture(url="https://x.example/" + "&" * 500), True, True, 86_400)
LARGEST = 250_000
"""Bytes of a view (views.publish, `view_too_large`)."""


def facts(**known: Any) -> HomeData:
    standard: dict[str, Any] = {"may": (), "refused": (), "may_request": False, "connections": (), "found": found(0)}
    return HomeData(**(standard | known))


def found(total: int, *, name: str = "Spring Fair", search: str = "", start: int = 0) -> GroupPage:
    groups = [KnownGroup("support", f"12036304123456{n:04}@g.us", "", name) for n in range(start, total)][:PAGE]
    return GroupPage([(group, VERBS) for group in groups], total, GroupCursor(search=search, start=start))


def brief(number: int, name: str, **changes: Any) -> RequestSummary:
    request = changed(id=f"R{number:015}", group_name=name, reason=EVIL * 10, **changes)
    return RequestSummary(request, EVERY_OUTCOME)


def longest(name: str) -> HomeData:
    """Return a page with as many entries as it can have, each as long as possible."""
    numbers = range(home_view.MAX_LISTED)
    asked = RequestOptions(run_at=LATER, change=CHANGE, note=EVIL * 10, parent="R1", follow="retry")
    waiting = [
        brief(10 + n, name, state=RequestState.WAITING, rule=RULE, operation=Operation.SETTINGS, options=asked)
        for n in numbers
    ]
    to_come = [
        brief(30 + n, name, state=RequestState.WAITING, rule=RULE, options=RequestOptions(run_at=LATER))
        for n in numbers
    ]
    schedule = SyncSchedule(
        "S1",
        "support",
        "1",
        "U01ALICE",
        "C0LAUNCH",
        SyncSource(usergroup="S0", name=EVIL * 10),
        SyncMode.MIRROR,
        "",
        timedelta(1),
        LATER,
        run=3,
        failed=2,
    )
    recent = [brief(40 + n, name, state=RequestState.DONE) for n in range(home_view.MAX_RECENT)]
    return facts(
        notice=f"Only the requester can withdraw it. {'x' * 2000}",
        may=tuple(Capability),
        refused=[Denied(DenialCode.NO_CAPABILITY, "This needs a capability. " * 5, ("S0123456789",) * 9)] * 5,
        may_request=True,
        connections=[
            ConnectionStatus(
                name or "c", Account(AccountState.RESTRICTED, EVIL * 10), Cooldown(LATER, EVIL * 20), 10_000
            )
            for _ in range(home_view.MAX_CONNECTIONS + 1)
        ],
        found=found(101, name=name, search="a" * 100, start=50),
        waiting=SummaryPage(waiting, more=True),
        votes={"R000000000000010": 1},
        running=SummaryPage([brief(20 + n, name, state=RequestState.RUNNING) for n in numbers], more=True),
        upcoming=SummaryPage(to_come, more=True),
        repeated=[RepeatedSync(schedule, name, may_end=True, held="x" * 5000, last=recent[0])] * home_syncs.MAX_LISTED,
        repeated_more=40,
        recent=recent,
        everyone=True,
        catalog=GroupCatalog({GroupRef("support", "120363041234567890@g.us"): ConfiguredGroup(warning=EVIL * 100)}),
        links={f"R{n:015}": f"https://sandbox.slack.com/archives/C0LAUNCH/p{'1' * 16}" for n in range(100)},
    )


async def published(client: AsyncWebClient, slack: SlackServer, page: HomeData) -> list[dict[str, Any]]:
    await client.views_publish(user_id="U01ALICE", view=home_view.build(page))
    view = slack.home("U01ALICE")
    assert view is not None
    assert len(str(view.body["blocks"]).encode()) < LARGEST
    blocks: list[dict[str, Any]] = view.body["blocks"]
    return blocks


def said(blocks: list[dict[str, Any]]) -> str:
    texts = [b.get("text") or b.get("label") or e for b in blocks for e in b.get("elements", [{}])]
    return "\n".join(text["text"] for text in texts if isinstance(text.get("text"), str))


def labels(blocks: list[dict[str, Any]]) -> list[str]:
    buttons = [e for b in blocks if b["type"] == "actions" for e in b["elements"]]
    return [button["text"]["text"] for button in buttons if button["type"] == "button"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_with_everything_at_its_longest_is_taken_by_slack(
    client: AsyncWebClient, slack: SlackServer, name: str
) -> None:
    blocks = await published(client, slack, longest(name))

    assert {"Approve", "Deny", "Details", "Stop", "Withdraw", "New request", "Add", "Next"} <= set(labels(blocks))
    assert "and 40 more" in said(blocks)


@pytest.mark.parametrize(
    ("total", "start", "shown", "leaves", "where"),
    [
        (0, 0, 0, [], ""),
        (1, 0, 1, [], ""),
        (50, 0, 10, ["Next"], "1 to 10 of 50 groups"),
        (50, 40, 10, ["Previous"], "41 to 50 of 50 groups"),
        (101, 50, 10, ["Previous", "Next"], "51 to 60 of 101 groups"),
        (101, 100, 1, ["Previous"], "101 to 101 of 101 groups"),
    ],
)
async def test_groups_are_leafed_through(
    client: AsyncWebClient, slack: SlackServer, total: int, start: int, shown: int, leaves: list[str], where: str
) -> None:
    page = facts(found=found(total, start=start), may=(Capability.GROUPS_WRITE,))

    blocks = await published(client, slack, page)

    assert labels(blocks).count("Add") == shown
    assert [label for label in labels(blocks) if label in {"Previous", "Next"}] == leaves
    assert where in said(blocks)
    assert any(block["block_id"] == home_groups.SEARCH for block in blocks) == (total > PAGE)


async def test_a_search_that_finds_nothing_says_so_and_can_be_changed(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    blocks = await published(client, slack, facts(found=found(0, search="<none>")))

    assert "no group you can administer with “&lt;none&gt;” in a name" in said(blocks)
    assert any(block["block_id"] == home_groups.SEARCH for block in blocks)


async def test_a_person_without_access_reads_whom_to_ask(client: AsyncWebClient, slack: SlackServer) -> None:
    denied = Denied(DenialCode.NO_ROLE, "You don't have access yet.", ("U01ALICE", "S0LEADS"))

    blocks = await published(client, slack, facts(refused=[denied]))

    assert "You don't have access yet. Ask <@U01ALICE> or <!subteam^S0LEADS>." in said(blocks)
    assert labels(blocks) == []


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (None, "⏳ checking the account"),
        (ProviderFault("It broke."), "❔ couldn't read the account: It broke."),
        (ValueError("a bug"), "❔ couldn't read the account: something went wrong in Rollcall."),
        (TimeoutError(), "❔ couldn't read the account: the provider didn't answer in time."),
        (Account(AccountState.CONNECTED), "✅ connected; 💤 paused until"),
        (Account(AccountState.CONNECTED, "Connected"), "✅ connected; 💤"),
        (Account(AccountState.DISCONNECTED, "logged out"), "⛔ disconnected (provider said: “logged out”)"),
    ],
)
async def test_a_connection_says_how_it_stands(
    client: AsyncWebClient, slack: SlackServer, account: Account | Exception | None, words: str
) -> None:
    connection = ConnectionStatus("support", account, Cooldown(LATER, "too many"), 1)

    blocks = await published(client, slack, facts(connections=[connection]))

    assert words in said(blocks)
    assert "1 left in today's limit" in said(blocks)


@pytest.mark.parametrize("commands", [COMMANDS[1:], COMMANDS[1:2], ()])
async def test_the_chooser_is_taken_by_slack(client: AsyncWebClient, slack: SlackServer, commands: Any) -> None:
    view = command_help.chooser(commands, "C0LAUNCH", ["You have no role. " * 20] * 5)

    await client.views_open(trigger_id=slack.workspace.new_trigger("U01ALICE"), view=view)

    assert command_help.parse_chooser(str(view.to_dict()["private_metadata"])).channel == "C0LAUNCH"


async def test_the_modals_over_a_message_are_taken_by_slack(client: AsyncWebClient, slack: SlackServer) -> None:
    for view in (
        interim_modals.reading_message(5, "id"),
        interim_modals.no_numbers([EVIL * 50] * 20),
        interim_modals.too_many_numbers("These are too many numbers for a form."),
    ):
        await client.views_open(trigger_id=slack.workspace.new_trigger("U01ALICE"), view=view)
