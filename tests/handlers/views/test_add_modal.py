"""The modal of `/wa-add`, opened, searched and submitted in a simulated Slack that judges it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.groups import KnownGroup
from handlers.views import add_modal
from sandbox.serving import serve
from sandbox.slack.forms import FormRefused
from sandbox.slack.server import SlackServer
from tests.handlers.samples import EMOJI, EVIL, NAMES, RIGHT_TO_LEFT

ALICE = "U01ALICE"
GROUPS = [
    KnownGroup("support", "1@g.us", "launch-team"),
    *(KnownGroup("c" * 60, f"{n}@g.us", "", name) for n, name in enumerate(NAMES, start=2)),
]


class App:
    """The least of an app: it offers `GROUPS`, and reads what was submitted."""

    def __init__(self) -> None:
        self.forms: list[add_modal.Form] = []

    async def take(self, request: web.Request) -> web.Response:
        payload = json.loads(str((await request.post())["payload"]))
        if payload["type"] == "block_suggestion":
            return web.json_response({"options": [o.to_dict() for o in add_modal.options(GROUPS)]})
        self.forms.append(add_modal.parse(payload["view"]))
        return web.Response()


@pytest.fixture
async def app(slack: SlackServer) -> AsyncIterator[App]:
    app = App()
    site = web.Application()
    site.router.add_post("/slack/events", app.take)
    async with serve(site) as url:
        slack.request_url = f"{url}/slack/events"
        yield app


async def opened(slack: SlackServer, client: AsyncWebClient) -> dict[str, Any]:
    trigger = slack.workspace.new_trigger(ALICE)
    await client.views_open(trigger_id=trigger, view=add_modal.build("C0LAUNCH"))
    view = slack.open_view(ALICE)
    assert view is not None
    return view.body


async def test_what_is_filled_in_is_read_back(slack: SlackServer, client: AsyncWebClient, app: App) -> None:
    view = await opened(slack, client)
    numbers = "+1 415 555 0100;\n" * 176
    filled = {"Group": "launch-team · support", "Numbers": numbers, "Reason": f" {EVIL} {EMOJI} "}
    ack = await slack.submit(ALICE, view["id"], filled)

    assert ack.ok
    assert app.forms == [add_modal.Form("support 1@g.us", numbers, f"{EVIL} {EMOJI}", "C0LAUNCH")]
    assert add_modal.group_of(app.forms[0].group, GROUPS) == GROUPS[0]


async def test_the_reason_may_be_left_out_and_the_rest_may_not(
    slack: SlackServer, client: AsyncWebClient, app: App
) -> None:
    view = await opened(slack, client)
    with pytest.raises(FormRefused):
        await slack.submit(ALICE, view["id"], {"Group": "launch-team · support"})
    await slack.submit(ALICE, view["id"], {"Numbers": "+1 415 555 0100"})

    assert app.forms[0].reason == ""


async def test_slack_takes_no_more_than_fits(slack: SlackServer, client: AsyncWebClient, app: App) -> None:
    view = await opened(slack, client)
    await slack.submit(
        ALICE, view["id"], {"Group": "launch-team · support", "Numbers": "1" * 3000, "Reason": "r" * 500}
    )
    assert len(app.forms[0].numbers) == 3000

    view = await opened(slack, client)
    with pytest.raises(FormRefused):
        await slack.submit(ALICE, view["id"], {"Numbers": "1" * 3001})


async def test_every_group_is_offered_whatever_its_name(slack: SlackServer, client: AsyncWebClient, app: App) -> None:
    view = await opened(slack, client)
    offered = await slack.suggest(ALICE, view["id"], "Group", "")

    assert [option["value"] for option in offered] == [add_modal.value_of(g) for g in GROUPS]
    assert all(" · c" in option["text"]["text"] for option in offered[1:])
    assert [option["description"]["text"] for option in offered] == [g.id for g in GROUPS]
    assert app.forms == []


def test_a_group_whose_id_fits_into_no_option_is_not_offered() -> None:
    assert add_modal.options([KnownGroup("support", "9" * 150)]) == []


def test_two_groups_of_one_long_name_are_told_apart() -> None:
    twins = [KnownGroup(connection, "1@g.us", "", RIGHT_TO_LEFT * 20) for connection in ("support", "sales")]
    labels = [str(option.to_dict()["text"]["text"]) for option in add_modal.options(twins)]

    assert [label.rpartition(" · ")[2] for label in labels] == ["support", "sales"]
    assert all(len(label) <= 75 for label in labels)


def test_a_group_that_is_gone_is_not_found() -> None:
    assert add_modal.group_of("support 999@g.us", GROUPS) is None
