import pytest

from providers.base import (
    AccountDisconnected,
    Action,
    Created,
    Evidence,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Picture,
    ProviderError,
    Verdict,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, people
from tests.providers.provider_cases import WUTS, WutsHarness

GROUP = WUTS.group
ADD = f"POST /groups/{GROUP}/participants"
CHECK = "POST /contact/check"

JPEG = b"\xff\xd8\xff\xe0 a picture"
UPDATE = f"PATCH /groups/{GROUP}"
TEXTS_AND_MODE = GroupChange("Evening team", "The rota", announce_only=True)


def lines(wuts: WutsHarness) -> list[str]:
    return [f"{call.method} {call.path.removeprefix(f'/groups/{GROUP}')}" for call in wuts.server.calls]


def kinds(failed: object) -> dict[Action, type[ProviderError]]:
    assert isinstance(failed, dict)
    return {action: type(error) for action, error in failed.items()}


async def test_all_changes_take_three_calls(wuts: WutsHarness) -> None:
    change = GroupChange("Evening team", "The rota", Picture(jpeg=JPEG), announce_only=True, ephemeral=604_800)
    result = await wuts.adapter.change(GROUP, change)
    assert (set(result.done), result.failed) == (set(change.actions), {})
    assert lines(wuts) == ["PATCH ", "POST /picture", "PUT /ephemeral"]
    assert await wuts.adapter.group(GROUP) == Group(
        GROUP, "Evening team", 2, description="The rota", announce_only=True, locked=False
    )
    group = wuts.group
    assert (group.ephemeral, group.picture) == (604_800, "/9j/4CBhIHBpY3R1cmU=")


@pytest.mark.parametrize(
    ("change", "action", "kind"),
    [
        (GroupChange(locked=True), Action.LOCK, NotSupported),
        (GroupChange(picture=Picture(url="https://example.com/team.jpg")), Action.PICTURE, InvalidRequest),
        (GroupChange(ephemeral=3600), Action.EPHEMERAL, InvalidRequest),
    ],
)
async def test_what_the_contract_cannot_take_is_refused_without_a_call(
    wuts: WutsHarness, change: GroupChange, action: Action, kind: type[ProviderError]
) -> None:
    result = await wuts.adapter.change(GROUP, change)
    assert (result.done, kinds(result.failed)) == ((), {action: kind})
    assert wuts.server.calls == []


@pytest.mark.parametrize("in_turn", [True, False])
async def test_a_refused_update_is_sent_in_parts_so_that_each_has_its_own_answer(
    wuts: WutsHarness, in_turn: bool
) -> None:
    wuts.server.updates_in_turn = in_turn
    wuts.group.account_is_admin = False
    result = await wuts.adapter.change(GROUP, TEXTS_AND_MODE)
    assert result.done == (Action.RENAME, Action.DESCRIBE)
    assert kinds(result.failed) == {Action.ANNOUNCE_ONLY: PermissionMissing}
    assert [len(body) for body in wuts.bodies(UPDATE)] == [3, 1, 1, 1]
    group = wuts.group
    assert (group.subject, group.description, group.announce_only) == ("Evening team", "The rota", False)


async def test_a_value_that_is_not_taken_does_not_stop_the_others(wuts: WutsHarness) -> None:
    result = await wuts.adapter.change(GROUP, GroupChange("", "The rota", ephemeral=0))
    assert result.done == (Action.DESCRIBE, Action.EPHEMERAL)
    assert [*result.failed] == [Action.RENAME]
    assert isinstance(result.failed[Action.RENAME], InvalidRequest)


async def test_a_success_that_shows_the_group_as_it_was_leaves_the_change_unknown(wuts: WutsHarness) -> None:
    group = wuts.group
    group.account_is_admin, group.locked = False, True
    wuts.server.non_admin_status = 200
    result = await wuts.adapter.change(GROUP, GroupChange("Evening team", "", announce_only=True, ephemeral=86_400))
    assert result.done == (Action.DESCRIBE,)
    assert kinds(result.failed) == dict.fromkeys(
        (Action.RENAME, Action.ANNOUNCE_ONLY, Action.EPHEMERAL), OutcomeUnknown
    )


async def test_a_change_that_is_accepted_for_later_is_not_done_yet(wuts: WutsHarness) -> None:
    body = f'{{"success": true, "group": {{"jid": "{GROUP}", "name": "Evening team"}}}}'
    wuts.server.faults = [
        InjectedFault(UPDATE, status=202, body=body),
        InjectedFault("/picture", status=202, body='{"success": true}'),
        InjectedFault("/leave", status=202, body='{"success": true}'),
    ]
    result = await wuts.adapter.change(GROUP, GroupChange("Evening team", picture=Picture(jpeg=JPEG)))
    assert kinds(result.failed) == dict.fromkeys((Action.RENAME, Action.PICTURE), OutcomeUnknown)
    with pytest.raises(OutcomeUnknown):
        await wuts.adapter.leave(GROUP)


async def test_a_device_that_goes_offline_ends_the_changes(wuts: WutsHarness) -> None:
    wuts.server.account_state = "disconnected"
    change = GroupChange("Evening team", "The rota", Picture(jpeg=JPEG), ephemeral=0)
    result = await wuts.adapter.change(GROUP, change)
    assert kinds(result.failed) == dict.fromkeys(change.actions, AccountDisconnected)
    assert lines(wuts) == ["PATCH "]


@pytest.mark.parametrize("lists_refused", [True, False])
async def test_a_new_group_is_named_and_its_people_are_left_to_be_read_back(
    wuts: WutsHarness, lists_refused: bool
) -> None:
    wuts.server.lists_refused = lists_refused
    wuts.world.put_person(ANA, Disposition.PRIVATE)
    wuts.world.put_person("14155550103", Disposition.NO_ACCOUNT)
    created = await wuts.adapter.create("New team", people(ANA, BEN, "14155550103"))
    assert created.group is not None
    assert [v.outcome for v in created.verdicts] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NOT_ON_WHATSAPP]
    standing = await wuts.adapter.membership(created.group.id, people(ANA, BEN))
    assert [now.is_member for now in standing.values()] == [False, True]
    assert wuts.bodies("POST /groups") == [
        {"name": "New team", "participants": [f"{ANA}@s.whatsapp.net", f"{BEN}@s.whatsapp.net"]}
    ]


