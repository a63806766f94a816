"""The forms and their previews at their extremes: a simulated Slack that judges them opens every one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from bot.domain.approvals import ApprovalRule
from bot.domain.groups import KnownGroup
from bot.domain.requests import Preview, RequestDraft, RequestOptions
from bot.domain.roster import Duplicate, RejectedEntry, RejectionCode, Roster
from bot.domain.send_limits import Cooldown
from bot.domain.sync import Drift, SyncMode
from bot.domain.uploads import ColumnChoices
from bot.services.uploads.people import people_in
from handlers.views import inputs, interim_modals, preview, request_forms, settings_modal
from handlers.views.answers import Unread
from handlers.views.inputs import Prefill
from handlers.views.preview import PreviewData, SyncTerms
from handlers.views.submitted_view import SubmittedView
from providers.base import (
    Ability,
    Action,
    Group,
    GroupChange,
    Operation,
    Person,
    Picture,
    PictureForm,
    ProviderCapability,
)
from sandbox.slack.server import SlackServer
from tests.handlers.samples import EMOJI, EVIL, NAMES, RIGHT_TO_LEFT, RULE

ALICE = "U01ALICE"
LONG = KnownGroup("c" * 100, "9" * 200, "", EVIL * 50)
NUMBERS = "\n".join(f"+1 415 555 {n:04}" for n in range(1024))
NUMBER = (0, 1, 50, 51, 100, 101, 1024, 10_000)
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
ALL = {action: Ability(ProviderCapability.GROUPS_WRITE, hint="h" * 500) for action in Action}
JPEG = ALL | {Action.PICTURE: Ability(ProviderCapability.GROUPS_WRITE, picture=PictureForm.JPEG)}


async def shown(slack: SlackServer, client: AsyncWebClient, view: View) -> dict[str, Any]:
    """Open a view, and give it as Slack shows it, where every input has a label."""
    trigger = slack.workspace.new_trigger(ALICE)
    view.external_id = view.external_id and f"rollcall-{trigger}"  # no two views have the same
    await client.views_open(trigger_id=trigger, view=view)
    seen = slack.open_view(ALICE)
    assert seen is not None
    body = seen.body
    assert all(b["label"]["text"].strip() for b in body["blocks"] if b["type"] == "input")
    return dict(body)


def forms(prefill: Prefill) -> Iterator[View]:
    for verb in request_forms.PEOPLE_TITLES:
        yield request_forms.people_form(verb, prefill, can_invite=True)
    yield request_forms.create_form(prefill, ["c" * 100, *(f"connection-{n}" for n in range(150))], can_invite=True)
    yield request_forms.create_form(prefill, ["only"], can_invite=False)
    yield request_forms.invite_form(prefill)
    yield request_forms.send_form(prefill)
    yield request_forms.sync_form(prefill)
    yield settings_modal.build(prefill)
    group = prefill.group or LONG
    yield settings_modal.build(prefill, settings_modal.SettingsData(group, ALL, None))
    yield settings_modal.build(prefill, settings_modal.SettingsData(group, {}, Group(group.id, "s")))
    now = Group(group.id, EVIL * 50, 5, EMOJI * 2000, announce_only=True, locked=False, ephemeral=7 * 86_400)
    yield settings_modal.build(prefill, settings_modal.SettingsData(group, ALL, now))
    yield settings_modal.build(prefill, settings_modal.SettingsData(group, JPEG, now))


async def test_every_form_opens_whatever_it_holds(slack: SlackServer, client: AsyncWebClient) -> None:
    for group in (None, LONG, *(KnownGroup("support", "1@g.us", "", name) for name in NAMES)):
        for view in forms(Prefill("C0LAUNCH", group, NUMBERS if group else "")):
            await shown(slack, client, view)


async def test_numbers_that_fit_into_no_field_get_more_of_them(slack: SlackServer, client: AsyncWebClient) -> None:
    body = await shown(
        slack, client, request_forms.people_form("add", Prefill("C0LAUNCH", None, NUMBERS), can_invite=False)
    )
    state = {
        b["block_id"]: {b["element"]["action_id"]: {"value": b["element"].get("initial_value")}}
        for b in body["blocks"]
        if b["type"] == "input" and b["element"]["type"] == "plain_text_input"
    }
    form = request_forms.parse_people({**body, "state": {"values": state}})
    assert form.common.numbers == NUMBERS
    with pytest.raises(ValueError, match="too many numbers for a form"):
        request_forms.people_form("add", Prefill("C0LAUNCH", None, NUMBERS * 3), can_invite=False)


@pytest.mark.parametrize("number", [0, 1, 100, 101, 250])
def test_a_search_offers_every_group_or_says_how_many_there_are(number: int) -> None:
    groups = [KnownGroup("c" * 90, f"{n}{'9' * 150}@g.us", "", NAMES[n % len(NAMES)]) for n in range(number)]
    offered = inputs.offered(groups)
    if number <= 100:
        assert len(offered["options"]) == number
        assert [inputs.group_of(o["value"], groups) for o in offered["options"]] == groups
    else:
        assert offered["option_groups"][0]["label"]["text"].startswith(f"100 of {number} groups")
    assert inputs.group_of("gone", groups) is None


def test_two_groups_of_one_long_name_are_told_apart() -> None:
    twins = [KnownGroup(connection, "1@g.us", "", RIGHT_TO_LEFT * 20) for connection in ("support", "sales")]
    labels = [str(option["text"]["text"]) for option in inputs.offered(twins)["options"]]
    assert [label.rpartition(" · ")[2] for label in labels] == ["support", "sales"]
    assert all(len(label) <= 75 for label in labels)


def roster(number: int, rejected: int = 0) -> Roster:
    people = [Person(f"{n}", f"+1415555{n:04}") for n in range(number)]
    unusable = [RejectedEntry("nobody &<>" * 12, RejectionCode.NOT_A_NUMBER, n) for n in range(rejected)]
    return Roster(tuple(people), tuple(unusable), tuple(Duplicate("again", person) for person in people))


def draft(operation: Operation, people: Roster, options: RequestOptions, name: str = "launch-team") -> RequestDraft:
    group = KnownGroup("support", "1@g.us", "", name)
    return RequestDraft("R1", operation, group, people, "&" * 500, Actor(ALICE), "C0LAUNCH", options)


def told(people: Roster, *, rule: ApprovalRule | None = None) -> Preview:
    rest = Cooldown(AT, EVIL * 20)
    half = len(people.people) // 2
    return Preview(
        people.people[half:],
        people.people[:half],
        (),
        people.rejected,
        people.duplicates,
        group_was_read=not rule,
        over_capacity=3,
        seconds=90.0,
        remaining_today=0,
        cooldown=rest,
        rule=rule,
    )


@pytest.mark.parametrize("number", NUMBER)
async def test_a_preview_says_everything_of_any_number(slack: SlackServer, client: AsyncWebClient, number: int) -> None:
    people = roster(number, rejected=number)
    facts = PreviewData(
        "k" * 32,
        draft(Operation.ADD, people, RequestOptions(run_at=AT, invite_refused=True)),
        told(people),
        warning="w<" * 1000,
        source="column “x”",
        without=range(1, number),
    )
    body = await shown(slack, client, preview.build(facts, "rollcall-1"))
    text = json.dumps(body["blocks"], ensure_ascii=False)
    assert preview.parse(body).draft == "k" * 32
    assert body["submit"]["text"] == "Add"
    assert "paused until" in text
    if number:
        assert "3 people don't fit into the group" in text
        assert f"{number // 2:,} {'person' if number // 2 == 1 else 'people'} already in the group" in text
        assert f"Couldn't read {number:,} entr" in text
        assert "That isn't enough for everyone" in text


@pytest.mark.parametrize("operation", Operation)
async def test_every_request_has_a_preview(slack: SlackServer, client: AsyncWebClient, operation: Operation) -> None:
    rosters = cycle((Roster(), roster(1), roster(0, rejected=1)))
    for name in NAMES:
        change = GroupChange(name, "", Picture(jpeg=b"x"), announce_only=False, locked=True, ephemeral=0)
        people = next(rosters)
        made = draft(
            operation, people, RequestOptions(subject=name, text=EMOJI * 300 + " " + "x" * 600, change=change), name
        )
        body = await shown(slack, client, preview.build(PreviewData("k", made, told(people, rule=RULE)), "rollcall-1"))
        assert body["submit"]["text"] == "Ask for approval"


@pytest.mark.parametrize("mode", SyncMode)
async def test_the_preview_of_a_sync_says_how_group_and_list_differ(
    slack: SlackServer, client: AsyncWebClient, mode: SyncMode
) -> None:
    made = draft(Operation.SYNC, roster(2), RequestOptions())
    person = Person("x", "+14155550100")
    terms = SyncTerms(mode=mode, every=timedelta(days=1).total_seconds(), other=("c" * 100, "9" * 200))
    for drift in (Drift((person,), (), (person, person), 1), Unread("words"), None):
        facts = PreviewData("k", made, None, reading=drift is None, sync=terms, list_="a list", drift=drift, rule=RULE)
        body = await shown(slack, client, preview.build(facts, "rollcall-1"))
        assert preview.parse(body).sync == terms
        text = json.dumps(body["blocks"])
        assert "Still comparing" in text or "words" in text or "1 person on the list but not in the group" in text


@pytest.mark.parametrize("columns", [2, 100, 150])
async def test_any_column_can_be_chosen(slack: SlackServer, client: AsyncWebClient, columns: int) -> None:
    heading = ",".join(f"Phone {n} {EMOJI * 60}" for n in range(columns))
    row = ",".join(f"+1 415 555 {n:04}" for n in range(columns))
    choices = people_in("x.csv", f"{heading}\n{row}\n{row}".encode())
    assert isinstance(choices, ColumnChoices)
    view = interim_modals.column_form(choices, EVIL * 50, {"draft": "k"}, "rollcall-1")
    body = await shown(slack, client, view)
    value = body["blocks"][-1]["element"]["options"][0]["value"]
    state = {"values": {"column": {"value": {"selected_option": {"value": value}}}}}
    form = interim_modals.parse_column({**body, "state": state})
    assert form.place == choices.columns[0].ref
    assert form.carried == {"draft": "k"}


async def test_what_stands_in_for_a_preview_says_what_to_do(slack: SlackServer, client: AsyncWebClient) -> None:
    for view in (interim_modals.reading_preview("rollcall-1"), interim_modals.no_preview(["x" * 2000, "y"])):
        text = json.dumps(await shown(slack, client, view))
        assert "Back" in text
        assert "it keeps what you typed" in text


def test_what_is_read_back_survives_a_form_of_another_shape() -> None:
    empty = SubmittedView({"state": {"values": {"numbers": {}}}, "private_metadata": "{}"})
    assert (empty.text("numbers"), empty.option("group"), empty.file("file")) == ("", "", None)
