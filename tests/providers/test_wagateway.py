import httpx
import pytest

from providers.base import (
    AccountDisconnected,
    Cause,
    CredentialsRejected,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    NumberCheck,
    Operation,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
    Usage,
    Verdict,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition, Effect
from tests.providers.harness import ANA, BEN, CAT, TOKEN, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
ADD = f"POST {ROOT}/groups/{GROUP}/members"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"


async def test_the_204_says_nothing_of_anybody_and_a_failed_check_keeps_its_words(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert result.error is None
    assert set(result.verdicts) == {
        Verdict(f"+{ANA}", Outcome.UNKNOWN, Evidence.NONE, "204"),
        Verdict(
            f"+{BEN}",
            Outcome.NOT_ON_WHATSAPP,
            Evidence.REPORTED,
            "isOnWhatsApp: false",
            "The number isn't on WhatsApp.",
            Cause.INVALID,
        ),
    }
    assert [(event.phone, event.effect) for event in wagateway.world.events] == [(ANA, Effect.ADDED)]


async def test_nothing_is_sent_when_nobody_has_an_account(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    result = await wagateway.adapter.add(GROUP, people(BEN))
    assert [v.outcome for v in result.verdicts] == [Outcome.NOT_ON_WHATSAPP]
    assert wagateway.requests() == [CHECK]


async def test_an_add_costs_one_check_for_each_new_number_and_one_post(wagateway: WaGatewayHarness) -> None:
    await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert wagateway.requests() == [CHECK, CHECK, ADD]
    await wagateway.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert wagateway.requests()[3:] == [CHECK, ADD]
    assert wagateway.server.calls[-1].body == {"participants": [f"{p}@s.whatsapp.net" for p in (ANA, BEN, CAT)]}


async def test_a_number_without_an_account_is_checked_again_for_it_may_get_one(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(ANA, Disposition.NO_ACCOUNT)
    await wagateway.adapter.add(GROUP, people(ANA))
    wagateway.world.put_person(ANA, Disposition.OPEN)
    result = await wagateway.adapter.add(GROUP, people(ANA))
    assert [v.outcome for v in result.verdicts] == [Outcome.UNKNOWN]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.MEMBER}


@pytest.mark.parametrize("disposition", [Disposition.PRIVATE, Disposition.BLOCKED, Disposition.RECENTLY_LEFT])
async def test_a_silent_decline_stays_unknown_after_reading_back(
    wagateway: WaGatewayHarness, disposition: Disposition
) -> None:
    wagateway.world.put_person(ANA, disposition)
    verdicts = await run_operation(wagateway.adapter, GROUP, Operation.ADD, people(*[ANA]))
    assert verdicts == [Verdict(f"+{ANA}", Outcome.UNKNOWN, Evidence.NONE, "204")]


async def test_two_forms_of_one_number_are_added_once(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person("551187654321", Disposition.OPEN, also="5511987654321")
    result = await wagateway.adapter.add(GROUP, people("5511987654321", "551187654321"))
    assert len(result.verdicts) == 2
    assert wagateway.server.calls[-1].body == {"participants": ["551187654321@s.whatsapp.net"]}


async def test_the_form_that_was_typed_is_checked_first(wagateway: WaGatewayHarness) -> None:
    await wagateway.adapter.add(GROUP, people("5511987654321"))
    assert [call.query for call in wagateway.server.calls] == [{"phone": "5511987654321"}, {}]


async def test_a_check_without_an_answer_does_not_keep_anybody_from_being_added(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=200, body='{"query": "14155550101"}')]
    result = await wagateway.adapter.add(GROUP, people(ANA))
    assert [v.outcome for v in result.verdicts] == [Outcome.UNKNOWN]
    assert list(wagateway.group.members) == [ANA]


async def test_a_number_that_the_check_finds_malformed_fails_and_the_others_are_added(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=400)]
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert sorted(v.outcome for v in result.verdicts) == [Outcome.FAILED, Outcome.UNKNOWN]
    reported = next(v for v in result.verdicts if v.outcome is Outcome.FAILED)
    assert (reported.evidence, reported.provider_code) == (Evidence.REPORTED, "validation_error")
    assert len(wagateway.group.members) == 1


async def test_a_person_known_by_lid_is_added_by_the_phone_behind_it(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group("120363000000000002@g.us", "Others", [ANA])
    person = Person("someone", lid=wagateway.lid(ANA))
    result = await wagateway.adapter.add(GROUP, [person])
    assert result.verdicts == (Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, "204"),)
    assert await wagateway.adapter.membership(GROUP, [person]) == {person.key: MembershipStatus.MEMBER}


async def test_the_whole_path_costs_few_calls(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    await run_operation(wagateway.adapter, GROUP, Operation.ADD, people(*[ANA]))
    contact = f"{CONTACTS}/{{}}".format
    count = f"GET {ROOT}/groups/{GROUP}"
    before = [MEMBERS, contact(wagateway.lid(CAT)), count]
    assert wagateway.requests() == [*before, CHECK, ADD, MEMBERS, contact(wagateway.lid(ANA)), count]


SESSION = WAGATEWAY.account
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"


@pytest.mark.parametrize("spoils", [True, False])
async def test_a_400_to_several_leaves_open_whether_the_good_ones_were_added(
    wagateway: WaGatewayHarness, spoils: bool
) -> None:
    wagateway.server.faults = [InjectedFault(ADD, when="before" if spoils else "after", status=400)]
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, OutcomeUnknown)
    assert error.code == "validation_error"
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT if spoils else MembershipStatus.MEMBER}


async def test_a_400_to_a_list_of_one_did_nothing(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(ADD, status=400)]
    assert isinstance(await wagateway.failed_add(ANA), InvalidRequest)


async def test_a_403_means_no_group_admin_when_the_invite_is_forbidden_too(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, NotGroupAdmin)
    assert str(error) == "The account isn't an admin of the group."
    assert error.code == "forbidden"
    assert wagateway.requests()[-2:] == [ADD, INVITE]


async def test_a_403_means_a_missing_permission_when_an_admins_invite_can_be_read(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"read"})
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, PermissionMissing)
    assert "`send`" in str(error)


