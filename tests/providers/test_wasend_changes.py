import json

import pytest

from providers.base import (
    Action,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    NotGroupAdmin,
    NotSupported,
    OutcomeUnknown,
    Person,
    Picture,
    ProviderError,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE
from tests.providers.harness import ANA, BEN, open_provider, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
SESSION = WASEND.account

PATH = f"/{SESSION}/groups/{GROUP}"
EVERYTHING = GroupChange("Evening team", "Rota", Picture(url="https://example.com/p.jpg"), True, True, 604_800)
PUTS = ("subject", "description", "picture")
FLAGS = ("settings/security/messages-admin-only", "settings/security/info-admin-only")
BOTH = GroupChange(announce_only=True, locked=True)


def puts(wasend: WasendHarness) -> list[str]:
    return [call.path.removeprefix(f"{PATH}/") for call in wasend.server.calls if call.method == "PUT"]


def kinds(failed: object) -> dict[Action, type[ProviderError]]:
    assert isinstance(failed, dict)
    return {action: type(error) for action, error in failed.items()}


async def test_everything_is_changed_in_one_call_for_each_and_one_for_both_flags_where_there_is_one(
    variant: WasendHarness,
) -> None:
    for _ in range(2):
        result = await variant.adapter.change(GROUP, EVERYTHING)
        assert result.done == EVERYTHING.actions[:-1]
        assert kinds(result.failed) == {Action.EPHEMERAL: NotSupported}
    expected = {"docs": ["settings", *PUTS] * 2, "sdk": ["settings", *PUTS, *FLAGS, *PUTS, *FLAGS]}
    assert puts(variant) == expected[variant.server.variant]
    reads = 2  # the answer to a description says nothing
    assert len(variant.server.calls) == len(puts(variant)) + reads
    group = variant.group
    assert (group.subject, group.description, group.announce_only, group.locked) == ("Evening team", "Rota", True, True)
    assert group.picture


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (GroupChange(subject="x" * 26), InvalidRequest),
        (GroupChange(picture=Picture(jpeg=b"\xff\xd8")), NotSupported),
        (GroupChange(ephemeral=0), NotSupported),
    ],
)
async def test_what_wasend_does_not_take_is_refused_without_a_call(
    wasend: WasendHarness, change: GroupChange, kind: type[Exception]
) -> None:
    result = await wasend.adapter.change(GROUP, change)
    assert (result.done, kinds(result.failed)) == ((), {change.actions[0]: kind})
    assert wasend.server.calls == []


async def test_an_empty_answer_is_no_proof_and_the_group_is_read_back_once(variant: WasendHarness) -> None:
    variant.server.mute = True
    variant.expected_breaches = ("MissingData",)
    await variant.adapter.group(GROUP)
    variant.server.calls.clear()
    result = await variant.adapter.change(GROUP, EVERYTHING)
    assert result.done == (Action.RENAME, Action.DESCRIBE, Action.ANNOUNCE_ONLY, Action.LOCK)
    assert result.failed.keys() == {Action.PICTURE, Action.EPHEMERAL}
    assert isinstance(result.failed[Action.PICTURE], OutcomeUnknown)
    assert [call.method for call in variant.server.calls].count("GET") == 1


async def test_an_answer_that_shows_one_of_two_flags_is_read_back_for_both(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault("PUT", status=200, body='{"settings": {"infoAdminOnly": true}}')]
    wasend.group.locked = True
    result = await wasend.adapter.change(GROUP, BOTH)
    assert result.done == (Action.LOCK,)
    assert isinstance(result.failed[Action.ANNOUNCE_ONLY], OutcomeUnknown)


@pytest.mark.parametrize("kept", ["Rota", "Ro"])
async def test_a_description_is_changed_where_the_group_shows_the_whole_of_it(
    variant: WasendHarness, kept: str
) -> None:
    variant.server.faults = [InjectedFault("/description", status=200, body=" ")]
    variant.group.description = kept
    result = await variant.adapter.change(GROUP, GroupChange(description="Rota"))
    assert result.done == ((Action.DESCRIBE,) if kept == "Rota" else ())
    assert all(isinstance(error, OutcomeUnknown) for error in result.failed.values())
    assert result.failed.keys() == set() if result.done else {Action.DESCRIBE}


@pytest.mark.parametrize("after", [200, 503])
async def test_a_change_that_the_group_does_not_show_after_an_empty_answer_stays_open(
    wasend: WasendHarness, after: int
) -> None:
    wasend.server.faults = [
        InjectedFault("PUT", status=200, body=" "),
        InjectedFault("GET", status=after, times=4 * (after > 200)),
    ]
    result = await wasend.adapter.change(GROUP, GroupChange(subject="Other"))
    assert result.done == ()
    assert isinstance(result.failed[Action.RENAME], OutcomeUnknown)