async def test_nobody_with_an_account_means_no_group_and_still_a_community(wuts: WutsHarness) -> None:
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    absent = Verdict(f"+{ANA}", Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED, "false", "contact check: false")
    assert await wuts.adapter.create("New team", people(ANA)) == Created(None, (absent,))
    assert len(wuts.world.groups) == 1
    assert await wuts.adapter.create_community("Neighbours", people(ANA)) == Created(None, (absent,))
    assert len(wuts.world.groups) == 2
    assert wuts.bodies("POST /communities") == [{"name": "Neighbours", "participants": []}]


async def test_a_number_that_is_not_taken_is_named_and_no_group_is_made(wuts: WutsHarness) -> None:
    created = await wuts.adapter.create("New team", people(ANA, "376312345"))
    assert created.group is None
    assert [verdict.outcome for verdict in created.verdicts] == [Outcome.FAILED, Outcome.INVALID]
    with pytest.raises(InvalidRequest):
        await wuts.adapter.create("", people(ANA))
    assert len(wuts.world.groups) == 1


@pytest.mark.parametrize("body", ['{"success": true}', '{"success": true, "group": {"jid": 7}}'])
async def test_a_new_group_that_is_not_named_is_not_guessed(wuts: WutsHarness, body: str) -> None:
    wuts.server.faults = [InjectedFault("POST /groups", status=201, body=body, when="after")]
    created = await wuts.adapter.create("New team", people(ANA))
    assert (created.group, created.verdicts) == (None, (Verdict(f"+{ANA}", Outcome.UNKNOWN),))