async def test_a_403_names_both_causes_when_nothing_tells_them_apart(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    wagateway.server.faults = [InjectedFault(INVITE, status=500, times=-1)]
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, NotGroupAdmin)
    assert "`send`" in str(error)


async def test_a_token_without_read_cannot_check_and_adds_nobody(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"send"})
    assert isinstance(await wagateway.failed_add(ANA, BEN), PermissionMissing)
    assert isinstance(await wagateway.failed_read(ANA), PermissionMissing)
    assert wagateway.world.events == []


async def test_an_api_key_may_stand_in_either_header(wagateway: WaGatewayHarness) -> None:
    async with httpx.AsyncClient(headers={"x-api-key": TOKEN}) as client:
        answer = await client.get(f"{wagateway.url}/api/v1/sessions/{SESSION}/groups")
    assert answer.status_code == 200


async def test_a_disconnected_session_is_read_and_cannot_add(wagateway: WaGatewayHarness) -> None:
    wagateway.server.account_state = "disconnected"
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    before = len(wagateway.requests())
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, AccountDisconnected)
    assert set(wagateway.requests()[before:]) == {CHECK}
    assert wagateway.world.events == []


async def test_a_session_lost_between_check_and_add_keeps_what_the_checks_told(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    wagateway.server.faults = [InjectedFault(ADD, status=501)]
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert isinstance(result.error, AccountDisconnected)
    assert {v.key: v.outcome for v in result.verdicts} == {
        f"+{ANA}": Outcome.FAILED,
        f"+{BEN}": Outcome.NOT_ON_WHATSAPP,
    }


async def test_a_check_that_cannot_be_had_sends_nothing_and_asks_no_further(wagateway: WaGatewayHarness) -> None:
    phones = [f"141555503{number:02}" for number in range(20)]
    wagateway.server.faults = [InjectedFault(CHECK, status=401, times=-1)]
    assert isinstance(await wagateway.failed_add(*phones), CredentialsRejected)
    assert set(wagateway.requests()) == {CHECK}
    assert len(wagateway.requests()) <= 4


@pytest.mark.parametrize(("retry_after", "tries"), [("0", 4), ("3600", 1)])
async def test_a_429_to_a_check_is_waited_out_when_short_and_passed_on_when_long(
    wagateway: WaGatewayHarness, retry_after: str, tries: int
) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=429, headers={"Retry-After": retry_after}, times=-1)]
    assert isinstance(await wagateway.failed_add(ANA), RateLimited)
    assert wagateway.requests() == [CHECK] * tries


async def test_reads_that_fail_once_are_tried_again(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [BEN])
    wagateway.server.faults = [
        InjectedFault(MEMBERS, status=-1),
        InjectedFault(f"{CONTACTS}/1", status=429),
        InjectedFault(CHECK, status=503),
    ]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    assert (await wagateway.adapter.add(GROUP, people(ANA))).error is None
    assert [fault.times for fault in wagateway.server.faults] == [0, 0, 0]


async def test_a_contact_that_cannot_be_read_is_an_error_and_no_absence(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [BEN])
    wagateway.server.faults = [InjectedFault(f"{CONTACTS}/", status=500, times=-1)]
    assert type(await wagateway.failed_read(ANA)) is ProviderFault


SEND = f"POST {ROOT}/messages"


async def test_a_number_is_told_in_the_form_and_with_the_lid_that_it_has(wagateway: WaGatewayHarness) -> None:
    listed = "5511987654321"
    wagateway.world.put_person("551187654321", Disposition.NO_ACCOUNT)
    wagateway.world.put_group(GROUP, "Launch team", [listed])
    known = Person("a", lid=wagateway.lid(listed))
    assert await wagateway.adapter.check_numbers([known]) == {known.key: NumberCheck(True, f"+{listed}", known.lid)}
    [check] = (await wagateway.adapter.check_numbers(people("551187654321"))).values()
    assert check == NumberCheck(True, f"+{listed}", known.lid)