@pytest.mark.parametrize("body", ['{"success": true, "enabled": false}', '{"success": false, "error": "x"}', "<html>"])
async def test_an_answer_that_shows_something_else_is_not_believed(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault("PUT", status=200, body=body)]
    result = await wasend.adapter.change(GROUP, GroupChange(locked=True))
    assert isinstance(result.failed[Action.LOCK], OutcomeUnknown)
    both = '{"success": true, "settings": {"infoAdminOnly": true, "messagesAdminOnly": false}}'
    wasend.server.faults = [InjectedFault("PUT", status=200, body=both)]
    result = await wasend.adapter.change(GROUP, BOTH)
    assert kinds(result.failed) == dict.fromkeys((Action.ANNOUNCE_ONLY, Action.LOCK), OutcomeUnknown)


async def test_one_failed_change_does_not_stop_the_others(variant: WasendHarness) -> None:
    variant.server.faults = [
        InjectedFault("/subject", status=400),
        InjectedFault("/messages-admin-only", status=500),
    ]
    variant.server.mixed = {"settings": "sdk"}
    result = await variant.adapter.change(GROUP, EVERYTHING)
    assert result.done == (Action.DESCRIBE, Action.PICTURE, Action.LOCK)
    assert kinds(result.failed) == {
        Action.ANNOUNCE_ONLY: OutcomeUnknown,
        Action.RENAME: InvalidRequest,
        Action.EPHEMERAL: NotSupported,
    }


async def test_nothing_more_is_sent_after_an_error_that_stops_the_sender(variant: WasendHarness) -> None:
    variant.group.account_is_admin = False
    result = await variant.adapter.change(GROUP, EVERYTHING)
    assert set(kinds(result.failed).values()) == {NotGroupAdmin}
    assert result.failed.keys() == set(EVERYTHING.actions)
    assert len(variant.server.calls) == {"docs": 1, "sdk": 2}[variant.server.variant]


@pytest.mark.parametrize("absent_status", [404, 405])
async def test_a_description_that_the_server_cannot_set_is_told_from_a_missing_group(
    variant: WasendHarness, absent_status: int
) -> None:
    variant.server.lacks_description, variant.server.absent_status = True, absent_status
    change = GroupChange(description="Rota")
    assert kinds((await variant.adapter.change(GROUP, change)).failed) == {Action.DESCRIBE: NotSupported}
    del variant.world.groups[GROUP]
    assert kinds((await variant.adapter.change(GROUP, change)).failed) == {Action.DESCRIBE: GroupNotFound}


async def test_both_flags_of_a_missing_group_are_not_found_and_teach_nothing(variant: WasendHarness) -> None:
    group = variant.world.groups.pop(GROUP)
    result = await variant.adapter.change(GROUP, BOTH)
    assert kinds(result.failed) == dict.fromkeys((Action.ANNOUNCE_ONLY, Action.LOCK), GroupNotFound)
    variant.world.groups[GROUP] = group
    assert (await variant.adapter.change(GROUP, BOTH)).done == (Action.ANNOUNCE_ONLY, Action.LOCK)


@pytest.mark.parametrize("subject", ["Evening team", "Launch team"])
async def test_a_change_that_is_accepted_for_later_is_read_back(wasend: WasendHarness, subject: str) -> None:
    wasend.group.subject = subject
    wasend.server.faults = [InjectedFault("PUT", status=202, body='{"success": true, "subject": "Evening team"}')]
    result = await wasend.adapter.change(GROUP, GroupChange(subject="Evening team"))
    assert result.done == ((Action.RENAME,) if subject == "Evening team" else ())
    assert all(isinstance(error, OutcomeUnknown) for error in result.failed.values())


@pytest.mark.parametrize("mute", [True, False])
async def test_leaving_is_told_by_the_answer_or_by_the_group_that_is_gone(
    variant: WasendHarness, *, mute: bool
) -> None:
    variant.server.mute = mute
    variant.expected_breaches = ("MissingData",) if mute else ()
    await variant.adapter.leave(GROUP)
    assert variant.group.left_by_account
    assert len(variant.server.calls) == 1 + mute


@pytest.mark.parametrize(("status", "body"), [(200, "{}"), (202, '{"success": true}')])
async def test_a_leave_that_nothing_confirms_is_unknown(wasend: WasendHarness, status: int, body: str) -> None:
    wasend.server.faults = [InjectedFault("/leave", status=status, body=body)]
    with pytest.raises(OutcomeUnknown):
        await wasend.adapter.leave(GROUP)