async def test_a_new_community_that_is_named_takes_people_in_and_lets_them_go(wuts: WutsHarness) -> None:
    wuts.server.names_communities = True
    made = (await wuts.adapter.create_community("Neighbours", [])).group
    assert made is not None
    for change, inside in ((wuts.adapter.add_to_community, True), (wuts.adapter.remove_from_community, False)):
        assert (await change(made.id, people(ANA))).verdicts == (Verdict(f"+{ANA}", Outcome.UNKNOWN),)
        assert (await wuts.adapter.membership(made.id, people(ANA)))[f"+{ANA}"].is_member is inside
    sent = {"participants": [f"{ANA}@s.whatsapp.net"]}
    calls = [(call.method, call.body) for call in wuts.server.calls if call.path.endswith(f"{made.id}/participants")]
    assert calls == [("POST", sent), ("DELETE", sent)]


async def test_a_community_that_is_not_there_is_not_found(wuts: WutsHarness) -> None:
    with pytest.raises(GroupNotFound):
        await wuts.adapter.add_to_community("120363000000000009@g.us", people(ANA))


@pytest.mark.parametrize(
    ("operation", "method", "before", "after"),
    [
        ("remove", "DELETE", "member", None),
        ("promote", "POST", "member", "admin"),
        ("demote", "POST", "admin", "member"),
    ],
)
@pytest.mark.parametrize("coded", [True, False])
async def test_members_are_dealt_with_in_one_call_whose_answer_proves_nothing(
    wuts: WutsHarness, operation: str, method: str, before: str, after: str | None, coded: bool
) -> None:
    wuts.server.codes_in_records = coded
    group = wuts.world.put_group(GROUP, "Launch team", [ANA])
    group.members[ANA].role = before
    result = await getattr(wuts.adapter, operation)(GROUP, people(ANA, BEN))
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert [verdict.provider_code for verdict in result.verdicts] == ["", "404" if coded else ""]
    assert {phone: member.role for phone, member in group.members.items()} == ({ANA: after} if after else {})
    jids = [f"{ANA}@s.whatsapp.net", f"{BEN}@s.whatsapp.net"]
    assert [(c.method, c.body) for c in wuts.server.calls] == [(method, {"participants": jids, "action": operation})]


async def test_a_code_of_too_many_changes_stops_the_sender_after_a_removal_too(wuts: WutsHarness) -> None:
    body = f'{{"success": true, "participants": [{{"jid": "{ANA}@s.whatsapp.net", "error": 429}}]}}'
    wuts.server.faults = [InjectedFault(ADD.replace("POST", "DELETE"), status=200, body=body)]
    result = await wuts.adapter.remove(GROUP, people(ANA))
    assert result.error is not None
    assert result.error.stops_sending
    assert result.verdicts[0].outcome is Outcome.RATE_LIMITED


@pytest.mark.parametrize("listed_before", [True, False])
async def test_a_member_is_removed_under_the_form_in_which_the_number_is_listed(
    wuts: WutsHarness, listed_before: bool
) -> None:
    wuts.world.put_person("551187654321", Disposition.OPEN, also="5511987654321")
    wuts.world.put_group(GROUP, "Launch team", ["551187654321"])
    if listed_before:
        await wuts.adapter.membership(GROUP, people("5511987654321"))
    await wuts.adapter.remove(GROUP, people("5511987654321"))
    assert wuts.group.members == {}
    assert len(wuts.bodies(CHECK)) == (0 if listed_before else 1)


async def test_a_link_or_a_code_leads_into_a_group_unless_an_admin_has_to_agree(wuts: WutsHarness) -> None:
    other = wuts.world.put_group("120363000000000002@g.us", "Night shift", [BEN], left_by_account=True)
    code = wuts.world.invite_of(other.id)
    assert await wuts.adapter.join(code) == Group(other.id, "")
    other.joins_need_approval = True
    assert await wuts.adapter.join(f"https://chat.whatsapp.com/{code}") is None
    wuts.server.faults = [InjectedFault("join", status=200, body=f'{{"success": true, "group_jid": "{other.id}"}}')]
    assert await wuts.adapter.join(code) is None
    with pytest.raises(GroupNotFound):
        await wuts.adapter.join("NoSuchCode")