@pytest.mark.parametrize("fault", [InjectedFault(CHECK, status=400), InjectedFault(CHECK, status=200, body="{}")])
async def test_a_check_that_says_nothing_leaves_it_open(wagateway: WaGatewayHarness, fault: InjectedFault) -> None:
    await wagateway.adapter.check_numbers(people(BEN))
    wagateway.server.faults = [fault]
    checks = await wagateway.adapter.check_numbers(people(ANA, BEN))
    assert checks == {f"+{ANA}": NumberCheck(None), f"+{BEN}": NumberCheck(True, f"+{BEN}")}


@pytest.mark.parametrize("jid", [f'"{ANA}@s.whatsapp.net"', '""', "null", '"77@lid"'])
@pytest.mark.parametrize("exists", [True, False])
async def test_the_check_tells_by_its_word_whatever_jid_it_names(
    wagateway: WaGatewayHarness, exists: bool, jid: str
) -> None:
    body = f'{{"isOnWhatsApp": {str(exists).lower()}, "jid": {jid}}}'
    wagateway.server.faults = [InjectedFault(CHECK, status=200, body=body)]
    [check] = (await wagateway.adapter.check_numbers(people(ANA))).values()
    assert (check.on_whatsapp, check.phone) == (exists, f"+{ANA}" if exists else "")


async def test_numbers_that_are_all_malformed_are_an_error(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=400, times=2)]
    with pytest.raises(InvalidRequest):
        await wagateway.adapter.check_numbers(people(ANA, BEN))


async def test_what_was_checked_before_an_error_is_not_asked_again(wagateway: WaGatewayHarness) -> None:
    phones = [f"141555504{number:02}" for number in range(12)]
    wagateway.server.faults = [InjectedFault(CHECK, status=501, skip=6)]
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.check_numbers(people(*phones))
    asked = len(wagateway.requests())
    assert 7 <= asked <= 10
    await wagateway.adapter.check_numbers(people(*phones))
    assert len(wagateway.requests()) == 1 + len(phones)


@pytest.mark.parametrize("field", ["waMessageId", "messageId"])
async def test_a_text_goes_to_a_group_or_a_person_in_one_call(wagateway: WaGatewayHarness, field: str) -> None:
    wagateway.server.message_id_field = field
    assert await wagateway.adapter.send_to_group(GROUP, "Welcome")
    assert await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    assert [(sent.to, sent.text) for sent in wagateway.world.sent] == [(GROUP, "Welcome"), (ANA, "Hello")]
    assert wagateway.requests() == [SEND, CHECK, SEND]


async def test_a_text_to_nobody_is_not_sent(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(ANA, Disposition.NO_ACCOUNT)
    for person, outcome in ((people(ANA)[0], Outcome.NOT_ON_WHATSAPP), (Person("b", lid="77@lid"), Outcome.INVALID)):
        with pytest.raises(ProviderError) as caught:
            await wagateway.adapter.send_to_person(person, "Hello")
        assert [verdict.outcome for verdict in verdicts_for_error(caught.value, [person])] == [outcome]
    assert SEND not in wagateway.requests()


async def test_a_text_that_is_only_queued_is_not_called_sent(wagateway: WaGatewayHarness) -> None:
    for status in (202, 200):
        wagateway.server.faults = [InjectedFault(SEND, status=status, body='{"mode": "async", "outboxId": "outbox-1"}')]
        with pytest.raises(OutcomeUnknown) as caught:
            await wagateway.adapter.send_to_group(GROUP, "Welcome")
        assert caught.value.code == str(status)
    assert len(wagateway.requests()) == 2


async def test_a_text_over_the_sessions_rate_is_refused_and_not_sent_again(wagateway: WaGatewayHarness) -> None:
    wagateway.server.most_per_minute = 1
    await wagateway.adapter.send_to_group(GROUP, "One")
    with pytest.raises(RateLimited):
        await wagateway.adapter.send_to_group(GROUP, "Two")
    assert wagateway.requests() == [SEND, SEND]


async def test_a_person_who_is_not_found_does_not_stop_the_sender_but_a_session_does(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.faults = [InjectedFault(SEND, status=404, times=2)]
    with pytest.raises(ProviderError) as caught:
        await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    assert not caught.value.stops_sending
    assert wagateway.requests() == [CHECK, SEND, CONTACTS]
    wagateway.server.session = "sess_2"
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    with pytest.raises(GroupNotFound):
        await wagateway.adapter.send_to_group(GROUP, "Hello")
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.check_numbers([Person("b", lid="77@lid")])


async def test_limits_are_the_sessions_and_take_manage(wagateway: WaGatewayHarness) -> None:
    assert await wagateway.adapter.limits() == [
        Usage("messages per minute", limit=20),
        Usage("messages per hour", limit=600),
    ]
    assert wagateway.requests() == [f"GET {ROOT}"]
    wagateway.server.permissions = frozenset({"read", "send"})
    with pytest.raises(PermissionMissing):
        await wagateway.adapter.limits()