@pytest.mark.parametrize(
    ("record", "group"),
    [
        ({"isAnnounce": True, "settings": {"messagesAdminOnly": False}}, Group(GROUP, "T")),
        ({"isLocked": "yes", "settings": "none", "description": 7, "participantsCount": "x"}, Group(GROUP, "T")),
        ({"settings": {"restrict": True, "announce": False, "ephemeral": 86400}},
         Group(GROUP, "T", announce_only=False, locked=True, ephemeral=86_400)),
        ({"isEphemeral": True, "disappearingTimer": 604800.0}, Group(GROUP, "T", ephemeral=604_800)),
        ({"isEphemeral": False, "disappearingTimer": 604800}, Group(GROUP, "T")),
        ({"isEphemeral": True, "disappearingTimer": 0}, Group(GROUP, "T")),
        ({"isEphemeral": False}, Group(GROUP, "T", ephemeral=0)),
        ({"participantsCount": 7, "participants": []}, Group(GROUP, "T", 7)),
    ],
)  # fmt: skip
async def test_what_a_group_says_twice_and_differently_or_in_a_strange_type_is_not_told(
    wasend: WasendHarness, record: dict[str, object], group: Group
) -> None:
    body = {"success": True, "info": {"id": GROUP, "name": "T", **record}}
    wasend.server.faults = [InjectedFault("/info", status=200, body=json.dumps(body))]
    assert await wasend.adapter.group(GROUP) == group


async def test_an_infinite_timer_does_not_hide_the_group(wasend: WasendHarness) -> None:
    wasend.server.faults = [
        InjectedFault("/info", status=200, body=f'{{"jid": "{GROUP}", "disappearingTimer": 1e999}}')
    ]
    assert await wasend.adapter.group(GROUP) == Group(GROUP, "")


async def test_a_search_finds_every_group_whose_name_holds_it_however_either_is_capitalised(
    variant: WasendHarness,
) -> None:
    variant.world.put_group("2@g.us", "The LAUNCH crew", [OWN_PHONE])
    variant.world.put_group("3@g.us", "Other", [OWN_PHONE], description="the launch team's friends")
    assert [group.id async for group in variant.adapter.groups("LAUNCH")] == [GROUP, "2@g.us"]
    assert [group.id async for group in variant.adapter.groups("friends")] == []


async def test_members_come_with_their_roles(variant: WasendHarness) -> None:
    variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA, BEN])
    variant.group.members[BEN].role = "admin"
    variant.server.lid_only = {ANA}
    lids = {phone: variant.lid(phone) for phone in (OWN_PHONE, ANA, BEN)}
    sdk = variant.server.variant == "sdk"
    assert [member async for member in variant.adapter.members(GROUP)] == [
        Member(f"+{OWN_PHONE}", lids[OWN_PHONE] if sdk else "", "", MembershipStatus.MEMBER),
        Member("", lids[ANA], "", MembershipStatus.MEMBER),
        Member(f"+{BEN}", lids[BEN] if sdk else "", "", MembershipStatus.ADMIN),
    ]
    assert (await variant.adapter.membership(GROUP, people(BEN)))[f"+{BEN}"] is MembershipStatus.ADMIN


async def test_a_check_that_fails_ends_the_asking_and_keeps_what_was_told(wasend: WasendHarness) -> None:
    phones = [f"141555504{number:02}" for number in range(40)]
    wasend.server.faults = [InjectedFault("check-exists", status=403, skip=20, times=1)]
    with pytest.raises(ProviderError):
        await wasend.adapter.check_numbers(people(*phones))
    asked = len(wasend.server.calls)
    assert asked < 40
    await wasend.adapter.check_numbers(people(*phones))
    assert len(wasend.server.calls) < 40 + asked - 15


async def test_texts_go_to_groups_and_phones_and_give_their_ids(variant: WasendHarness) -> None:
    assert await variant.adapter.send_to_group(GROUP, "Hello") == "m-1"
    assert await variant.adapter.send_to_person(people(ANA)[0], "Hi") == "m-2"
    assert [(sent.to, sent.text) for sent in variant.world.sent] == [(GROUP, "Hello"), (ANA, "Hi")]
    with pytest.raises(InvalidRequest):
        await variant.adapter.send_to_person(Person("lid", lid="1@lid"), "Hi")
    assert len(variant.server.calls) == 2


@pytest.mark.parametrize("body", [" ", "{}", '{"id": ""}', '{"id": "m-1", "status": "FAILED"}', '{"error": "no"}'])
async def test_a_text_whose_answer_does_not_name_a_message_may_have_gone_out(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault("/sendText", status=200, body=body)]
    with pytest.raises(OutcomeUnknown):
        await wasend.adapter.send_to_group(GROUP, "Hello")


@pytest.mark.parametrize("shape", ["", "sdk"])
async def test_a_call_for_an_unknown_session_says_that_it_is_the_session(shape: str) -> None:
    async with open_provider(WASEND, account="session-9", variant=shape) as wasend:
        wasend.server.session = SESSION
        for call in (
            wasend.adapter.create("Team", people(ANA)),
            wasend.adapter.join("abc"),
            wasend.adapter.check_numbers(people(ANA)),
            wasend.adapter.send_to_person(people(ANA)[0], "Hi"),
        ):
            with pytest.raises(ProviderError, match="session"):
                await call
