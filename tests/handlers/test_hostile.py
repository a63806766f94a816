"""Values that no button or form offered, people without rights, and everything twice: one bot for all of it."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft
from bot.domain.roster import parse
from bot.storage.drafts import DraftStore
from handlers.clients import user_groups
from handlers.clients.user_groups import UserGroups
from handlers.modals import open as modal_opening
from handlers.modals import respond
from handlers.views import answers, inputs
from providers.base import Operation
from sandbox.slack import forms, payloads
from sandbox.slack.acks import apply_ack
from sandbox.slack.delivery import Ack
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from tests.app import ADMIN, MORE_ROLES, STRANGER, RunningApp, approval_rule, group_id, module_app
from tests.slack_ui import ALICE, BOB, CHANNEL, labels_of, open_modal

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[dict[str, Any]], None]
WASEND = "wasend-team · wasend"
APPROVAL = approval_rule("add", min_participants=2)
COLUMNS = [("x.csv", b"a,b\n+14155550901,+14155550902\n+14155550903,+14155550904\n")]


app = module_app(rules=MORE_ROLES + APPROVAL)


@pytest.fixture
def slack(app: RunningApp) -> SlackServer:
    app.slack.faults.clear()
    return app.slack


@pytest.fixture
def broken() -> Iterator[Callable[[], list[EventDict]]]:
    """Return the errors that were logged since the test began."""
    with capture_logs() as entries:
        yield lambda: [e for e in entries if e["log_level"] in {"error", "critical"} or "exc_info" in e]


async def fill_form(slack: SlackServer, values: dict[str, Any], user: str = ALICE) -> None:
    """Open the form for adding in place of whatever is open, and submit it."""
    while view := slack.open_view(user):
        await slack.close_view(user, view.body["id"])
    await slack.command(user, CHANNEL, "/wa-add")
    assert (await slack.submit(user, open_modal(slack, user).body["id"], {"Group": WASEND, **values})).ok


async def submit_changed(slack: SlackServer, change: Change, user: str = ALICE) -> Ack:
    """Submit the open modal with a payload that was changed on its way."""
    view = open_modal(slack, user)
    payload = copy.deepcopy(payloads.view_submission(slack.workspace, view, forms.values(view)))
    change(payload)
    return await deliver(slack, payload)


async def deliver(slack: SlackServer, payload: dict[str, Any]) -> Ack:
    ack = apply_ack(slack.workspace, await slack.deliverer.deliver("interactive", payload))
    assert ack.ok, ack
    return ack


def with_metadata(**values: Any) -> Change:
    """Put other values into what a view carries."""

    def change(payload: dict[str, Any]) -> None:
        view = payload["view"]
        view["private_metadata"] = json.dumps({**json.loads(view["private_metadata"]), **values})

    return change


def with_text(block: str, text: str) -> Change:
    def change(payload: dict[str, Any]) -> None:
        payload["view"]["state"]["values"][block] = {inputs.INPUT: {"type": "plain_text_input", "value": text}}

    return change


def next_answer(slack: SlackServer, user: str) -> Callable[[], bool]:
    """Return a check of whether the person has received a new ephemeral message or modal since this call."""
    count, shown = len(slack.ephemerals(user)), slack.open_view(user)
    return lambda: len(slack.ephemerals(user)) > count or slack.open_view(user) is not shown


def draft_of(user: str, connection: str = "wasend") -> RequestDraft:
    group = KnownGroup(connection, group_id("wasend"))
    roster = parse("+1 415 555 0905")
    return RequestDraft("R" + "A" * 16, Operation.ADD, group, roster, "", Actor(user), CHANNEL)


@pytest.mark.parametrize("draft", [draft_of(BOB), draft_of(ALICE, "gone")], ids=["another person's", "connection gone"])
@pytest.mark.parametrize("files", [[], COLUMNS], ids=["preview", "column"])
async def test_an_unusable_draft_submits_nothing(
    app: RunningApp, slack: SlackServer, broken: Callable[[], list[EventDict]], draft: RequestDraft, files: list[Any]
) -> None:
    key = await DraftStore(app.database).save(draft)
    await fill_form(slack, {"Or a file with numbers": files} if files else {"Numbers": "+1 415 555 0901"})
    before = app.request_ids()

    ack = await submit_changed(slack, with_metadata(draft=key))

    assert "its connection" in json.dumps(ack.body)
    assert app.request_ids() == before
    assert broken() == []


@pytest.mark.parametrize("value", ["", "wasend 1@g.us", "gone 1", "<!channel>", "\ud800", "x" * 3000])
async def test_a_group_that_was_never_offered_is_gone(
    slack: SlackServer, broken: Callable[[], list[EventDict]], value: str
) -> None:
    await fill_form(slack, {"Numbers": "bogus"})
    option = {"selected_option": {"value": value}}

    ack = await submit_changed(
        slack, lambda payload: payload["view"]["state"]["values"]["group"][inputs.GROUP_SELECT].update(option)
    )

    assert list(ack.body["errors"]) == ["group"]
    assert broken() == []


@pytest.mark.parametrize(
    "text",
    ["+1 415 555 0906, blah " * 5000, "(" * 100_000, "ش" * 100_000, "+1 415 555 0906, \ud800\0", "１٤１" * 30_000],
    ids=["pasted", "brackets", "right to left", "no text", "digits"],
)
async def test_no_text_is_too_much_for_the_form(
    slack: SlackServer, broken: Callable[[], list[EventDict]], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(slack.deliverer, "_limit", None)  # test_roster counts the work; its time is the machine's
    await fill_form(slack, {"Numbers": "bogus"})

    ack = await submit_changed(slack, with_text("numbers", text))

    assert ack.body["response_action"] in {"push", "errors"}
    assert broken() == []


async def test_an_unavailable_file_is_an_error_at_its_field(slack: SlackServer) -> None:
    await fill_form(slack, {"Numbers": "bogus"})
    slack.faults.append(SlackFault("files.info", status=500, times=-1))

    ack = await submit_changed(
        slack, lambda p: p["view"]["state"]["values"]["file"][inputs.INPUT].update(files=[{"id": "F1"}])
    )

    assert ack.body["errors"]["file"] == "Couldn't fetch the file from Slack. Try again."


async def test_concurrent_submissions_make_one_request(app: RunningApp, slack: SlackServer) -> None:
    await fill_form(slack, {"Numbers": "+1 415 555 0907"})
    view, before = open_modal(slack), len(slack.ephemerals(ALICE))
    payload = payloads.view_submission(slack.workspace, view, forms.values(view))

    await asyncio.gather(*(deliver(slack, payload) for _ in range(10)))

    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) >= before + 10)
    assert sum(str(m["text"]).startswith("Adding 1 person") for m in slack.ephemerals(ALICE)[before:]) == 1
    world = app.world()
    await slack.wait_for(lambda: "14155550907" in app.members() or None)
    assert [e.phone for e in world.events].count("14155550907") == 1


async def test_a_stranger_changes_nothing_with_any_button(
    app: RunningApp, slack: SlackServer, broken: Callable[[], list[EventDict]]
) -> None:
    waiting, done = await app.add_people("14155550908", "14155550909"), await app.add_people("14155550910")
    await waiting.labels("approval", "Approve", "Deny", "Override", "Withdraw")
    await done.labels("summary", "Undo", "Export CSV")
    before = app.members(), app.request_ids(), list(slack.files)

    for message in [await waiting.message("approval"), await done.message("summary")]:
        for label in labels_of(message):
            answered = next_answer(slack, STRANGER)
            assert (await slack.click(STRANGER, CHANNEL, message["ts"], label, even_if_hidden=True)).ok
            await slack.wait_for(answered)

    said = [str(m["text"]) for m in slack.ephemerals(STRANGER)]
    assert [words for words in said if "Only" not in words and "You don't have access yet" not in words] == []
    assert "•••" in json.dumps(open_modal(slack, STRANGER).body["blocks"], ensure_ascii=False)
    assert (app.members(), app.request_ids(), slack.files) == before
    assert await waiting.labels("approval", "Approve")
    assert broken() == []


@pytest.mark.parametrize("value", ["", "RZZZ", "a b"])
async def test_a_button_of_an_unknown_request_is_answered(
    app: RunningApp, slack: SlackServer, broken: Callable[[], list[EventDict]], value: str
) -> None:
    for label, payload in await clicks_by_admin(app, slack):
        answered = next_answer(slack, ADMIN)
        payload["actions"][0]["value"] = value
        await deliver(slack, payload)
        await slack.wait_for(answered)
        assert "othing" in slack.ephemerals(ADMIN)[-1]["text"] or label == "Withdraw"
    assert broken() == []


async def clicks_by_admin(app: RunningApp, slack: SlackServer) -> list[tuple[str, dict[str, Any]]]:
    """Return a click of the administrator on each button of a waiting request, as Slack would send it."""
    waiting = await app.add_people("14155550911", "14155550912")
    await waiting.labels("approval", "Approve")
    message = await waiting.message("approval")
    found = []
    for label in labels_of(message):
        await slack.click(STRANGER, CHANNEL, message["ts"], label, even_if_hidden=True)
        sent = copy.deepcopy(slack.deliveries[-1].payload)
        url = slack.workspace.new_response_url(ADMIN, CHANNEL, message["ts"])
        found.append((label, {**sent, "user": {"id": ADMIN}, "response_url": f"{slack.base_url}/hooks/{url}"}))
    return found


async def test_a_button_of_another_version_is_answered(
    app: RunningApp, slack: SlackServer, broken: Callable[[], list[EventDict]]
) -> None:
    (_, payload), *_ = await clicks_by_admin(app, slack)
    payload["actions"][0]["action_id"] = "approve_all"

    await deliver(slack, payload)

    await slack.wait_for(lambda: slack.ephemerals(ADMIN)[-1]["text"] == answers.OUTDATED)
    assert broken() == []


async def test_a_form_of_another_version_is_answered_in_the_form(slack: SlackServer) -> None:
    await fill_form(slack, {"Numbers": "bogus"})

    ack = await submit_changed(slack, lambda payload: payload["view"].update(callback_id="adopt"))

    assert answers.OUTDATED.replace("`", "") in ack.body["errors"].values()


@pytest.fixture
def silent_user_groups(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each read of the user groups take as long as it may: no copy is fresh, and Slack doesn't answer."""
    monkeypatch.setattr(user_groups, "READ_TIMEOUT", 0.4)
    monkeypatch.setattr(UserGroups.actor, "__kwdefaults__", {"max_age": -1.0})
    slack.faults.append(SlackFault("usergroups.users.list", error="hang"))


@pytest.mark.usefixtures("silent_user_groups")
async def test_a_form_is_acknowledged_before_the_user_groups_are_known(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill_form(slack, {"Numbers": "bogus"})
    monkeypatch.setattr(respond, "ACK_DEADLINE", 0.1)

    ack = await submit_changed(slack, with_text("numbers", "+1 415 555 0913"))

    assert ack.body["view"]["title"]["text"] == "Reading…"
    await slack.wait_for(lambda: open_modal(slack).body["title"]["text"] == "Preview")


@pytest.mark.usefixtures("silent_user_groups")
async def test_a_form_is_not_opened_after_slow_user_groups(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modal_opening, "OPEN_TIMEOUT", 0.2)

    assert (await slack.command(ALICE, CHANNEL, "/wa-add")).body["text"] == modal_opening.OPENED_TOO_LATE
